import { utcTime } from "../../changes/utc-time.ts";
import { type Fault, isFault } from "../../fault.ts";
import type { Finding, Severity, Subject } from "../../finding.ts";
import type { Json } from "../../json.ts";
import { serviceKey } from "../../metallb/resources.ts";
import { nameList } from "../../name-list.ts";
import { counted } from "../../report/wording.ts";
import { code, type Text, text } from "../../text.ts";
import { lasted } from "../lasted.ts";
import type { Link } from "../link.ts";
import { broken, holds, skipped, unseen } from "../make-link.ts";
import type { LostEvidence } from "./gather-lost.ts";
import { internalIp, knocked, lanNic, type Signs } from "./signs.ts";

export const found = (
  name: string,
  severity: Severity,
  subject: Subject,
  words: Text,
  more: Readonly<{ remedy?: Text; facts?: Readonly<Record<string, Json>> }> = {},
): Finding => ({
  code: name,
  severity,
  subject,
  facts: more.facts ?? {},
  text: words,
  ...(more.remedy === undefined ? {} : { remedy: more.remedy }),
});

const api = "Kubernetes API";

function objectLink({ node, state }: LostEvidence): Link {
  const head = { id: "node-object", title: "The cluster has a Node of that name", from: api };
  if (isFault(state)) return unseen(head, state);
  if (state === "absent") {
    const words = text`the API lists other nodes, and none called ${code(node)}`;
    return broken(head, words, [found("node-object-missing", "error", { kind: "node", name: node }, words)]);
  }
  return holds(
    head,
    text`InternalIP ${state.internalIp ?? "none"}${state.cordoned ? ", cordoned" : ""}${
      state.deleting === undefined ? "" : ", being deleted"
    }`,
  );
}

/** "since 14:02:11 UTC, 3 min 4 s ago": the moment Kubernetes gave up, which is later than the node's last word. */
export function sinceWords(evidence: LostEvidence): string {
  const { state, now } = evidence;
  const since = isFault(state) || state === "absent" ? undefined : state.ready?.since;
  return since === undefined
    ? "since an unknown time"
    : `since ${utcTime(since, now)}, for ${lasted(now - since)}`;
}

function readyLink(evidence: LostEvidence, signs: Signs): Link {
  const { node, state } = evidence;
  const head = { id: "node-ready", title: "Kubernetes calls the node Ready", from: api };
  if (isFault(state)) return unseen(head, state);
  if (state === "absent") return skipped(head, text`there is no Node to ask about`);
  if (state.ready === undefined)
    return unseen(head, { kind: "unreadable", what: `Node ${node}`, detail: "it has no Ready condition" });
  const { status, reason, message } = state.ready;
  if (signs.ready === "True") return holds(head, text`${reason || "Ready"}, ${sinceWords(evidence)}`);
  const late =
    status === "Unknown"
      ? "; kubelet sent its last word up to a minute before (Kubernetes waits 40 to 50 s)"
      : "";
  const words = text`Ready is ${status} (${reason || "no reason given"}) ${sinceWords(evidence)}${late}`;
  return broken(
    head,
    words,
    [
      found("node-not-ready", "error", { kind: "node", name: node }, words, {
        facts: { status, reason, message, since: state.ready.since ?? null },
      }),
    ],
    { title: "What kubelet said last", lines: [message || "nothing"] },
  );
}

function arpLink(evidence: LostEvidence, signs: Signs): Link {
  const { arp, node } = evidence;
  const ip = internalIp(evidence);
  const head = { id: "arp", title: "Its InternalIP answers ARP" };
  if (isFault(arp)) return unseen(head, arp);
  const placed = { ...head, from: `${arp.vantage.name} (${arp.vantage.place})` };
  const asked = `${counted(arp.sent, "broadcast")} for ${ip ?? "it"}`;
  if (signs.arp === "yes") {
    const [mac = "", ...more] = arp.macs;
    const owner = evidence.surroundings.table.ownerOf(mac);
    const other = owner.kind === "node" && owner.owner.node !== node ? owner.owner.node : undefined;
    const words =
      other === undefined
        ? text`${arp.macs.join(" and ")} answered ${asked}${owner.kind === "could-be" ? "; whether that is its own cannot be told while it is not read" : ""}`
        : text`${other} answered ${asked} (${mac})`;
    return other === undefined && more.length === 0
      ? holds(placed, words)
      : broken(placed, words, [
          found("node-address-elsewhere", "error", { kind: "address", name: ip ?? "" }, words, {
            facts: { macs: arp.macs, node: other ?? null },
          }),
        ]);
  }
  if (!signs.arpProven)
    return unseen(placed, {
      kind: "unreadable",
      what: `ARP from ${arp.vantage.name}`,
      detail:
        arp.control === undefined
          ? `nobody answered ${asked}, and there is no other node to compare it with`
          : `nobody answered ${asked}, nor for ${arp.control.node}: the vantage hears nobody`,
    });
  const words = text`nobody answered ${asked}; ${arp.control?.node ?? ""} answered the same vantage`;
  return broken(placed, words, [found("node-silent-arp", "error", { kind: "node", name: node }, words)]);
}

