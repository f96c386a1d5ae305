import { noNodeObject } from "../metallb/own-objects.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, passed, unknown } from "./check.ts";

export const networkUnavailable = defineCheck({
  id: "network-unavailable",
  about: "node",
  title: "No node is marked NetworkUnavailable",
  codes: ["network-unavailable"],
  page: {
    why: `A network plugin marks a node NetworkUnavailable while its network is not set up; calico-node does so whenever
it stops. MetalLB (0.13.10 and newer) does not let such a node announce anything, and the scheduler keeps pods away. A
condition that nobody takes back keeps a sound node out of every election.`,
    looks: `Addresses that this node announced have moved to others although it is Ready. \`kubectl describe node\` shows
the taint \`node.kubernetes.io/network-unavailable\`. During a roll-out of calico-node the addresses wander from node to
node.`,
    fix: `Look at the network plugin's pod on that node first: the condition goes when it is ready again. If that pod is
well and the condition stays, restart that one pod. Do not edit the condition by hand: the plugin would write it again, or
MetalLB would elect a node whose pods nobody reaches.`,
  },
  needs: [],
  reads: ["nodes"],
  judge: ({ node }, { objects }) => {
    const object = objects.nodes.find(({ name }) => name === node);
    if (object === undefined) return unknown(noNodeObject(node));
    const status = object.conditions.find(({ type }) => type === "NetworkUnavailable")?.status;
    if (status !== "True") return passed;
    return judged([
      found({
        code: "network-unavailable",
        severity: "error",
        node,
        facts: { condition: "NetworkUnavailable", status },
        text: text`NetworkUnavailable is True: MetalLB elects this node for nothing`,
        remedy: text`Look at the network plugin's pod on ${node}: ${code("/nodes explain network-unavailable")}`,
      }),
    ]);
  },
});
