import { predict } from "../metallb/announcer.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

export const leaderNotReady = defineCheck({
  id: "leader-not-ready",
  about: "cluster",
  title: "No node that is NotReady is elected for an address",
  codes: ["leader-not-ready"],
  page: {
    why: `The election does not look at the Ready condition. With memberlist a node drops out when its speaker stops
answering the others. Without memberlist every node that has a Node object stands for election, also one that lost power a
week ago: it wins its share of addresses and answers for none of them.`,
    looks: `The same addresses are silent all the time and restarting speakers does not help. \`kubectl get nodes\` shows a
node NotReady; \`/nodes impact\` names it as announcer.`,
    fix: `If the node comes back, bring it back. If it does not, delete its Node object: the election is run again without
it, and a node that returns later registers anew. Meanwhile the label
\`node.kubernetes.io/exclude-from-external-load-balancers\` takes it out of every election and is undone by removing it.
See to it that memberlist runs.`,
  },
  needs: [],
  reads: ["nodes", "pods", "daemonsets", "services", "endpointslices", "ipaddresspools", "l2advertisements"],
  judge: (_, { objects }) => {
    const notReady = objects.nodes
      .filter(({ conditions }) =>
        conditions.some(({ type, status }) => type === "Ready" && status !== "True"),
      )
      .map(({ name }) => name);
    if (notReady.length === 0) return judged([]);
    const { addresses, assumed } = predict(objects);
    const invalid = addresses.find(({ configError }) => configError !== undefined)?.configError;
    if (invalid !== undefined)
      return unknown({ kind: "not-modelled", what: "election", detail: `MetalLB rejects: ${invalid}` });
    if (addresses.length === 0) return skipped("no Service has an address");
    return judged(
      notReady.flatMap((node) => {
        const led = [...new Set(addresses.filter(({ order }) => order[0] === node).map(({ ip }) => ip))];
        if (led.length === 0) return [];
        const off = assumed.memberlist === "off";
        return [
          found({
            code: "leader-not-ready",
            severity: off ? "error" : "warning",
            node,
            facts: { addresses: led, memberlist: String(assumed.memberlist) },
            text: text`${node} is not Ready and elected for ${nameList(led)}${off ? "; without memberlist nobody takes over" : ""}`,
            remedy: text`Label it ${code("node.kubernetes.io/exclude-from-external-load-balancers")} until it is back; delete the Node if it never is`,
          }),
        ];
      }),
    );
  },
});