const hopWords = (each: LostEvidence["outside"][number]): string => {
  const ping = !each.ping.ok
    ? `ping: could not look (${each.ping.fault.detail})`
    : each.ping.evidence.kind === "answer"
      ? "ping answered"
      : `ping: ${each.ping.evidence.kind === "silence" ? "no answer in 1 s" : each.ping.evidence.kind}`;
  const ssh = each.ssh.ok
    ? `TCP 22: ${each.ssh.evidence}`
    : `TCP 22: could not look (${each.ssh.fault.detail})`;
  return `${ping}, ${ssh}`;
};

function outsideLink(evidence: LostEvidence, signs: Signs): Link {
  const head = { id: "outside", title: "Its InternalIP answers from outside the cluster" };
  const { outside, node } = evidence;
  const fault: Fault = {
    kind: "not-configured",
    what: "vantage",
    detail:
      internalIp(evidence) === undefined
        ? "the node's InternalIP is not known"
        : "none outside the cluster is configured, or none could look",
  };
  const lines = outside.map((each) => `${each.vantage.name} (${each.vantage.place})  ${hopWords(each)}`);
  const evidenceOf = { title: `Ping and TCP 22 to ${internalIp(evidence) ?? "it"}`, lines };
  if (signs.ip === "unseen") return unseen(head, fault, evidenceOf);
  const yes = outside.filter((each) => knocked(each) === "yes").map(({ vantage }) => vantage.name);
  const no = outside.filter((each) => knocked(each) === "no").map(({ vantage }) => vantage.name);
  if (no.length === 0) return holds(head, text`seen from ${nameList(yes)}`, { evidence: evidenceOf });
  const words =
    yes.length === 0
      ? text`neither ping nor TCP 22 is answered, asked from ${nameList(no)}`
      : text`${nameList(yes)} gets an answer, ${nameList(no)} gets none`;
  return broken(
    head,
    words,
    [
      found(
        yes.length === 0 ? "node-silent" : "node-reached-from-some",
        yes.length === 0 ? "error" : "warning",
        { kind: "node", name: node },
        words,
      ),
    ],
    evidenceOf,
  );
}

function sshLink({ node, ssh }: LostEvidence, signs: Signs): Link {
  const head = { id: "ssh", title: "It answers SSH", from: "here" };
  if (ssh.ok) return holds(head, text`a command ran over the pinned host key`);
  const said = text`${ssh.fault.kind}: ${ssh.fault.detail}`;
  const subject = { kind: "node", name: node } as const;
  if (signs.ssh === "other-key")
    return broken(head, said, [
      found(
        "host-key-changed",
        "error",
        subject,
        text`another SSH host key than the pinned one: ${ssh.fault.detail}`,
        {
          remedy: text`Compare it on the node's console: ${code("/nodes explain host-key-changed")}`,
        },
      ),
    ]);
  if (signs.ssh === "silent") return broken(head, said, [found("ssh-silent", "error", subject, said)]);
  return unseen(head, ssh.fault);
}

function lanLink(evidence: LostEvidence, signs: Signs): Link {
  const head = { id: "lan-link", title: "Its LAN interface has a link", from: `ssh to ${evidence.node}` };
  if (!evidence.ssh.ok) return unseen(head, evidence.ssh.fault);
  const nic = lanNic(evidence);
  const ip = internalIp(evidence);
  if (nic === undefined) {
    if (ip === undefined) return skipped(head, text`its InternalIP is not known`);
    const words = text`none of its interfaces has the InternalIP ${ip}`;
    return broken(head, words, [
      found("internal-ip-absent", "error", { kind: "node", name: evidence.node }, words),
    ]);
  }
  if (signs.link === "up") return holds(head, text`${nic.name} has ${ip ?? ""} and a carrier`);
  const words = text`${nic.name}, which has ${ip ?? "its InternalIP"}, ${nic.up ? "has no carrier" : "is down"}`;
  return broken(head, words, [
    found("lan-link-down", "error", { kind: "nic", name: `${evidence.node}/${nic.name}` }, words),
  ]);
}

