import { isFault } from "../../fault.ts";
import type { NonEmpty } from "../../finding.ts";
import { excludeLabel } from "../../metallb/own-objects.ts";
import { nameList } from "../../name-list.ts";
import { code, type Text, text } from "../../text.ts";
import type { Cause, Conclusion } from "../diagnosis.ts";
import type { LostEvidence } from "./gather-lost.ts";
import { bereft, sinceWords, whereabouts } from "./judge-lost.ts";
import type { Signs } from "./signs.ts";

/** Every cause that `node-lost` can name; each has its words on `docs/runbooks/node-lost.md`. */
export const nodeLostCodes = [
  "node-gone",
  "node-cut-off",
  "node-hung",
  "node-filtered",
  "lan-link-down",
  "kubelet-silent",
  "kubelet-not-ready",
  "node-object-missing",
  "ssh-silent",
  "host-key-changed",
  "speaker-down",
  "memberlist-off",
  "address-left-behind",
  "address-elsewhere",
  "service-without-endpoints",
] as const;

type Code = (typeof nodeLostCodes)[number];

const cause = (name: Code, link: string, words: Text, ...next: NonEmpty<Text>): Cause => ({
  code: name,
  link,
  text: words,
  next,
});

const check = (node: string): Text => text`Look at the node itself: ${code(`/nodes check ${node}`)}`;

const gone = (evidence: LostEvidence, seen: string): Cause => {
  const { node } = evidence;
  return cause(
    "node-gone",
    "outside",
    text`${node} is gone: no power, no link, or its kernel stopped. ${seen}`,
    text`Look at its power and at its switch port`,
    text`If it comes back, nothing else is to be done; if it never will: ${code(`kubectl delete node ${node}`)}`,
  );
};

const cutOff = (node: string): Cause =>
  cause(
    "node-cut-off",
    "outside",
    text`${node} is cut off: it may run, and we do not get through to it (cable, VLAN, port security, a firewall)`,
    text`Ask again in a minute: Kubernetes gives a silent node up after 40 to 50 s`,
    text`Look at its switch port, and at its console`,
  );

const hung = (node: string): Cause =>
  cause(
    "node-hung",
    "ssh",
    text`${node}'s kernel answers and its programs do not: out of memory, a dead disk, or a full process table`,
    text`Look at its console before you pull the plug: what it says there is lost after`,
  );

const filtered = (node: string, what: string): Cause =>
  cause(
    "node-filtered",
    "ssh",
    text`a firewall on the way to ${node} drops ${what}`,
    text`Compare with another node: ${code("/nodes check")}`,
  );

const kubeletSilent = (evidence: LostEvidence): Cause =>
  cause(
    "kubelet-silent",
    "node-ready",
    text`${evidence.node} runs, and its kubelet says nothing to the API ${sinceWords(evidence)}`,
    text`On the node: ${code("systemctl status kubelet")}, then its journal`,
    check(evidence.node),
  );

/** What is wrong with the node itself; undefined when nothing is. */
function main(evidence: LostEvidence, signs: Signs): Conclusion | undefined {
  const { node, state } = evidence;
  const one = (cause: Cause): Conclusion => ({ kind: "cause", cause, also: [] });
  const either = (first: Cause, second: Cause): Conclusion => ({
    kind: "candidates",
    causes: [first, second],
  });
  const runs = signs.ssh === "works" || signs.ssh === "alive" || signs.ssh === "other-key";
  const answers = signs.arp === "yes" || signs.ip === "yes";
  const silentOutside = signs.ip === "no" || (signs.arp === "no" && signs.arpProven);

  if (signs.object === "absent")
    return one(
      cause(
        "node-object-missing",
        "node-object",
        runs
          ? text`${node} runs, and the cluster has no Node of that name: it was deleted, or never joined`
          : text`the cluster has no Node ${node}: it was deleted, and nothing of it is announced any more`,
        text`See what was deleted and when: ${code("/arpeggio changes --since 1h")}`,
        text`A kubelet that still runs registers anew when it is restarted`,
      ),
    );
  if (signs.object === "unseen") return undefined;

  if (signs.link === "down")
    return one(
      cause(
        "lan-link-down",
        "lan-link",
        text`${node} runs, and the interface with its InternalIP has no link: it is reached another way`,
        text`Look at the cable and the switch port`,
        check(node),
      ),
    );

  if (signs.ready === "True") {
    if (runs || answers) {
      if (signs.ssh === "silent")
        return one(
          cause(
            "ssh-silent",
            "ssh",
            text`${node} is not lost: Kubernetes calls it Ready and it answers on the LAN; only SSH to it fails`,
            text`On its console: ${code("systemctl status ssh")}`,
          ),
        );
      return undefined;
    }
    // Kubernetes notices late: this may be the first minute of a death.
    if (silentOutside && signs.ssh === "silent")
      return either(gone(evidence, "Kubernetes has not noticed yet: that takes 40 to 50 s."), cutOff(node));
    return undefined;
  }

  if (signs.ready === "unseen") return undefined;

  if (signs.ssh === "works") {
    const ready = isFault(state) || state === "absent" ? undefined : state.ready;
    if (signs.ready === "False")
      return one(
        cause(
          "kubelet-not-ready",
          "node-ready",
          text`kubelet on ${node} runs and says that the node is not Ready: ${ready?.reason || "no reason"}${ready?.message ? ` (${ready.message})` : ""}`,
          text`On the node: ${code("journalctl -u kubelet --since -10min")}`,
          check(node),
        ),
      );
    return one(kubeletSilent(evidence));
  }
  if (answers || runs) {
    if (signs.ready === "False")
      return one(
        cause(
          "kubelet-not-ready",
          "node-ready",
          text`kubelet on ${node} speaks to the API and says that the node is not Ready`,
          text`See what it says: ${code(`kubectl describe node ${node}`)}`,
        ),
      );
    if (runs) return one(kubeletSilent(evidence));
    return either(hung(node), filtered(node, "SSH, and its kubelet is silent for another reason"));
  }
  if (
    signs.ip === "no" &&
    (signs.arp === "no" ? signs.arpProven : signs.arp === "unseen") &&
    signs.ssh === "silent"
  )
    return signs.arp === "no"
      ? one(gone(evidence, `Kubelet is silent ${sinceWords(evidence)}; ARP, ping and SSH are too.`))
      : either(
          gone(evidence, `Kubelet is silent ${sinceWords(evidence)}; so are ping and SSH.`),
          cutOff(node),
        );
  if (signs.ssh === "silent")
    return either(gone(evidence, `Kubelet is silent ${sinceWords(evidence)}, and SSH too.`), cutOff(node));
  return undefined;
}

