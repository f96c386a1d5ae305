import type { Finding } from "../finding.ts";
import { common, countOf, isIn, rangesOf, rangesText } from "../metallb/address-ranges.ts";
import { parseAddresses, parseIp } from "../metallb/ip.ts";
import { nameList } from "../name-list.ts";
import { type Text, text } from "../text.ts";
import { defineCheck, judged } from "./check.ts";

export const poolOverlaps = defineCheck({
  id: "pool-overlaps",
  about: "cluster",
  title: "No pool holds addresses that something else uses",
  codes: ["pool-overlaps-node", "pool-overlaps-router", "pool-overlaps-dhcp", "pool-covers-lan-edge"],
  page: {
    why: `MetalLB hands out any address of a pool. Released versions do not compare pools with the addresses of nodes
(0.15.0 did, and 0.15.1 took it back), and none knows what the router and its DHCP server use. An address that is a node's
as well is answered by two; the network and the broadcast address of the segment reach nobody.`,
    looks: `Months of quiet, then one new Service takes the address of a node: SSH and kubelet of that node break off. Or
it takes a DHCP lease, and a phone and a Service quarrel about it. When it is the router's, the whole segment is offline.`,
    fix: `Shrink the pool to addresses that nobody else uses, and reserve those in the DHCP server. Services on addresses
that leave the pool are given others at once, so move them first: give them a chosen address by
\`metallb.io/loadBalancerIPs\`, follow DNS and firewalls, then shrink. Changing the DHCP range instead disturbs no Service.
The old \`addresses\` are the way back.`,
  },
  needs: [],
  reads: ["nodes", "services", "ipaddresspools"],
  judge: (_, { site, objects }) => {
    const findings: Finding[] = [];
    const inUse = objects.services.flatMap(({ ingress }) =>
      ingress.flatMap(({ ip }) => (ip === undefined ? [] : (parseIp(ip)?.text ?? []))),
    );
    for (const pool of objects.ipAddressPools) {
      const ranges = rangesOf(pool.addresses);
      const tell = (
        what: string,
        addresses: readonly string[],
        said: Text,
        remedy: Text,
        more: Readonly<Record<string, string>> = {},
      ): void => {
        findings.push({
          code: what,
          severity: "error",
          subject: { kind: "pool", name: pool.name },
          facts: {
            addresses,
            assigned: addresses.filter((address) => inUse.includes(address)).sort(),
            ...more,
          },
          text: said,
          remedy,
        });
      };
      const nodes = objects.nodes.flatMap(({ name, addresses }) =>
        addresses.flatMap(({ address }) => {
          const ip = parseIp(address);
          return ip !== undefined && isIn(ip, ranges) ? [{ name, address: ip.text }] : [];
        }),
      );
      if (nodes.length > 0)
        tell(
          "pool-overlaps-node",
          nodes.map(({ address }) => address),
          text`pool ${pool.name} holds addresses of nodes: ${nameList(nodes.map(({ name, address }) => `${name} ${address}`))}`,
          text`Take them out of the pool before a Service is given one of them`,
        );
      const router = site.routerIp === undefined ? undefined : parseIp(site.routerIp);
      if (router !== undefined && isIn(router, ranges))
        tell(
          "pool-overlaps-router",
          [router.text],
          text`pool ${pool.name} holds the router's address ${router.text}`,
          text`Take ${router.text} out of the pool now: a Service on it cuts the segment off`,
        );
      const leased = common(ranges, rangesOf(site.dhcpRanges));
      if (leased.length > 0) {
        const shared = rangesText(leased);
        tell(
          "pool-overlaps-dhcp",
          inUse.filter((address) => {
            const ip = parseIp(address);
            return ip !== undefined && isIn(ip, leased);
          }),
          text`pool ${pool.name} and the DHCP range share ${countOf(leased) === 1 ? "one address" : `${countOf(leased)} addresses`}: ${shared}`,
          text`Take them out of the DHCP server's range; that disturbs no Service`,
          { shared },
        );
      }
      const lan = parseAddresses(site.lanPrefix);
      const [prefix] = "error" in lan ? [] : lan;
      if (prefix === undefined || prefix.family !== 4 || prefix.length > 30) continue;
      const edges = [prefix.first, prefix.last].map((value) => ({
        family: 4 as const,
        first: value,
        last: value,
      }));
      const held = common(edges, ranges);
      if (held.length > 0)
        tell(
          "pool-covers-lan-edge",
          held.map((edge) => rangesText([edge])),
          text`pool ${pool.name} holds ${nameList(held.map((edge) => rangesText([edge])))}, network or broadcast address of ${site.lanPrefix}`,
          text`Take it out of the pool: no host can use it`,
        );
    }
    return judged(findings);
  },
});
