import { isIn, rangesOf } from "../metallb/address-ranges.ts";
import { parseAddresses, parseIp } from "../metallb/ip.ts";
import { serviceKey } from "../metallb/resources.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged } from "./check.ts";

export const addressEndsIn0Or255 = defineCheck({
  id: "address-ends-in-0-or-255",
  about: "cluster",
  title: "No Service has an address that ends in .0 or .255",
  codes: ["address-ends-in-0-or-255"],
  page: {
    why: `In a network wider than /24 such addresses are hosts like any other, and MetalLB gives them out. Some consumer
routers, printers and embedded stacks take them for network or broadcast addresses and drop the packets. MetalLB has
\`avoidBuggyIPs\` for that reason. Turning it on in a pool that is in use takes these addresses away from the Services that
have them and gives others.`,
    looks: `One Service works from most machines and never from a certain phone, television or behind a certain router. The
address answers ARP, and a capture on the client's side shows that no packet leaves.`,
    fix: `Give the Service another address of the pool by \`metallb.io/loadBalancerIPs\`; DNS and firewall rules follow.
Then set \`avoidBuggyIPs: true\`, which no longer re-addresses anything. In the other order MetalLB picks the new address,
at once. Where every client reaches it, leaving it is a choice too. The old address can be asked for again as long as
\`avoidBuggyIPs\` is off.`,
  },
  needs: [],
  reads: ["services", "ipaddresspools"],
  judge: (_, { site, objects }) => {
    const lan = parseAddresses(site.lanPrefix);
    const [prefix] = "error" in lan ? [] : lan;
    const pools = objects.ipAddressPools.map(({ name, addresses }) => ({
      name,
      ranges: rangesOf(addresses),
    }));
    return judged(
      objects.services
        .filter(({ type }) => type === "LoadBalancer")
        .flatMap((service) =>
          service.ingress.flatMap(({ ip }) => {
            const address = ip === undefined ? undefined : parseIp(ip);
            if (address === undefined || !/^\d+\.\d+\.\d+\.(0|255)$/.test(address.text)) return [];
            const pool = pools.find(({ ranges }) => isIn(address, ranges));
            // Edges of the segment are told by pool-overlaps.
            if (pool === undefined || address.value === prefix?.first || address.value === prefix?.last)
              return [];
            return [
              {
                code: "address-ends-in-0-or-255",
                severity: "warning" as const,
                subject: { kind: "address" as const, name: address.text },
                facts: { service: serviceKey(service), pool: pool.name, lanPrefix: site.lanPrefix },
                text: text`${serviceKey(service)} has ${address.text}: legal in ${site.lanPrefix}, dropped by some routers and clients`,
                remedy: text`Move it by ${code("metallb.io/loadBalancerIPs")} first; ${code("avoidBuggyIPs")} alone re-addresses it at once`,
              },
            ];
          }),
        ),
    );
  },
});
