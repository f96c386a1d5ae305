import type { Finding } from "../finding.ts";
import { isIn, rangesOf } from "../metallb/address-ranges.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { parseIp } from "../metallb/ip.ts";
import { ownObjects } from "../metallb/own-objects.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged } from "./check.ts";

export const poolNotAdvertised = defineCheck({
  id: "pool-not-advertised",
  about: "cluster",
  title: "Every pool is selected by an advertisement",
  codes: ["pool-not-advertised", "pool-only-by-bgp"],
  page: {
    why: `A pool only says which addresses may be given to Services. Without an L2Advertisement or BGPAdvertisement that
selects it MetalLB assigns addresses and announces none. A Helm release that sets pools and advertisements in its values
does not make either: the chart has no such values and says nothing about it. A pool selected by a BGPAdvertisement alone
is silent on the segment, which is right as long as a router speaks BGP with the cluster.`,
    looks: `Services show an EXTERNAL-IP, \`/arping\` hears nothing, no \`nodeAssigned\` event and no error anywhere.`,
    fix: `Create an L2Advertisement that names the pool and the LAN interface. That takes nothing from any other pool, and
deleting it is the way back. Before a BGPAdvertisement is replaced: create the L2Advertisement first and see it answer.`,
  },
  needs: [],
  reads: ["pods", "daemonsets", "services", "ipaddresspools", "l2advertisements", "bgpadvertisements"],
  judge: (_, { objects }) => {
    const own = ownObjects(objects);
    const assigned = objects.services
      .filter(({ type }) => type === "LoadBalancer")
      .flatMap(({ ingress }) =>
        ingress.flatMap(({ ip }) => {
          const read = ip === undefined ? undefined : parseIp(ip);
          return read === undefined ? [] : [read];
        }),
      );
    return judged(
      own.pools.flatMap((pool): Finding[] => {
        if (own.l2.some((ad) => selectsPool(ad, pool))) return [];
        const bgp = own.bgp.filter((ad) => selectsPool(ad, pool)).map(({ name }) => name);
        const ranges = rangesOf(pool.addresses);
        const used = assigned.filter((ip) => isIn(ip, ranges)).length;
        const inUse = `${used} ${used === 1 ? "address" : "addresses"} in use`;
        const facts = { addressesInUse: used, bgpAdvertisements: bgp };
        const subject = { kind: "pool", name: pool.name } as const;
        if (bgp.length > 0)
          return [
            {
              code: "pool-only-by-bgp",
              severity: "info",
              subject,
              facts,
              text: text`pool ${pool.name} is announced by BGP only (${inUse}): nobody answers ARP for it`,
            },
          ];
        return [
          {
            code: "pool-not-advertised",
            severity: used > 0 ? "error" : "warning",
            subject,
            facts,
            text: text`no advertisement selects pool ${pool.name} (${inUse}): nobody announces its addresses`,
            remedy: text`Create an L2Advertisement with ${code(`ipAddressPools: [${pool.name}]`)} and the LAN interface`,
          },
        ];
      }),
    );
  },
});
