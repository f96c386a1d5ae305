import { partOf } from "../../changes/watched-kinds.ts";
import { type Fault, isFault } from "../../fault.ts";
import { bySeverity, type Finding, isFailure } from "../../finding.ts";
import { excludeLabel, honoursExcludeLabel, ownObjects } from "../../metallb/own-objects.ts";
import { whyNotWords } from "../../metallb/why-not-words.ts";
import { nameList } from "../../name-list.ts";
import { counted } from "../../report/wording.ts";
import { code, text } from "../../text.ts";
import type { Link } from "../link.ts";
import { broken, holds, type LinkHead, skipped, unseen } from "../make-link.ts";
import { type NewEvidence, unreachedBy } from "./gather-new.ts";
import { found } from "./judge-lost.ts";

const api = "Kubernetes API";

/** Which checks stand behind which link. A check of nodes that is in no row goes to the last one. */
const topics: readonly Readonly<{ id: string; title: string; checks: readonly string[] }>[] = [
  {
    id: "lan-nic",
    title: "Its LAN interface is the one that announces",
    checks: [
      "lan-nic",
      "wired-and-wifi",
      "internal-ip-nic",
      "default-route-nic",
      "lan-nic-not-advertised",
      "named-nic-enslaved",
      "named-nic-missing",
      "ssh-over-wifi",
      "promiscuous-wireless",
      "duplicate-mac",
    ],
  },
  {
    id: "calico-nic",
    title: "Calico uses the LAN interface",
    checks: ["calico-address-nic", "calico-autodetection", "network-unavailable", "calico-bgp-peers"],
  },
  {
    id: "kernel",
    title: "Kernel settings and routes suit announced addresses",
    checks: [
      "arp-flux",
      "rp-filter",
      "ipvs-strict-arp",
      "route-via-gateway",
      "pool-address-on-nic",
      "mtu-differs",
    ],
  },
  {
    id: "memberlist",
    title: "Its speaker and the others hear each other",
    checks: ["memberlist-port", "memberlist-udp"],
  },
];

const taken = new Set(["host-key-changed", "exclude-label", ...topics.flatMap(({ checks }) => checks)]);

function objectLink({ node, state }: NewEvidence): Link {
  const head = { id: "node-object", title: "It has joined the cluster", from: api };
  if (isFault(state)) return unseen(head, state);
  if (state === "absent") {
    const words = text`the API lists other nodes, and none called ${code(node)}`;
    return broken(head, words, [
      found("node-object-missing", "error", { kind: "node", name: node }, words, {
        remedy: text`On the node: ${code("journalctl -u kubelet --since -10min")}`,
      }),
    ]);
  }
  return holds(head, text`InternalIP ${state.internalIp ?? "none"}${state.cordoned ? ", cordoned" : ""}`);
}

function readyLink({ node, state }: NewEvidence): Link {
  const head = { id: "node-ready", title: "Kubernetes calls it Ready", from: api };
  if (isFault(state)) return unseen(head, state);
  if (state === "absent") return skipped(head, text`there is no Node to ask about`);
  const fault: Fault = { kind: "unreadable", what: `Node ${node}`, detail: "it has no Ready condition" };
  if (state.ready === undefined) return unseen(head, fault);
  const { status, reason, message } = state.ready;
  if (status === "True") return holds(head, text`${reason || "Ready"}`);
  const words = text`Ready is ${status}: ${reason || "no reason given"}${message === "" ? "" : ` (${message})`}`;
  return broken(head, words, [
    found("node-not-ready", "error", { kind: "node", name: node }, words, {
      facts: { status, reason },
      remedy: text`Is it gone? ${code(`/runbook run node-lost ${node}`)}`,
    }),
  ]);
}

