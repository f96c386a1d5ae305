import { homesIn } from "../node-network/dual-homed.ts";
import { sysctlPlan } from "../node-network/sysctl-fix.ts";
import { inForce } from "../probes/node-arp-sysctls.ts";
import { code, join, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";
import { defineFix } from "./fix.ts";

export const arpFlux = defineCheck({
  id: "arp-flux",
  about: "node",
  title: "Each interface answers ARP for its own addresses alone",
  codes: ["arp-flux", "arp-flux-source"],
  page: {
    why: `By default the kernel answers an ARP question for any address of the node on any interface that hears it. A
node with two interfaces in one segment then answers for its InternalIP with both MACs (ARP flux). \`arp_ignore=1\` keeps
each interface to its own addresses, \`arp_announce=2\` keeps it from asking in the name of the other one, and
\`arp_filter=1\` answers only where the route back goes. None of them stops a MetalLB speaker, which answers by itself.
Whether kube-proxy in IPVS mode makes a node answer for every Service is the question of \`ipvs-strict-arp\`.`,
    looks: `The neighbour tables of other nodes and of the router show now one, now the other MAC for one node address.
\`/arping\` on the node's own address is answered twice. Sessions to the node hang when the wrong interface goes down.`,
    fix: `Take the second interface out of the segment; that ends the cause. Until then \`arp_ignore=1\` and
\`arp_announce=2\` for \`all\` cure the kernel's part: \`/nodes fix NODE arp-flux\` prints the change with its way back.`,
  },
  fix: defineFix({
    needs: ["ip-addr", "arp-sysctls"],
    reads: [],
    plan: ({ node, "ip-addr": nics, "arp-sysctls": sysctls }, { site }) => {
      if (homesIn(nics, site).length < 2)
        return { kind: "nothing-to-do", because: "not more than one interface is in the segment" };
      const values = { arp_ignore: 1, arp_announce: 2 };
      return {
        kind: "plan",
        plans: [sysctlPlan({ node, check: "arp-flux", name: "arp", values, sysctls })],
      };
    },
  }),
  common: "answer for one address with two MACs",
  needs: ["ip-addr", "arp-sysctls"],
  reads: [],
  judge: ({ node, "ip-addr": nics, "arp-sysctls": sysctls }, { site }) => {
    const homes = homesIn(nics, site);
    if (homes.length < 2) return skipped("not more than one interface in the segment");
    const values = homes.map(({ name: nic }) => ({
      nic,
      ignore: inForce(sysctls, nic, "arp_ignore"),
      announce: inForce(sysctls, nic, "arp_announce"),
      filter: inForce(sysctls, nic, "arp_filter"),
    }));
    const untold = values.find(({ ignore, announce, filter }) =>
      [ignore, announce, filter].includes(undefined),
    );
    if (untold !== undefined)
      return unknown({
        kind: "unreadable",
        what: `kernel settings of ${node}`,
        detail: `no arp_ignore, arp_announce or arp_filter for ${untold.nic}`,
      });
    // 1, 2 and 8 restrict an interface to its own addresses or to silence; 3 does so for other scopes only.
    const keeps = ({ ignore, filter }: (typeof values)[number]) =>
      filter === 1 || [1, 2, 8].includes(ignore ?? 0);
    const facts = {
      inForce: values.map(({ nic, ignore, announce, filter }) => ({
        nic,
        arp_ignore: ignore ?? null,
        arp_announce: announce ?? null,
        arp_filter: filter ?? null,
      })),
    };
    const remedy = text`Cure the kernel's part: ${code(`/nodes fix ${node} arp-flux`)}`;
    const loose = values.filter((each) => !keeps(each)).map(({ nic }) => nic);
    if (loose.length > 0)
      return judged([
        found({
          code: "arp-flux",
          severity: "warning",
          node,
          facts,
          text: text`${join(loose, " and ")} answer ARP for the addresses of the other interface too (arp_ignore and arp_filter are 0)`,
          remedy,
        }),
      ]);
    const asking = values
      .filter(({ announce, filter }) => filter !== 1 && (announce ?? 0) < 2)
      .map(({ nic }) => nic);
    return judged(
      asking.length === 0
        ? []
        : [
            found({
              code: "arp-flux-source",
              severity: "info",
              node,
              facts,
              text: text`${join(asking, " and ")} may ask by ARP in the name of the other interface (arp_announce is below 2)`,
              remedy,
            }),
          ],
    );
  },
});
