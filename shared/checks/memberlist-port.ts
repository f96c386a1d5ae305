import { speakerSettings } from "../metallb/speakers.ts";
import { memberlistPort } from "../probes/node-memberlist.ts";
import { join, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

export const memberlistPortCheck = defineCheck({
  id: "memberlist-port",
  about: "node",
  title: "The speakers of neighbours answer on TCP port 7946",
  codes: ["memberlist-refused", "memberlist-filtered", "memberlist-unreachable"],
  page: {
    why: `Speakers tell each other over port 7946, TCP and UDP, who is alive. A node whose port is blocked drops out of
the others' lists while it keeps its own: both sides elect, and two nodes answer for one address. Each node tries three
neighbours, the next ones by name, so that a single bad neighbour can be told from a bad node. Speakers gossip over UDP,
which no connection attempt proves: a firewall that opens TCP alone passes this check. Their logs tell ("partial join",
"Suspect ... has failed").`,
    looks: `\`/arping\` reports two nodes for one address. After a node dies nothing takes over. Speakers log that a
member is suspected or was refuted.`,
    fix: `Open TCP and UDP 7946 between all nodes, in the host firewall and in every network policy for host
endpoints. \`refused\` means that the packet arrives and nobody listens: the speaker is down or another program holds the
port (\`ss -lntup | grep 7946\`). \`filtered\` means that something drops it. To go back, remove the rule again.`,
  },
  needs: ["memberlist-tcp"],
  reads: ["pods", "daemonsets"],
  judge: ({ node, "memberlist-tcp": ports }, { objects }) => {
    const { memberlist, speakerNodes } = speakerSettings(objects);
    if (memberlist === "off") return skipped("memberlist is off: speakers do not listen on the port");
    if (speakerNodes === undefined)
      return unknown({
        kind: "unreadable",
        what: "speaker pods",
        detail: "none is among the pods of the cluster",
      });
    if (!speakerNodes.includes(node)) return skipped("no speaker runs here");
    // Nobody listens where no speaker runs, and that is right.
    const tried = ports.filter((each) => speakerNodes.includes(each.node));
    if (tried.length === 0) return skipped("no neighbour with a speaker to try");
    const findings = (["filtered", "refused", "unreachable"] as const).flatMap((state) => {
      const bad = tried.filter(({ port }) => port.ok && port.evidence === state).map((each) => each.node);
      if (bad.length === 0) return [];
      const said = {
        filtered: "does not answer",
        refused: "is refused",
        unreachable: "cannot be reached",
      }[state];
      return [
        found({
          code: `memberlist-${state}`,
          severity: "error",
          node,
          facts: {
            port: memberlistPort,
            state,
            neighbours: bad,
            tried: tried.map((each) => each.node),
            udp: "not tried",
          },
          text: text`port ${memberlistPort} of ${join(bad, ", ")} ${said} from here (TCP, ${bad.length} of ${tried.length} tried; UDP cannot be tried)`,
          remedy:
            state === "refused"
              ? text`See whether the speaker of ${join(bad, ", ")} runs and listens`
              : text`Open TCP and UDP ${memberlistPort} between ${node} and ${join(bad, ", ")}`,
        }),
      ];
    });
    if (findings.length > 0) return judged(findings);
    const fault = tried.flatMap(({ port }) => (port.ok ? [] : [port.fault]))[0];
    return fault === undefined ? judged([]) : unknown(fault);
  },
});