/** What is certain whatever ails the node itself. */
function besides(evidence: LostEvidence, signs: Signs, lost: boolean): readonly Cause[] {
  const { node, addresses, election } = evidence;
  const out: Cause[] = [];
  const silent = addresses
    .filter((each) => whereabouts(each).kind === "nobody")
    .map(({ carried }) => carried.ip);
  const off = !isFault(election) && election.memberlist === "off";
  const without = bereft(evidence);
  const unserved = new Set(
    addresses.flatMap(({ carried }) => (without.includes(carried.service) ? [carried.ip] : [])),
  );
  const unexplained = silent.filter((ip) => !unserved.has(ip));
  if (off && lost && unexplained.length > 0)
    out.push(
      cause(
        "memberlist-off",
        "memberlist",
        text`memberlist is off, so nobody takes over ${nameList(unexplained)} from ${node}`,
        text`Release them: ${code(`kubectl label node ${node} ${excludeLabel}=`)}, undone with a dash in place of ${code("=")}`,
        text`See to it that memberlist runs: ${code("/nodes explain memberlist-off")}`,
      ),
    );
  else if (unexplained.length > 0)
    out.push(
      cause(
        "address-left-behind",
        "addresses",
        text`nobody answers for ${nameList(unexplained)}, which ${node} carried`,
        text`Walk the path of one: ${code(`/runbook run service-unreachable ${unexplained[0] ?? ""}`)}`,
      ),
    );
  const elsewhere = addresses.filter((each) => {
    const where = whereabouts(each);
    return (
      where.kind === "several" ||
      where.kind === "stranger" ||
      (where.kind === "with" && where.node !== node && where.node !== each.carried.next)
    );
  });
  if (elsewhere.length > 0)
    out.push(
      cause(
        "address-elsewhere",
        "addresses",
        text`${nameList(elsewhere.map(({ carried }) => carried.ip))} ${elsewhere.length === 1 ? "is" : "are"} answered by somebody the election does not name`,
        text`Look at one: ${code(`/arping ${elsewhere[0]?.carried.ip ?? ""}`)}`,
      ),
    );
  if (without.length > 0)
    out.push(
      cause(
        "service-without-endpoints",
        "endpoints",
        text`every endpoint of ${nameList(without)} was on ${node}, and none is ready: nothing serves there until a pod runs elsewhere`,
        text`See where its pods may run: ${code(`kubectl -n ${without[0]?.split("/")[0] ?? ""} get pods -o wide`)}`,
      ),
    );
  if (signs.ssh === "other-key")
    out.push(
      cause(
        "host-key-changed",
        "ssh",
        text`${node} shows another SSH host key than the pinned one: imaged anew, another machine, or somebody in between`,
        text`Compare it on the node's console: ${code("/nodes explain host-key-changed")}`,
      ),
    );
  if (!lost && signs.speaker === "missing")
    out.push(
      cause(
        "speaker-down",
        "speaker",
        text`${node} is up and its MetalLB speaker is not: its addresses are announced elsewhere or by nobody`,
        text`See why: ${code(`kubectl get pods -A -o wide --field-selector spec.nodeName=${node}`)}`,
      ),
    );
  return out;
}

/** What the signs come to. Pure; a sign that nobody saw decides nothing. */
export function concludeLost(evidence: LostEvidence, signs: Signs): Conclusion {
  const { node, addresses, election } = evidence;
  const itself = main(evidence, signs);
  const more = besides(evidence, signs, itself !== undefined);
  if (itself?.kind === "cause") return { ...itself, also: more };
  // The rest is told by its links: beside candidates nothing is certain enough to stand first.
  if (itself !== undefined) return itself;
  const [first, ...rest] = more;
  if (first !== undefined) return { kind: "cause", cause: first, also: rest };
  const looked = signs.arp === "yes" || signs.ip === "yes";
  const untold = addresses.some((each) => whereabouts(each).kind === "untold") || isFault(election);
  if (signs.ready === "True" && looked && signs.ssh === "works" && !untold)
    return {
      kind: "healthy",
      text: text`${node} is not lost: Kubernetes calls it Ready, it answers on the LAN and by SSH${
        addresses.length > 0 ? ", and its addresses are answered" : ""
      }`,
    };
  return {
    kind: "unknown",
    text: text`whether ${node} is lost cannot be told: ${
      signs.object === "unseen" || signs.ready === "unseen"
        ? "the API did not say"
        : signs.ssh !== "works"
          ? "nobody could log in"
          : untold
            ? "who answers for its addresses could not be seen"
            : "nothing outside the cluster could ask it"
    }`,
  };
}