function sshLink(evidence: NewEvidence): Link {
  const { node, results } = evidence;
  const head = { id: "ssh", title: "It answers SSH with the pinned host key", from: "here" };
  const fault = unreachedBy(evidence);
  if (fault === undefined) return holds(head, text`visited in one command`);
  const key = results.find(({ check }) => check === "host-key-changed");
  if (key?.outcome === "failed") return broken(head, key.findings[0].text, key.findings);
  const subject = { kind: "node", name: node } as const;
  const words = text`${fault.what}: ${fault.detail}`;
  if (["timed-out", "unreachable", "refused"].includes(fault.kind))
    return broken(head, words, [
      found("ssh-silent", "error", subject, words, {
        remedy: text`Is it gone? ${code(`/runbook run node-lost ${node}`)}`,
      }),
    ]);
  if (fault.kind === "denied")
    return broken(head, words, [
      found("ssh-denied", "error", subject, text`the login is refused: ${fault.detail}`, {
        remedy: text`Put our public key on it, and the sudoers file: ${code("arpeggio sudoers")}`,
      }),
    ]);
  return unseen(head, fault);
}

function topicLink(
  head: LinkHead,
  { results, node }: NewEvidence,
  checks: readonly string[],
  more: readonly Finding[] = [],
): Link {
  const mine = results.filter(({ check }) => checks.includes(check));
  const lines = mine.map(
    (each) =>
      `${each.check}  ${each.outcome}${
        each.outcome === "skipped"
          ? `: ${each.because}`
          : each.outcome === "unknown"
            ? `: ${each.fault.what}: ${each.fault.detail}`
            : ""
      }`,
  );
  const shown = { title: `${counted(mine.length, "check")} of ${node}`, lines };
  const findings = [
    ...mine.flatMap((each) => (each.outcome === "failed" ? each.findings : [])),
    ...more,
  ].toSorted(bySeverity);
  const [first, ...rest] = findings.filter(isFailure);
  if (first !== undefined)
    return broken(
      head,
      rest.length === 0 ? first.text : text`${first.text}, and ${rest.length} more`,
      [first, ...rest],
      shown,
    );
  const unsure = mine.find((each) => each.outcome === "unknown");
  if (unsure?.outcome === "unknown") return unseen(head, unsure.fault, shown);
  if (mine.every(({ outcome }) => outcome === "skipped"))
    return skipped(
      head,
      text`${mine.length === 0 ? "no check of it was made" : "none of its checks applies here"}`,
    );
  const made = mine.filter(({ outcome }) => outcome !== "skipped").length;
  return holds(
    head,
    text`${counted(made, "check")} ${made === 1 ? "passes" : "pass"}${findings.length > 0 ? `, ${findings.length} with a remark` : ""}`,
    {
      findings,
      evidence: shown,
    },
  );
}

const mustRun = ["speaker", "calico-node", "kube-proxy"];

function podsLink({ node, objects, lists }: NewEvidence): Link {
  const head = { id: "pods", title: "Its speaker and its network pods run", from: api };
  const fault = [lists.pods, lists.daemonsets].find((listed) => isFault(listed));
  if (isFault(fault)) return unseen(head, fault);
  const here = objects.pods.filter((pod) => pod.nodeName === node);
  const wanted = objects.daemonSets.flatMap((each) => {
    const part = partOf({ metadata: { labels: each.podLabels } });
    if (part === undefined || !mustRun.includes(part)) return [];
    const isOf = (pod: (typeof objects.pods)[number]) =>
      pod.namespace === each.namespace &&
      Object.entries(each.podLabels).every(([key, value]) => pod.labels[key] === value);
    // A DaemonSet that runs nowhere says nothing of this node.
    return objects.pods.some(isOf)
      ? [{ part, name: `${each.namespace}/${each.name}`, pod: here.find(isOf) }]
      : [];
  });
  const subject = { kind: "node", name: node } as const;
  const absent = wanted
    .filter(({ pod }) => pod === undefined)
    .map(({ part, name }) =>
      found(
        part === "speaker" ? "speaker-missing" : "pods-missing",
        "error",
        subject,
        text`no pod of ${name} (${part}) on ${node}`,
        {
          remedy: text`A taint without toleration, or a node selector: ${code(`kubectl describe node ${node}`)}`,
        },
      ),
    );
  const limping = here.filter(({ ready, phase }) => ready === false && phase !== "Succeeded");
  const unready = limping.map(({ namespace, name, phase }) =>
    found(
      "pods-not-ready",
      "warning",
      subject,
      text`${namespace}/${name} is ${phase ?? "there"} and not ready`,
      {
        remedy: text`See why: ${code(`kubectl -n ${namespace} describe pod ${name}`)}`,
      },
    ),
  );
  const shown = {
    title: `${counted(here.length, "pod")} on ${node}`,
    lines: here.map(({ namespace, name, ready, phase }) =>
      `${namespace}/${name}  ${phase ?? ""} ${ready === false ? "not ready" : ""}`.trimEnd(),
    ),
  };
  const [first, ...rest] = [...absent, ...unready];
  if (first !== undefined)
    return broken(
      head,
      rest.length === 0 ? first.text : text`${first.text}, and ${rest.length} more`,
      [first, ...rest],
      shown,
    );
  return holds(
    head,
    text`${nameList(wanted.map(({ part }) => part)) || "no DaemonSet that must run there"}; ${counted(here.length, "pod")} in all`,
    { evidence: shown },
  );
}

