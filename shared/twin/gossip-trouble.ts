import type { Machine } from "./machine.ts";

/** Where speakers gossip, TCP and UDP. */
const port = 7946;
const probeEveryMs = 1_000;

type Trouble = Readonly<{ at: number; level: "warn" | "error" | "info"; caller: string; message: string }>;

const dropsTcp = ({ spec, hung }: Machine): boolean => hung || spec.droppedPorts?.includes(port) === true;
/** A machine that drops the port drops both protocols on it. */
const dropsUdp = (machine: Machine): boolean =>
  dropsTcp(machine) || machine.spec.droppedUdpPorts?.includes(port) === true;

function wordsAbout(own: Machine, member: Machine): readonly Omit<Trouble, "at">[] {
  // A ping needs the way there and its answer the way back; helpers' answers come the same last stretch.
  if (!dropsUdp(own) && !dropsUdp(member)) return [];
  const { name } = member;
  if (!dropsTcp(member))
    return [
      {
        level: "warn",
        caller: "state.go:499",
        message: `Was able to connect to ${name} over TCP but UDP probes failed, network may be misconfigured`,
      },
    ];
  const address = member.nics.flatMap(({ spec }) => spec.addresses)[0]?.split("/")[0] ?? "";
  return [
    {
      level: "error",
      caller: "state.go:474",
      message: `Failed fallback TCP ping: timeout 1s: dial tcp ${address}:${port}: i/o timeout`,
    },
    { level: "info", caller: "state.go:521", message: `Suspect ${name} has failed, no acks received` },
  ];
}

/**
 * What a speaker's member list writes while packets of its port are dropped: it probes one member a second, each in
 * turn, and a probe that only TCP answered is a warning (hashicorp/memberlist 0.5.1, state.go, probeNode). A member that
 * drops both protocols is suspected again and again; the model does not take it out of the list.
 */
export function gossipTrouble(
  options: Readonly<{
    node: string;
    /** Members in the speaker's view, itself included. */
    members: readonly Machine[];
    since: number;
    until: number;
    /** The newest so many rounds. */
    limit: number;
  }>,
): readonly Trouble[] {
  const { node, members, since, until, limit } = options;
  const own = members.find(({ name }) => name === node);
  const others = members.filter(({ name }) => name !== node);
  if (own === undefined || others.every((member) => wordsAbout(own, member).length === 0)) return [];
  const last = Math.floor(until / probeEveryMs);
  const first = Math.max(Math.ceil(since / probeEveryMs), last - limit);
  const troubles: Trouble[] = [];
  for (let round = first; round < last; round++) {
    const member = others[round % others.length];
    // A probe's words come when its second is over.
    if (member !== undefined)
      for (const words of wordsAbout(own, member))
        troubles.push({ at: (round + 1) * probeEveryMs, ...words });
  }
  return troubles;
}
