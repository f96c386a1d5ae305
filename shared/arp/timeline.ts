/** One ARP frame that claims the watched address, or one request of ours for it. Times in milliseconds since the epoch. */
export type Sighting =
  | Readonly<{ at: number; kind: "reply"; mac: string }>
  | Readonly<{ at: number; kind: "gratuitous"; mac: string }>;

export type Stretch = Readonly<{ mac: string; from: number; to: number; replies: number }>;

/** The address changed hands. `silentMs` is from the last answer of the old owner to the first of the new one. */
export type OwnerChange = Readonly<{ at: number; from: string; to: string; silentMs: number }>;

export type Gap = Readonly<{ from: number; to: number; ms: number; open: boolean }>;

export type Timeline = Readonly<{
  stretches: readonly Stretch[];
  changes: readonly OwnerChange[];
  /** Times without any answer, longer than two and a half sampling periods. `open`: still silent at the end. */
  gaps: readonly Gap[];
  gratuitous: readonly Readonly<{ at: number; mac: string }>[] | "unknown";
  /** MACs of two responders at once: they answer the same request, or alternate at once. A move is neither. */
  flapping: readonly string[];
  macs: readonly string[];
  /** Sampling period: no time and no duration here is known better than this. */
  resolutionMs: number;
  from: number;
  to: number;
}>;

/** A stretch shorter than this many sampling periods is no ownership: nobody takes an address over for so little. */
const shortStretch = 3;

/**
 * The MACs of two responders at once. Two answers within half a sampling period are answers to one request; only a
 * MAC that has just announced itself and keeps the address may have taken over in between. A MAC that comes back after
 * less than three periods, without a gratuitous frame of its own, takes turns as well. A fail-back is neither: the
 * owner in between had the address for a while, and the one that returns announces itself.
 */
function takingTurns(
  stretches: readonly Stretch[],
  gratuitous: readonly Sighting[],
  resolutionMs: number,
): readonly string[] {
  const turns = new Set<string>();
  const announced = ({ mac, from }: Stretch): boolean =>
    gratuitous.some((frame) => frame.mac === mac && Math.abs(frame.at - from) <= 2 * resolutionMs);
  stretches.slice(1).forEach((stretch, i) => {
    const before = stretches[i] as Stretch;
    const after = stretches[i + 2];
    const together = stretch.from - before.to < resolutionMs / 2;
    const returns = after?.mac === before.mac && after.from - stretch.from < shortStretch * resolutionMs;
    if ((together && (returns || !announced(stretch))) || (returns && !announced(after))) {
      turns.add(before.mac);
      turns.add(stretch.mac);
    }
  });
  return [...turns];
}

/** Folds what was seen into who owned the address when, who took it over, and whether two had it at once. */
export function foldTimeline(
  sightings: readonly Sighting[],
  span: Readonly<{ from: number; to: number; resolutionMs: number; sawGratuitous: boolean }>,
): Timeline {
  const ordered = sightings.toSorted((a, b) => a.at - b.at);
  const stretches: { mac: string; from: number; to: number; replies: number }[] = [];
  const gaps: Gap[] = [];
  const tolerated = span.resolutionMs * 2.5;
  let lastAnswer = span.from;
  for (const { at, kind, mac } of ordered) {
    if (kind !== "reply") continue;
    if (at - lastAnswer > tolerated)
      gaps.push({ from: lastAnswer, to: at, ms: at - lastAnswer, open: false });
    lastAnswer = at;
    const current = stretches.at(-1);
    if (current?.mac === mac) {
      current.to = at;
      current.replies++;
    } else stretches.push({ mac, from: at, to: at, replies: 1 });
  }
  if (span.to - lastAnswer > tolerated)
    gaps.push({ from: lastAnswer, to: span.to, ms: span.to - lastAnswer, open: true });

  const gratuitous = ordered.filter(({ kind }) => kind === "gratuitous");
  const changes = stretches.slice(1).map((stretch, i): OwnerChange => {
    const before = stretches[i] as Stretch;
    return { at: stretch.from, from: before.mac, to: stretch.mac, silentMs: stretch.from - before.to };
  });
  return {
    stretches,
    changes,
    gaps,
    gratuitous: span.sawGratuitous ? gratuitous.map(({ at, mac }) => ({ at, mac })) : "unknown",
    flapping: takingTurns(stretches, gratuitous, span.resolutionMs),
    macs: [...new Set(stretches.map(({ mac }) => mac))],
    resolutionMs: span.resolutionMs,
    from: span.from,
    to: span.to,
  };
}
