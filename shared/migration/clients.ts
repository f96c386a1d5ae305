import type { Clock } from "../clock.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { Json } from "../json.ts";
import type { Shell } from "../probes/shell.ts";
import { tcpConnect } from "../probes/tcp-connect.ts";
import type { ClusterConfig, Vantage } from "../site/site.ts";

/** One new connection: when it was tried, when the answer was there, and whether it opened. */
export type Sample = Readonly<{ at: number; until: number; opened: boolean }>;

export type Sampling = Readonly<{
  samples: readonly Sample[];
  /** Why some looks gave nothing, newest last. A look that failed is neither a success nor a failure of the address. */
  faults: readonly Fault[];
}>;

/** Time in which no new connection opened. `ms` runs from the last success to the next, so it is never too small. */
export type ConnectionGap = Readonly<{ from: number; to: number; ms: number; open: boolean }>;

export type Felt = Readonly<{
  tried: number;
  failed: number;
  gaps: readonly ConnectionGap[];
  /** The longest time between two tries: a shorter gap would not be seen, and no gap is known better than this. */
  resolutionMs: number;
  from: number;
  to: number;
}>;

/** Where a client would stand: behind the router first, a wired host of the segment next. Never a node of the cluster. */
export function clientVantage(config: ClusterConfig): Vantage | undefined {
  const outside = config.vantages.filter(({ clusterNode }) => clusterNode === undefined);
  return outside.find(({ place }) => place === "behind-router");
}

/** Connections a second from one vantage, over all addresses of a look. */
const perSecond = 10;
/** No address is tried more often than this. */
const leastPeriodMs = 200;

export const periodFor = (addresses: number): number =>
  Math.max(leastPeriodMs, (addresses * 1_000) / perSecond);

type Ports = Readonly<{ shell: Shell; clock: Clock }>;

/** Opens new connections to one address until `stop`. Throws nothing but bugs: looks that fail are told. */
export async function sampleConnections(
  { shell, clock }: Ports,
  vantage: string,
  target: Readonly<{ ip: string; port: number }>,
  periodMs: number,
  stop: AbortSignal,
): Promise<Sampling> {
  const samples: Sample[] = [];
  const faults: Fault[] = [];
  while (!stop.aborted) {
    const at = clock.now();
    try {
      const output = await shell(
        { kind: "vantage", name: vantage },
        tcpConnect.argv(target.ip, target.port),
        {
          signal: stop,
        },
      );
      if (output.exitCode === null) break;
      samples.push({ at, until: clock.now(), opened: tcpConnect.read(output) === "open" });
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      if (stop.aborted) break;
      faults.push(error.fault);
    }
    await clock.sleep(Math.max(0, at + periodMs - clock.now()), stop);
  }
  return { samples, faults };
}

/** What a client that comes new would have felt. `undefined` when there is not one sample. */
export function feltBy(samples: readonly Sample[], end?: number): Felt | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const gaps: ConnectionGap[] = [];
  let since: number | undefined;
  let lastOpen = first.at;
  for (const { at, opened } of samples) {
    if (!opened) {
      since ??= lastOpen;
      continue;
    }
    if (since !== undefined) gaps.push({ from: since, to: at, ms: at - since, open: false });
    since = undefined;
    lastOpen = at;
  }
  const to = Math.max(last.until, end ?? 0);
  if (since !== undefined) gaps.push({ from: since, to, ms: to - since, open: true });
  const steps = samples.slice(1).map(({ at }, i) => at - (samples[i] as Sample).at);
  return {
    tried: samples.length,
    failed: samples.filter(({ opened }) => !opened).length,
    gaps,
    resolutionMs: Math.max(0, ...steps, to - last.at),
    from: first.at,
    to,
  };
}

/** `2.4 s`, from ten seconds on without what nobody reads. */
export const secondsText = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;

/** `no failed connection in 300; a gap shorter than 0.2 s would not be seen` or `longest gap 2.4 s, known to 0.2 s, …`. */
export function feltText(felt: Felt): string {
  const [gap] = felt.gaps.toSorted((a, b) => b.ms - a.ms);
  if (gap === undefined)
    return `no failed connection in ${felt.tried}; a gap shorter than ${secondsText(felt.resolutionMs)} would not be seen`;
  return `${gap.open ? "no new connection for" : "longest gap"} ${secondsText(gap.ms)}${gap.open ? " and still none" : ""}, known to ${secondsText(felt.resolutionMs)}, ${felt.failed} of ${felt.tried} connections failed`;
}

/** What was felt on all addresses together, for one line: the longest gap counts, and the coarsest look. */
export function feltTogether(all: readonly Felt[]): string | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  const sum = (of: (felt: Felt) => number): number => all.reduce((total, felt) => total + of(felt), 0);
  return feltText({
    tried: sum(({ tried }) => tried),
    failed: sum(({ failed }) => failed),
    gaps: all.flatMap(({ gaps }) => gaps),
    resolutionMs: Math.max(...all.map(({ resolutionMs }) => resolutionMs)),
    from: Math.min(...all.map(({ from }) => from)),
    to: Math.max(...all.map(({ to }) => to)),
  });
}

export const feltJson = (felt: Felt): Json => ({
  tried: felt.tried,
  failed: felt.failed,
  resolutionMs: felt.resolutionMs,
  gaps: felt.gaps.map((gap) => ({ ...gap })),
});

/** Whether new connections open right now, tried once. Throws FaultError. */
export async function opensNow(
  { shell }: Pick<Ports, "shell">,
  vantage: string,
  target: Readonly<{ ip: string; port: number }>,
  signal?: AbortSignal,
): Promise<boolean> {
  const output = await shell(
    { kind: "vantage", name: vantage },
    tcpConnect.argv(target.ip, target.port),
    signal === undefined ? {} : { signal },
  );
  return tcpConnect.read(output) === "open";
}
