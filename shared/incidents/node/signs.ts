import { isFault } from "../../fault.ts";
import type { LostEvidence } from "./gather-lost.ts";

/** Whether something showed a sign of life. `unseen` is not `no`. */
export type Life = "yes" | "no" | "unseen";

/** How a login over SSH ended: `alive` where it failed in a way that only a running machine can. */
export type SshLife = "works" | "silent" | "alive" | "other-key" | "unseen";

/** What the evidence says of the node, without words. */
export type Signs = Readonly<{
  object: "present" | "absent" | "unseen";
  ready: "True" | "False" | "Unknown" | "unseen";
  arp: Life;
  /** ARP was silent, and the vantage hears another node: silence means something. */
  arpProven: boolean;
  ip: Life;
  ssh: SshLife;
  /** Link of the interface that has its InternalIP; seen only where SSH works. */
  link: "up" | "down" | "unseen";
  speaker: "runs" | "missing" | "unseen";
}>;

const sshLife = ({ ssh }: LostEvidence): SshLife => {
  if (ssh.ok) return "works";
  switch (ssh.fault.kind) {
    case "timed-out":
    case "unreachable":
    case "refused":
      return "silent";
    case "host-key-changed":
      return "other-key";
    case "denied":
    case "missing-tool":
    case "missing-privilege":
    case "unreadable":
    case "truncated":
      return "alive";
    default:
      return "unseen";
  }
};

export const knocked = (each: LostEvidence["outside"][number]): Life => {
  const answers = [
    ...(each.ping.ok ? [each.ping.evidence.kind === "answer"] : []),
    // A refusal is an answer too.
    ...(each.ssh.ok ? [each.ssh.evidence === "open" || each.ssh.evidence === "refused"] : []),
  ];
  return answers.includes(true) ? "yes" : answers.length === 0 ? "unseen" : "no";
};

export const internalIp = ({ state }: LostEvidence): string | undefined =>
  isFault(state) || state === "absent" ? undefined : state.internalIp;

export const lanNic = (evidence: LostEvidence) => {
  const ip = internalIp(evidence);
  return evidence.ssh.ok
    ? evidence.ssh.evidence.find(({ addresses }) => addresses.some(({ address }) => address === ip))
    : undefined;
};

const anyYes = (lives: readonly Life[]): Life =>
  lives.includes("yes") ? "yes" : lives.includes("no") ? "no" : "unseen";

/** Every sign of life of the node. Pure. */
export function signsOf(evidence: LostEvidence): Signs {
  const { state, arp, outside, surroundings } = evidence;
  const known = isFault(state) || state === "absent" ? undefined : state;
  const nic = lanNic(evidence);
  const { speakers, faults } = surroundings;
  const status = known?.ready?.status;
  return {
    object: isFault(state) ? "unseen" : state === "absent" ? "absent" : "present",
    ready: status === "True" || status === "False" || status === "Unknown" ? status : "unseen",
    arp: isFault(arp) ? "unseen" : arp.macs.length > 0 ? "yes" : "no",
    arpProven: !isFault(arp) && arp.control?.answered === true,
    ip: anyYes(outside.map(knocked)),
    ssh: sshLife(evidence),
    link: nic === undefined ? "unseen" : nic.up && nic.carrier ? "up" : "down",
    speaker:
      faults.has("pods") || speakers === undefined
        ? "unseen"
        : speakers.includes(evidence.node)
          ? "runs"
          : "missing",
  };
}
