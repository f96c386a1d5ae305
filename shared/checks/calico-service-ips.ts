import { calicoObjects } from "../calico/resources.ts";
import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { common, countOf, rangesOf, rangesText } from "../metallb/address-ranges.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, unknown } from "./check.ts";

export const calicoServiceIps = defineCheck({
  id: "calico-service-ips",
  about: "cluster",
  title: "Calico does not announce addresses that MetalLB announces by layer 2",
  codes: ["calico-service-ips"],
  page: {
    why: `\`serviceLoadBalancerIPs\` of a BGPConfiguration makes every Calico node tell its BGP peers a route to those
addresses. A router that learns it sends packets to any node and never asks by ARP: MetalLB's leader, its failover and the
interfaces that an advertisement names have no effect for whoever comes through that router, while hosts in the segment
still go by ARP. Two owners of one address also hide each other's faults.`,
    looks: `Clients behind the router reach an address after layer 2 has been switched off, or lose it when Calico's session
drops although \`/arping\` is well. \`externalTrafficPolicy: Local\` behaves differently from inside and outside the segment.`,
    fix: `Decide who announces. For layer 2: take the prefixes of the pool out of \`serviceLoadBalancerIPs\` after \`/arping\`
has shown that every address is answered and the router has the pool on its LAN. That withdraws the routes at once; adding
the entries again is the way back. For Calico's BGP: use MetalLB's controller alone, without an L2Advertisement for the pool.`,
  },
  needs: [],
  reads: ["ipaddresspools", "l2advertisements", "bgpconfigurations"],
  judge: (_, { objects, raw }) => {
    const configurations = calicoObjects("bgpconfigurations", raw.bgpconfigurations);
    if (isFault(configurations)) return unknown(configurations);
    const pools = objects.ipAddressPools.filter((pool) =>
      objects.l2Advertisements.some((ad) => selectsPool(ad, pool)),
    );
    return judged(
      configurations.flatMap(({ name, spec }) =>
        pools.flatMap((pool): Finding[] => {
          const prefixes = (spec.serviceLoadBalancerIPs ?? []).map(({ cidr }) => cidr);
          const ranges = rangesOf(pool.addresses);
          const both = common(ranges, rangesOf(prefixes));
          if (both.length === 0) return [];
          return [
            {
              code: "calico-service-ips",
              severity: "warning",
              subject: { kind: "pool", name: pool.name },
              facts: { bgpConfiguration: name, prefixes, both: rangesText(both) },
              text: text`Calico announces ${countOf(both)} of ${countOf(ranges)} addresses of pool ${pool.name} by BGP while MetalLB answers ARP for them`,
              remedy: text`See every address answer by ${code("/arping all")}, then take the prefix out of ${code("serviceLoadBalancerIPs")}`,
            },
          ];
        }),
      ),
    );
  },
});