function speakerLink({ node, surroundings }: LostEvidence, signs: Signs): Link {
  const head = { id: "speaker", title: "Its MetalLB speaker runs", from: api };
  if (signs.speaker === "unseen")
    return unseen(
      head,
      surroundings.faults.get("pods") ?? {
        kind: "not-configured",
        what: "speakers",
        detail: "no speaker Pod is in the cluster",
      },
    );
  if (signs.speaker === "runs") return holds(head, text`its Pod is Ready`);
  const words = text`no speaker Pod is Ready on ${node}`;
  return broken(head, words, [found("speaker-down", "error", { kind: "node", name: node }, words)]);
}

/** Where one carried address is now: the wire's word, or that nobody could tell. */
export type Whereabouts =
  | Readonly<{ kind: "with"; node: string }>
  | Readonly<{ kind: "nobody" }>
  | Readonly<{ kind: "several"; nodes: readonly string[] }>
  | Readonly<{ kind: "stranger"; mac: string }>
  | Readonly<{ kind: "untold"; detail: string }>;

export function whereabouts({ seen }: LostEvidence["addresses"][number]): Whereabouts {
  const { wire } = seen.evidence;
  if (wire.kind === "not-looked") return { kind: "untold", detail: wire.fault.detail };
  const { answers, code: verdict, headline } = seen.verdict;
  if (verdict === "silence") return { kind: "nobody" };
  if (verdict === "foreign-mac") return { kind: "stranger", mac: answers[0]?.mac ?? "" };
  const nodes = [
    ...new Set(answers.flatMap(({ ownership }) => (ownership.kind === "node" ? [ownership.owner.node] : []))),
  ];
  const [node] = nodes;
  if (verdict === "could-not-look" || node === undefined) return { kind: "untold", detail: headline };
  return nodes.length === 1 ? { kind: "with", node } : { kind: "several", nodes };
}

const whereWords = (where: Whereabouts): string => {
  switch (where.kind) {
    case "with":
      return `${where.node} answers`;
    case "nobody":
      return "nobody answers";
    case "several":
      return `${nameList(where.nodes)} answer`;
    case "stranger":
      return `${where.mac} answers, no node has that MAC`;
    case "untold":
      return `could not look: ${where.detail}`;
  }
};

const untoldWords = (where: Whereabouts | undefined): string =>
  where?.kind === "untold" ? where.detail : "";

function addressesLink(evidence: LostEvidence): Link {
  const { addresses, unasked, election, node } = evidence;
  const from = addresses[0]?.seen.vantage;
  const head = {
    id: "addresses",
    title: "Somebody answers for every address it carried",
    ...(from === undefined ? {} : { from: `${from.name} (${from.place})` }),
  };
  if (isFault(election)) return unseen(head, election);
  if (election.configError !== undefined)
    return unseen(head, {
      kind: "not-modelled",
      what: "election",
      detail: `MetalLB rejects: ${election.configError}`,
    });
  if (addresses.length === 0)
    return skipped(
      head,
      election.addresses === 0
        ? text`no Service has a LoadBalancer address`
        : text`of ${counted(election.addresses, "address", "addresses")} the election gives it none${
            election.excluded === undefined ? "" : text` (${election.excluded})`
          }`,
    );
  const placed = addresses.map((each) => ({ ...each, where: whereabouts(each) }));
  const lines = [
    ...placed.map(
      ({ carried, where }) =>
        `${carried.ip}  ${carried.service}  next by election: ${carried.next ?? "nobody"}; wire: ${whereWords(where)}`,
    ),
    ...unasked.map(
      ({ ip, service, next }) => `${ip}  ${service}  next by election: ${next ?? "nobody"}; wire: not asked`,
    ),
  ];
  const shown = { title: `Addresses that ${node} carries while it lives`, lines };
  const bad = placed.flatMap(({ carried: { ip, service, next }, where }): readonly Finding[] => {
    const subject = { kind: "address", name: ip } as const;
    const facts = { service, next: next ?? null };
    if (where.kind === "nobody")
      return [
        found(
          "address-left-behind",
          "error",
          subject,
          text`nobody answers for ${code(ip)} (${service}); next by election is ${next ?? "nobody"}`,
          {
            facts,
            remedy: text`See why: ${code(`/arping ${ip}`)}`,
          },
        ),
      ];
    if (where.kind === "with" && (where.node === node || where.node === next)) return [];
    if (where.kind === "untold") return [];
    return [
      found(
        "address-elsewhere",
        "warning",
        subject,
        text`${code(ip)} (${service}): ${whereWords(where)}; the election says ${node}, then ${next ?? "nobody"}`,
        {
          facts,
          remedy: text`See why: ${code(`/arping ${ip}`)}`,
        },
      ),
    ];
  });
  const [first, ...rest] = bad;
  const untold = placed.filter(({ where }) => where.kind === "untold");
  if (first !== undefined)
    return broken(
      head,
      text`${counted(bad.length, "address", "addresses")} of ${addresses.length + unasked.length} ${bad.length === 1 ? "is" : "are"} not where the election puts ${bad.length === 1 ? "it" : "them"}`,
      [first, ...rest],
      shown,
    );
  if (untold.length > 0)
    return unseen(
      head,
      {
        kind: "unreadable",
        what: nameList(untold.map(({ carried }) => carried.ip)),
        detail: untoldWords(untold[0]?.where),
      },
      shown,
    );
  const moved = placed.filter(({ where }) => where.kind === "with" && where.node !== node).length;
  return holds(
    head,
    text`${counted(addresses.length, "address", "addresses")} asked for${unasked.length > 0 ? `, ${unasked.length} not asked` : ""}: ${
      moved === 0 ? `${node} answers for all` : `${moved} moved to the next in the election`
    }`,
    { evidence: shown },
  );
}

