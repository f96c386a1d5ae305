import type { Fault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { common, rangesOf, rangesText } from "../metallb/address-ranges.ts";
import { ownObjects } from "../metallb/own-objects.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, skipped, unknown } from "./check.ts";
import { routesFor } from "./route-via-gateway.ts";

export const vantageRoute = defineCheck({
  id: "vantage-route",
  about: "cluster",
  title: "Machines of the segment outside the cluster send to addresses directly",
  codes: ["vantage-route-via-node", "vantage-route-via-gateway"],
  page: {
    why: `What a node's routes say holds for that node. Clients have routes of their own: a host with a static route to
the pool through one node, or with a shorter mask than the router's, never asks by ARP for the address, whatever MetalLB
announces. A vantage in the segment is such a client. Routed through a node it works all day and proves nothing about layer
2; when that node is down, it is all that fails.`,
    looks: `On the vantage \`ip -j route get ADDRESS\` has a \`gateway\`. \`/arping\` from there is answered all the same,
because arping asks on the interface and not by the route.`,
    fix: `Remove the route on that machine, or give its interface the prefix length of the segment. A route that DHCP
hands out is removed on the DHCP server, for all clients at once. To go back, add the route again with \`ip route add\`.`,
  },
  needs: [],
  reads: ["ipaddresspools", "nodes", "pods", "daemonsets"],
  vantages: "routes",
  judge: (_nodes, { objects, site, vantageRoutes }) => {
    const pools = rangesOf(ownObjects(objects).pools.flatMap(({ addresses }) => addresses));
    if (pools.length === 0) return skipped("no pool has an address");
    // A cluster node's routes are judged with the nodes.
    const outside = vantageRoutes.filter(({ vantage }) => vantage.clusterNode === undefined);
    if (outside.length === 0) return skipped("no vantage outside the cluster stands in the segment");
    const inLan = common(pools, rangesOf([site.lanPrefix]));
    const nodeOf = (address: string): string | undefined =>
      objects.nodes.find(({ addresses }) => addresses.some((each) => each.address === address))?.name;
    const findings: Finding[] = [];
    let unread: Fault | undefined;
    for (const { vantage, routes } of outside) {
      if (!routes.ok) {
        unread ??= routes.fault;
        continue;
      }
      for (const { route, ranges } of routesFor(pools, routes.evidence)) {
        const { dst, gateway, nic } = route;
        const ours = dst === "default" ? common(ranges, inLan) : ranges;
        if (gateway === undefined || ours.length === 0) continue;
        const node = nodeOf(gateway);
        const what = rangesText(ours);
        findings.push({
          code: node === undefined ? "vantage-route-via-gateway" : "vantage-route-via-node",
          severity: node === undefined ? "warning" : "error",
          subject: { kind: "vantage", name: vantage.name },
          facts: { dst, gateway, node: node ?? null, nic: nic ?? null, addresses: what },
          text:
            node === undefined
              ? text`${vantage.name} sends ${what} to ${gateway} (${dst}) instead of asking by ARP`
              : text`${vantage.name} sends ${what} through node ${node} (${gateway}, ${dst}): that node is its only way, whoever announces`,
          remedy: text`On ${vantage.name}: ${code(`ip route del ${dst} via ${gateway}`)}, and wherever it is configured`,
        });
      }
    }
    if (findings.length > 0) return judged(findings);
    return unread === undefined ? judged([]) : unknown(unread);
  },
});