function labelLink({ node, state, objects, lists }: NewEvidence): Link {
  const head = { id: "exclude-label", title: "No label keeps it out of the election", from: api };
  if (isFault(state)) return unseen(head, state);
  if (state === "absent") return skipped(head, text`there is no Node to ask about`);
  const fault = [lists.daemonsets, lists.pods].find((listed) => isFault(listed));
  if (isFault(fault)) return unseen(head, fault);
  if (!Object.hasOwn(state.labels, excludeLabel)) return holds(head, text`it has no ${code(excludeLabel)}`);
  if (!honoursExcludeLabel(ownObjects(objects)))
    return holds(head, text`it has ${code(excludeLabel)}, and the speakers here do not look at it`);
  const usual = Object.keys(state.labels).some((key) =>
    /^node-role\.kubernetes\.io\/(control-plane|master)$/.test(key),
  );
  const words = text`${code(excludeLabel)} is on it, so MetalLB elects it for nothing`;
  if (usual) return holds(head, text`${words}; usual on a control plane`);
  return broken(head, words, [
    found("exclude-label", "warning", { kind: "node", name: node }, words, {
      remedy: text`Where that is not meant: ${code(`kubectl label node ${node} ${excludeLabel}-`)}; addresses move when you do`,
    }),
  ]);
}

function electionLink(evidence: NewEvidence): Link {
  const { node, election, holder } = evidence;
  const head = { id: "elected", title: "What MetalLB hands it is known", from: "prediction" };
  if (isFault(election)) return unseen(head, election);
  if (election.configError !== undefined)
    return unseen(head, {
      kind: "not-modelled",
      what: "election",
      detail: `MetalLB rejects: ${election.configError}`,
    });
  if (election.addresses === 0) return skipped(head, text`no Service has a LoadBalancer address`);
  const total = counted(election.addresses, "address", "addresses");
  if (election.carried.length === 0)
    return holds(
      head,
      election.excluded === undefined
        ? text`none of ${total}: other nodes come first in each election`
        : text`none of ${total}: ${whyNotWords(election.excluded)}`,
    );
  const moves = election.carried.filter((each) => holder(each) !== node);
  const lines = election.carried.map((each) => {
    const from = holder(each);
    return `${each.ip}  ${each.service}${each.policy === "Local" ? " (Local)" : ""}  ${
      from === node ? "it has it by prediction" : `moves to it from ${from ?? "nobody"}`
    }; next if it dies: ${each.next ?? "nobody"}`;
  });
  const what = nameList(election.carried.map(({ ip }) => ip));
  return holds(
    head,
    moves.length === 0
      ? text`${election.carried.length} of ${total}, which it has by prediction already: ${what}`
      : text`${election.carried.length} of ${total} as soon as its speaker is up: ${what}`,
    { evidence: { title: `What the election gives ${node}`, lines } },
  );
}

/** From joining to announcing, each link on its own. Pure. */
export function newLinks(evidence: NewEvidence): readonly Link[] {
  const from = `ssh to ${evidence.node}`;
  const rest = evidence.results.map(({ check }) => check).filter((check) => !taken.has(check));
  return [
    objectLink(evidence),
    readyLink(evidence),
    sshLink(evidence),
    ...topics.map(({ id, title, checks }) =>
      topicLink({ id, title, from }, evidence, checks, id === "memberlist" ? evidence.fromNeighbours : []),
    ),
    podsLink(evidence),
    labelLink(evidence),
    topicLink({ id: "upkeep", title: "Every other check of it passes", from }, evidence, rest),
    electionLink(evidence),
  ];
}
