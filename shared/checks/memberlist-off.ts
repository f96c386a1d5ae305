import { ownObjects } from "../metallb/own-objects.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, passed, skipped, unknown } from "./check.ts";

export const memberlistOff = defineCheck({
  id: "memberlist-off",
  about: "cluster",
  title: "Speakers notice by memberlist when another one dies",
  codes: ["memberlist-off"],
  page: {
    why: `Speakers find out about each other by memberlist, which runs when both METALLB_ML_BIND_ADDR and
METALLB_ML_LABELS are set, as in every manifest and chart that MetalLB ships. Without it nobody notices a dead node:
an address with policy Cluster stays with it until its Node object is deleted. Releases 0.14.x announce nothing at all
without it.`,
    looks: `A node loses power and its addresses are silent for as long as it is off, while \`kubectl get nodes\` has shown
NotReady for hours. Nothing moves until somebody deletes the Node.`,
    fix: `Set \`speaker.memberlist.enabled: true\` in the Helm values, or put both variables back into the DaemonSet, with
the Secret for its key. The speakers roll, so addresses move once each. Port 7946 TCP and UDP must be open between all
nodes before that, or each speaker elects itself. The old values are the way back. Until then: delete the Node object of a
node that will not come back.`,
  },
  needs: [],
  reads: ["pods", "daemonsets"],
  judge: (_, { cluster, objects }) => {
    const { speakers } = ownObjects(objects);
    if (speakers.namespace === undefined) return skipped("no MetalLB speaker in the cluster");
    if (speakers.memberlist === "on") return passed;
    if (speakers.memberlist === undefined)
      return unknown({
        kind: "unreadable",
        what: "environment of the speakers",
        detail: "it names neither memberlist's variables nor METALLB_NODE_NAME, so it is not whole",
      });
    return judged([
      {
        code: "memberlist-off",
        severity: "error",
        subject: { kind: "cluster", name: cluster },
        facts: { version: speakers.version ?? null },
        text: text`memberlist is off: addresses stay with a dead node until its Node object is deleted`,
        remedy: text`Open port 7946 between nodes, then set ${code("speaker.memberlist.enabled: true")}`,
      },
    ]);
  },
});
