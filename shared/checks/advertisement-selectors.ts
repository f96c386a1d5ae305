import type { Finding, Severity } from "../finding.ts";
import { ownObjects } from "../metallb/own-objects.ts";
import { anyMatches, type LabelSelector, selectorFault } from "../metallb/selectors.ts";
import { nameList } from "../name-list.ts";
import { code, type Text, text } from "../text.ts";
import { defineCheck, judged } from "./check.ts";

const hasStar = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.values(matchLabels).includes("*") || matchExpressions.some(({ values }) => values.includes("*"));

export const advertisementSelectors = defineCheck({
  id: "advertisement-selectors",
  about: "cluster",
  title: "Every selector of an advertisement is legal and selects something",
  codes: ["illegal-selector", "selector-matches-nothing", "pool-name-unknown"],
  page: {
    why: `A selector that matches nothing selects nothing, and a pool's name that does not exist is passed over without an
error. Worse is one that Kubernetes cannot use: \`*\` is no wildcard and not even a legal label value. MetalLB's webhook
refuses such an object; where the webhook is off, every speaker rejects the whole configuration, all kinds of it, goes on
with the one it has in memory, and announces nothing after its next start.`,
    looks: `\`nodeSelectors\` "do not take effect": nobody announces, or others do. With an illegal selector all is well
until a speaker restarts; then its addresses fall silent. ConfigurationState says Invalid, the speakers log
\`failed to parse the configuration\`.`,
    fix: `For every node leave \`nodeSelectors\` out, or use \`matchExpressions\` with operator Exists. Compare the labels
with \`kubectl get nodes --show-labels\`: they match exactly or not at all. Correct an illegal selector before any speaker
restarts. \`kubectl apply --dry-run=server\` asks the webhook without writing.`,
  },
  needs: [],
  reads: ["nodes", "pods", "daemonsets", "ipaddresspools", "l2advertisements", "bgpadvertisements"],
  judge: (_, { objects }) => {
    const own = ownObjects(objects);
    const findings: Finding[] = [];
    const poolNames = own.pools.map(({ name }) => name);
    const advertisements = [
      ...own.l2.map((ad) => ({ kind: "L2Advertisement", ad })),
      ...own.bgp.map((ad) => ({ kind: "BGPAdvertisement", ad })),
    ];
    for (const { kind, ad } of advertisements) {
      const tell = (
        what: string,
        severity: Severity,
        field: string,
        detail: string,
        said: Text,
        remedy: Text,
      ): void => {
        findings.push({
          code: what,
          severity,
          subject: { kind: "config", name: `${ad.namespace}/${ad.name}` },
          facts: { kind, field, detail },
          text: said,
          remedy,
        });
      };
      const fields = ["nodeSelectors", "ipAddressPoolSelectors", "serviceSelectors"] as const;
      let legal = true;
      for (const field of fields)
        for (const selector of ad[field]) {
          const fault = selectorFault(selector);
          if (fault === undefined) continue;
          legal = false;
          tell(
            "illegal-selector",
            "error",
            field,
            fault,
            hasStar(selector)
              ? text`${kind} ${ad.name}: ${code("*")} in ${field} is no wildcard and no legal value; speakers reject the whole configuration`
              : text`${kind} ${ad.name}: a selector in ${field} is illegal; speakers reject the whole configuration`,
            field === "nodeSelectors"
              ? text`Leave ${field} out to select every node, before any speaker restarts`
              : text`Correct ${field} before any speaker restarts`,
          );
        }
      if (!legal) continue;
      if (
        ad.nodeSelectors.length > 0 &&
        !objects.nodes.some(({ labels }) => anyMatches(ad.nodeSelectors, labels))
      )
        tell(
          "selector-matches-nothing",
          "error",
          "nodeSelectors",
          `none of ${objects.nodes.length} nodes`,
          text`${kind} ${ad.name}: nodeSelectors match none of ${objects.nodes.length} nodes, so it announces nothing`,
          text`Compare with ${code("kubectl get nodes --show-labels")}; labels match exactly or not at all`,
        );
      if (
        ad.ipAddressPoolSelectors.length > 0 &&
        !own.pools.some(({ labels }) => anyMatches(ad.ipAddressPoolSelectors, labels))
      )
        tell(
          "selector-matches-nothing",
          "warning",
          "ipAddressPoolSelectors",
          `none of ${own.pools.length} pools`,
          text`${kind} ${ad.name}: ipAddressPoolSelectors match none of ${own.pools.length} pools`,
          text`Compare with ${code("kubectl get ipaddresspools -A --show-labels")}, or name the pool`,
        );
      const strange = ad.ipAddressPools.filter((name) => !poolNames.includes(name));
      if (strange.length > 0)
        tell(
          "pool-name-unknown",
          "warning",
          "ipAddressPools",
          strange.join(", "),
          text`${kind} ${ad.name} names ${nameList(strange)}, and there is no such pool`,
          text`Correct the name, or take it out if the pool is gone for good`,
        );
    }
    return judged(findings);
  },
});