/** Services of type LoadBalancer whose endpoints were all on the node, and of which none is ready now. */
export function bereft({ surroundings, node }: LostEvidence): readonly string[] {
  const { objects } = surroundings;
  return objects.services
    .filter(({ type }) => type === "LoadBalancer")
    .map(serviceKey)
    .filter((key) => {
      const endpoints = objects.endpointSlices
        .filter(({ namespace, service }) => `${namespace}/${service}` === key)
        .flatMap((slice) => slice.endpoints);
      return (
        endpoints.length > 0 &&
        endpoints.every(({ nodeName }) => nodeName === node) &&
        endpoints.every(({ ready }) => ready === false)
      );
    })
    .sort();
}

function endpointsLink(evidence: LostEvidence): Link {
  const { surroundings, node } = evidence;
  const head = { id: "endpoints", title: "No Service lived on it alone", from: api };
  const fault = surroundings.faults.get("endpointslices") ?? surroundings.faults.get("services");
  if (fault !== undefined) return unseen(head, fault);
  const here = surroundings.objects.endpointSlices.filter(({ endpoints }) =>
    endpoints.some(({ nodeName }) => nodeName === node),
  );
  const pods = surroundings.objects.pods.filter((pod) => pod.nodeName === node);
  const lines = pods.map(
    ({ namespace, name, phase, ready }) =>
      `${namespace}/${name}  ${phase ?? "phase unknown"}, ${ready === true ? "ready" : ready === false ? "not ready" : "readiness unknown"}`,
  );
  const shown = { title: `${counted(pods.length, "pod")} on ${node}`, lines };
  const without = bereft(evidence);
  const [first, ...rest] = without.map((service) =>
    found(
      "service-without-endpoints",
      "error",
      { kind: "service", name: service },
      text`every endpoint of ${service} is on ${node}, and none is ready`,
    ),
  );
  if (first !== undefined)
    return broken(
      head,
      text`${nameList(without)} ${without.length === 1 ? "has" : "have"} endpoints on ${node} only, and none is ready`,
      [first, ...rest],
      shown,
    );
  return holds(
    head,
    here.length === 0
      ? text`no endpoint of a Service is on it`
      : text`${counted(here.length, "Service")} ${here.length === 1 ? "has" : "have"} an endpoint there: ${nameList(here.map(({ namespace, service }) => `${namespace}/${service ?? ""}`))}`,
    { evidence: shown },
  );
}

function memberlistLink({ election }: LostEvidence): Link {
  const head = { id: "memberlist", title: "Other speakers notice when it is gone", from: api };
  if (isFault(election)) return unseen(head, election);
  if (election.memberlist === "on")
    return holds(
      head,
      text`memberlist is on: a crash is noticed in about 6 s, 12 s at most among a dozen nodes`,
    );
  const words = text`memberlist is off: under policy Cluster its addresses stay with it until its Node is deleted or excluded`;
  return broken(head, words, [
    found("memberlist-off", "error", { kind: "config", name: "metallb" }, words, {
      remedy: text`Set METALLB_ML_BIND_ADDR and METALLB_ML_LABELS on the speakers (Helm: speaker.memberlist.enabled)`,
    }),
  ]);
}

/** The chain from the API to the wire, each link on its own. Pure. */
export function lostLinks(evidence: LostEvidence, signs: Signs): readonly Link[] {
  return [
    objectLink(evidence),
    readyLink(evidence, signs),
    arpLink(evidence, signs),
    outsideLink(evidence, signs),
    sshLink(evidence, signs),
    lanLink(evidence, signs),
    speakerLink(evidence, signs),
    addressesLink(evidence),
    endpointsLink(evidence),
    memberlistLink(evidence),
  ];
}
