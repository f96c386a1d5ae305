import { isFault } from "../../fault.ts";
import type { Json } from "../../json.ts";
import type { Listed } from "../../kubernetes/read.ts";
import { nameList } from "../../name-list.ts";
import { nearest } from "../../nearest.ts";
import { code, type Text, text } from "../../text.ts";
import type { Diagnosis, Seen } from "../diagnosis.ts";
import { concludeLost, nodeLostCodes } from "../node/conclude-lost.ts";
import { gatherLost, type LostEvidence, lostKinds } from "../node/gather-lost.ts";
import { lostLinks, whereabouts } from "../node/judge-lost.ts";
import { knocked, type Signs, signsOf } from "../node/signs.ts";
import { recentChanges } from "../recent-changes.ts";
import type { DiagnosePorts, IncidentRunbook, NoSuch } from "../runbook.ts";

/** Undefined when the word may be a node: the API lists it, the config does, or neither could say. */
export function noSuchNode(
  word: string,
  listed: Listed | undefined,
  ports: DiagnosePorts,
): NoSuch | undefined {
  const fromConfig = ports.config.nodes.map(({ name }) => name);
  if (listed === undefined || isFault(listed) || listed.length === 0) return undefined;
  const known = [...new Set([...listed.map(({ metadata }) => metadata.name), ...fromConfig])].sort();
  if (known.includes(word)) return undefined;
  const near = nearest(word, known);
  return {
    noSuch: text`No node ${code(word)} on ${ports.config.name}.${near === undefined ? "" : text` Nearest: ${code(near)}.`}`,
    next: [text`Nodes: ${nameList(known)}`, text`All: ${code("/nodes list")}`],
  };
}

const seenFrom = ({ outside, arp, node }: LostEvidence): readonly Seen[] => {
  const seen = outside.map(({ vantage, ...rest }): Seen => {
    const life = knocked({ vantage, ...rest });
    const words: Readonly<Record<typeof life, Text>> = {
      yes: text`${node} answers`,
      no: text`${node} answers neither ping nor TCP 22`,
      unseen: text`could not look`,
    };
    return { vantage: vantage.name, place: vantage.place, clusterNode: false, text: words[life] };
  });
  if (isFault(arp)) return seen;
  const { vantage, macs } = arp;
  return [
    ...seen,
    {
      vantage: vantage.name,
      place: vantage.place,
      clusterNode: vantage.clusterNode !== undefined,
      text:
        macs.length === 0
          ? text`nobody answers ARP for ${node}`
          : text`${macs.join(" and ")} answers ARP for ${node}`,
    },
  ];
};

function factsOf(evidence: LostEvidence, signs: Signs): Readonly<Record<string, Json>> {
  const { state, election, addresses, unasked } = evidence;
  const known = isFault(state) || state === "absent" ? undefined : state;
  return {
    signs: { ...signs },
    internalIp: known?.internalIp ?? null,
    notReadySince: signs.ready === "True" ? null : (known?.ready?.since ?? null),
    memberlist: isFault(election) ? null : election.memberlist,
    addresses: [
      ...addresses.map((each) => ({
        ip: each.carried.ip,
        service: each.carried.service,
        next: each.carried.next ?? null,
        now: { ...whereabouts(each) },
      })),
      ...unasked.map(({ ip, service, next }) => ({ ip, service, next: next ?? null, now: null })),
    ],
    pods: evidence.surroundings.objects.pods
      .filter((pod) => pod.nodeName === evidence.node)
      .map(({ namespace, name, ready }) => ({ pod: `${namespace}/${name}`, ready: ready ?? null })),
  };
}

/** Is a node really gone, what went with it, and where did its addresses go. */
export const nodeLost: IncidentRunbook = {
  id: "node-lost",
  title: "A node is lost",
  summary: text`Whether a node is really gone (API, ARP, ping, SSH), and what became of its addresses and pods.`,
  argument: { usage: "NODE", kinds: ["node"], example: "karstark" },
  codes: nodeLostCodes,
  diagnose: async (ports, word, options) => {
    const startedAt = ports.clock.now();
    options.show(["reading the cluster"]);
    const lists = await ports.read(lostKinds, options.signal);
    const stranger = noSuchNode(word, lists.nodes, ports);
    if (stranger !== undefined) return stranger;
    const evidence = await gatherLost(ports, word, lists, options);
    const signs = signsOf(evidence);
    const changes = await recentChanges(ports, evidence.lists);
    const ip = isFault(evidence.state) || evidence.state === "absent" ? undefined : evidence.state.internalIp;
    const diagnosis: Diagnosis = {
      runbook: "node-lost",
      subject: { kind: "node", name: word },
      title: ip === undefined ? word : `${word} · ${ip}`,
      links: lostLinks(evidence, signs),
      conclusion: concludeLost(evidence, signs),
      findings: [],
      seen: seenFrom(evidence),
      ...changes,
      startedAt,
      endedAt: ports.clock.now(),
      facts: factsOf(evidence, signs),
    };
    return diagnosis;
  },
  steps: [
    { id: "diagnose", title: "Is it really gone", kind: "diagnose" },
    {
      id: "look",
      title: "Look at the machine",
      kind: "manual",
      instruction: text`Look at power, link lights and console of the node. Say ${code("next")} when you have changed something.`,
      timeoutSeconds: 1_800,
    },
    { id: "again", title: "Look again", kind: "diagnose" },
  ],
};
