import { common, isIn, type Range, rangesOf, rangesText, without } from "../metallb/address-ranges.ts";
import { ipOf, parseIp } from "../metallb/ip.ts";
import { ownObjects } from "../metallb/own-objects.ts";
import { claimsOn } from "../node-network/managers.ts";
import { routePlan } from "../node-network/route-fix.ts";
import type { KernelRoute } from "../probes/node-routes.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped } from "./check.ts";
import { defineFix } from "./fix.ts";

const rangeOf = ({ dst, family }: KernelRoute): readonly Range[] =>
  dst === "default"
    ? [{ family, first: 0n, last: (1n << (family === 4 ? 32n : 128n)) - 1n }]
    : rangesOf([dst.includes("/") ? dst : `${dst}/${family === 4 ? 32 : 128}`]);

const lengthOf = ({ dst, family }: KernelRoute): number =>
  dst === "default" ? 0 : Number(dst.split("/")[1] ?? (family === 4 ? 32 : 128));

/** Which part of the ranges goes by which route: the longest prefix first, then the least metric, each address once. */
export function routesFor(
  ranges: readonly Range[],
  routes: readonly KernelRoute[],
): readonly Readonly<{ route: KernelRoute; ranges: readonly Range[] }>[] {
  const ordered = routes
    .filter(({ table }) => table === "main")
    .toSorted((a, b) => lengthOf(b) - lengthOf(a) || a.metric - b.metric);
  let left = ranges;
  return ordered.flatMap((route) => {
    const taken = common(left, rangeOf(route));
    left = without(left, taken);
    return taken.length === 0 ? [] : [{ route, ranges: taken }];
  });
}

export const routeViaGateway = defineCheck({
  id: "route-via-gateway",
  about: "node",
  title: "Announced addresses are on-link, not behind a gateway",
  codes: ["route-via-gateway", "pool-not-on-link"],
  page: {
    why: `Whoever sends to an address by way of a gateway asks by ARP for the gateway and never for the address. A route
to the pool through one node makes that node the way for everything: the election does not matter, failover is void, and
the address is gone when that node is. It works all day, because kube-proxy on any node takes the packets. A prefix that
is longer than the LAN's, such as 10.4.11.0/24 in 10.4.0.0/20, wins over the connected route without a word.`,
    looks: `\`ip route get ADDRESS\` shows \`via\`. The address is silent to \`arping\` and works with \`curl\`, or the
other way round. When the gateway node restarts all addresses fail at once.`,
    fix: `Remove the route: \`/nodes fix NODE route-via-gateway\` prints how, for the node's own network manager, with
the way back. Where the pool lies outside the prefix of the segment, widen the prefix, or add an interface route that
covers the whole pool. A route that DHCP hands out is removed on the DHCP server.`,
  },
  fix: defineFix({
    needs: [
      "ip-routes",
      "ip-addr",
      "wireless-nics",
      "ssh-connection",
      "network-units",
      "nm-devices",
      "network-settings",
    ],
    reads: ["ipaddresspools", "pods", "daemonsets"],
    plan: (evidence, { objects }) => {
      const { node, "ip-addr": nics, "wireless-nics": wireless } = evidence;
      const pools = rangesOf(ownObjects(objects).pools.flatMap(({ addresses }) => addresses));
      const detours = routesFor(pools, evidence["ip-routes"]).filter(
        ({ route }) => route.gateway !== undefined && route.dst !== "default" && route.nic !== undefined,
      );
      if (detours.length === 0)
        return { kind: "nothing-to-do", because: "no route of its own takes a pool by way of a gateway" };
      const { client } = evidence["ssh-connection"];
      const from = parseIp(client);
      if (from === undefined)
        return {
          kind: "unknown",
          fault: { kind: "unreadable", what: "our SSH session", detail: `it comes from ${client}` },
        };
      const ours = detours.find(({ route }) => isIn(from, rangeOf(route)));
      if (ours !== undefined)
        return {
          kind: "refused",
          obstacles: [
            {
              what: text`answers to our SSH session (${client}) leave by this route`,
              first: text`log in from a machine outside ${ours.route.dst} first`,
            },
          ],
        };
      const managers = {
        units: evidence["network-units"],
        nm: evidence["nm-devices"],
        settings: evidence["network-settings"],
      };
      return {
        kind: "plan",
        plans: detours.map(({ route, ranges }) => {
          const nic = nics.find(({ name }) => name === route.nic);
          const claim = nic && claimsOn(nic, wireless.includes(nic.name), managers)[0];
          const sample = ranges[0];
          const address = sample === undefined ? "" : ipOf(sample.family, sample.first).text;
          return routePlan(node, route, address, claim);
        }),
      };
    },
  }),
  common: "send to announced addresses by way of a gateway",
  needs: ["ip-routes"],
  reads: ["ipaddresspools", "pods", "daemonsets"],
  judge: ({ node, "ip-routes": routes }, { objects, site }) => {
    const pools = rangesOf(ownObjects(objects).pools.flatMap(({ addresses }) => addresses));
    if (pools.length === 0) return skipped("no pool has an address");
    const inLan = common(pools, rangesOf([site.lanPrefix]));
    const detours = routesFor(pools, routes).filter(({ route }) => route.gateway !== undefined);
    return judged(
      detours.flatMap(({ route, ranges }) => {
        const { dst, gateway = "", nic } = route;
        const facts = {
          dst,
          gateway,
          nic: nic ?? null,
          protocol: route.protocol ?? null,
          addresses: rangesText(ranges),
        };
        // The default route takes pools that no layer 2 announcement is meant for; those in the segment are ours.
        const ours = dst === "default" ? common(ranges, inLan) : ranges;
        if (ours.length === 0) return [];
        if (dst === "default")
          return [
            found({
              code: "pool-not-on-link",
              severity: "warning",
              node,
              facts,
              text: text`${rangesText(ours)} goes by the default route to ${gateway}: no interface is in that part of the segment`,
              remedy: text`Correct the prefix length of the LAN interface: ${code("/nodes explain route-via-gateway")}`,
            }),
          ];
        return [
          found({
            code: "route-via-gateway",
            severity: "warning",
            node,
            facts,
            text: text`${rangesText(ours)} goes by way of ${gateway} (${dst}), not by ARP`,
            remedy: text`Remove the route: ${code(`/nodes fix ${node} route-via-gateway`)}`,
          }),
        ];
      }),
    );
  },
});
