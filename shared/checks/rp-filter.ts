import { homeRoutes, homesIn } from "../node-network/dual-homed.ts";
import { sysctlPlan } from "../node-network/sysctl-fix.ts";
import { inForce } from "../probes/node-arp-sysctls.ts";
import { code, join, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";
import { defineFix } from "./fix.ts";

export const rpFilter = defineCheck({
  id: "rp-filter",
  about: "node",
  title: "Reverse path filtering does not drop what arrives on a second interface",
  codes: ["rp-filter"],
  page: {
    why: `With \`rp_filter=1\` the kernel drops a packet when its answer would leave by another interface. A node with
two interfaces in the segment has one route back into it, so whatever clients send to the other interface's MAC is dropped
without a word. In force is the larger of \`all\` and the interface's own value; 0 and 2 let it pass.`,
    looks: `ARP is answered and the MAC belongs to the node, yet connections time out for those clients that learnt the
second interface. Nothing is logged unless \`log_martians\` is on; \`nstat TcpExtIPReversePathFilter\` counts.`,
    fix: `Take the second interface out of the segment; that ends the cause. Until then \`rp_filter=2\` for \`all\` lets
the packets in, because 2 is larger than 1 and loose: \`/nodes fix NODE rp-filter\` prints it with its way back.`,
  },
  fix: defineFix({
    needs: ["ip-addr", "arp-sysctls"],
    reads: [],
    plan: ({ node, "ip-addr": nics, "arp-sysctls": sysctls }, { site }) => {
      const strict = homesIn(nics, site).filter(({ name }) => inForce(sysctls, name, "rp_filter") === 1);
      if (strict.length === 0)
        return { kind: "nothing-to-do", because: "rp_filter=1 is in force on no interface of the segment" };
      const values = { rp_filter: 2 };
      return {
        kind: "plan",
        plans: [sysctlPlan({ node, check: "rp-filter", name: "rp-filter", values, sysctls })],
      };
    },
  }),
  common: "drop what arrives on their second interface",
  needs: ["ip-addr", "arp-sysctls", "ip-routes"],
  reads: [],
  judge: ({ node, "ip-addr": nics, "arp-sysctls": sysctls, "ip-routes": routes }, { site }) => {
    const homes = homesIn(nics, site);
    if (homes.length < 2) return skipped("not more than one interface in the segment");
    const back = homeRoutes(homes, routes);
    const values = homes.map(({ name }) => ({ nic: name, value: inForce(sysctls, name, "rp_filter") }));
    // Of several equal routes back the kernel takes the first; that one alone is safe.
    const dropping = values.filter(({ nic, value }) => value === 1 && nic !== back[0]).map(({ nic }) => nic);
    if (dropping.length > 0)
      return judged([
        found({
          code: "rp-filter",
          severity: "warning",
          node,
          nic: dropping[0] as string,
          facts: {
            answersBy: back[0] ?? null,
            inForce: values.map(({ nic, value }) => ({ nic, value: value ?? null })),
          },
          text: text`rp_filter=1 drops what arrives on ${join(dropping, " and ")}: answers leave by ${back[0] ?? "no interface"}`,
          remedy: text`Let it in, or take ${join(dropping, ", ")} down: ${code(`/nodes fix ${node} rp-filter`)}`,
        }),
      ]);
    const untold = values.find(({ value }) => value === undefined);
    if (untold === undefined) return judged([]);
    const detail = `no rp_filter for ${untold.nic}`;
    return unknown({ kind: "unreadable", what: `kernel settings of ${node}`, detail });
  },
});
