import { isFault } from "../../fault.ts";
import { code, text } from "../../text.ts";
import type { Diagnosis } from "../diagnosis.ts";
import { concludeNew, newNodeCodes } from "../node/conclude-new.ts";
import { gatherNew, newKinds } from "../node/gather-new.ts";
import { newLinks } from "../node/judge-new.ts";
import { recentChanges } from "../recent-changes.ts";
import type { IncidentRunbook } from "../runbook.ts";
import { noSuchNode } from "./node-lost.ts";

/** Every check of one node, and what MetalLB hands it as soon as its speaker is up. */
export const newNode: IncidentRunbook = {
  id: "new-node",
  title: "A new node",
  summary: text`Whether a node that joins is fit to announce, and which addresses MetalLB would hand it.`,
  argument: { usage: "NODE", kinds: ["node"], example: "karstark" },
  codes: newNodeCodes,
  diagnose: async (ports, word, options) => {
    const startedAt = ports.clock.now();
    options.show(["reading the cluster"]);
    const lists = await ports.read(newKinds, options.signal);
    const stranger = noSuchNode(word, lists.nodes, ports);
    if (stranger !== undefined) return stranger;
    const evidence = await gatherNew(ports, word, lists, options);
    const links = newLinks(evidence);
    const { state, election } = evidence;
    const ip = isFault(state) || state === "absent" ? undefined : state.internalIp;
    const diagnosis: Diagnosis = {
      runbook: "new-node",
      subject: { kind: "node", name: word },
      title: ip === undefined ? word : `${word} · ${ip}`,
      links,
      conclusion: concludeNew(evidence, links),
      findings: [],
      seen: [],
      ...(await recentChanges(ports, lists)),
      startedAt,
      endedAt: ports.clock.now(),
      facts: {
        internalIp: ip ?? null,
        checks: evidence.results.map(({ check, outcome }) => ({ check, outcome })),
        addresses: isFault(election)
          ? null
          : election.carried.map((each) => ({
              ip: each.ip,
              service: each.service,
              from: evidence.holder(each) ?? null,
              next: each.next ?? null,
            })),
      },
    };
    return diagnosis;
  },
  steps: [
    { id: "diagnose", title: "Is it fit to announce", kind: "diagnose" },
    {
      id: "mend",
      title: "Mend what fails",
      kind: "manual",
      instruction: text`Fixes are runs of their own: ${code("/nodes fix NODE CHECK --apply")}. Say ${code("next")} when they are done.`,
      timeoutSeconds: 3_600,
    },
    { id: "again", title: "Look again", kind: "diagnose" },
  ],
};
