import type { Peer } from "./nodes-peers.ts";

/** Milliseconds of every run, by who ran. */
export type Times = Readonly<
  Record<"clush" | "ansible" | "ansibleKept" | "process" | "cold" | "warm" | "all", number[]>
>;

/** What one `/nodes check` of the model took. */
export type Simulated = Readonly<
  Record<"nodes" | "checks" | "results" | "failed" | "unknown" | "visitMs" | "judgeMs" | "peakMiB", number>
>;

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

type Row = Readonly<{ what: string; ms: readonly number[] }>;

const seconds = (ms: number): string => (ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(2)} s`);

const line = ({ what, ms }: Row): string =>
  `| ${what} | ${seconds(median(ms))} | ${seconds(Math.min(...ms))} to ${seconds(Math.max(...ms))} | ${ms.length} |`;

const called = (peer: Peer): string => ("run" in peer ? `${peer.name} (${peer.version})` : peer.name);

const ratio = (theirs: readonly number[], ours: readonly number[]): number => median(theirs) / median(ours);

const goal = (what: string, reached: number, wanted: number): string =>
  `${reached >= wanted ? "reached" : "MISSED "}  ${what}: ${reached.toFixed(2)} (wanted: at least ${wanted})`;

/** The table for people, and how many of the goals were missed. A peer that is missing is told with its reason, never as a win. */
export function nodesReport(
  given: Readonly<{
    machine: string;
    question: string;
    peers: Readonly<{ clush: Peer; ansible: Peer }>;
    times: Times;
    checks: number;
    simulated: Simulated;
  }>,
): Readonly<{ text: string; missed: number }> {
  const { peers, times, simulated } = given;
  const rows: readonly Row[] = [
    { what: called(peers.clush), ms: times.clush },
    { what: `${called(peers.ansible)}, first run`, ms: times.ansible },
    { what: "the same, on its kept connections", ms: times.ansibleKept },
    { what: "arpeggio, from the start of its process", ms: times.process },
    { what: "arpeggio, cold: new connections", ms: times.cold },
    { what: "arpeggio, warm: kept connections", ms: times.warm },
    { what: `arpeggio, warm, probes of all ${given.checks} checks`, ms: times.all },
  ];
  const missing = [peers.clush, peers.ansible].flatMap((peer) =>
    "missing" in peer ? [`not measured: ${peer.missing}`] : [],
  );
  const goals = [
    ...(times.clush.length > 0
      ? [
          goal("clush / cold", ratio(times.clush, times.cold), 1),
          goal("clush / from the start of the process", ratio(times.clush, times.process), 1),
          goal("clush / warm", ratio(times.clush, times.warm), 15),
        ]
      : []),
    ...(times.ansible.length > 0 ? [goal("ansible raw / warm", ratio(times.ansible, times.warm), 10)] : []),
    ...(times.ansibleKept.length > 0
      ? [goal("ansible raw on its kept connections / warm", ratio(times.ansibleKept, times.warm), 10)]
      : []),
  ];
  const lines = [
    given.machine,
    "",
    given.question,
    "",
    "| | median | range | runs |",
    "|---|---|---|---|",
    ...rows.filter(({ ms }) => ms.length > 0).map(line),
    "",
    ...missing,
    ...goals,
    "",
    `${simulated.nodes} simulated nodes: ${simulated.checks} checks, ${simulated.results} results (${simulated.failed} failed, ${simulated.unknown} unknown); visit ${seconds(simulated.visitMs)}, judging ${seconds(simulated.judgeMs)}, peak memory of the process ${simulated.peakMiB.toFixed(0)} MiB, model included`,
  ];
  return {
    text: `${lines.join("\n")}\n`,
    missed: goals.filter((each) => each.startsWith("MISSED")).length,
  };
}
