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
  /** MACs that took turns answering: each came back after another had answered. Two responders, not a move. */
  flapping: readonly string[];
  macs: readonly string[];
  /** Sampling period: no time and no duration here is known better than this. */
  resolutionMs: number;
  from: number;
  to: number;
}>;

/**
 * Folds what was seen into who owned the address when. A MAC that answers, loses the address and answers again is
 * reported as flapping, because that is what two responders look like and a take-over does not.
 */
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

  const seen = new Map<string, number>();
  for (const { mac } of stretches) seen.set(mac, (seen.get(mac) ?? 0) + 1);
  const returning = [...seen].filter(([, times]) => times > 1).map(([mac]) => mac);
  // A came back after B: both take turns. The one in between took part even if it has a single stretch.
  const flapping = new Set<string>();
  for (const mac of returning) {
    const first = stretches.findIndex((stretch) => stretch.mac === mac);
    const last = stretches.findLastIndex((stretch) => stretch.mac === mac);
    for (const stretch of stretches.slice(first, last + 1)) flapping.add(stretch.mac);
  }
  const changes = stretches.slice(1).map((stretch, i): OwnerChange => {
    const before = stretches[i] as Stretch;
    return { at: stretch.from, from: before.mac, to: stretch.mac, silentMs: stretch.from - before.to };
  });
  return {
    stretches,
    changes,
    gaps,
    gratuitous: span.sawGratuitous
      ? ordered.filter(({ kind }) => kind === "gratuitous").map(({ at, mac }) => ({ at, mac }))
      : "unknown",
    flapping: [...flapping],
    macs: [...seen.keys()],
    resolutionMs: span.resolutionMs,
    from: span.from,
    to: span.to,
  };
}
