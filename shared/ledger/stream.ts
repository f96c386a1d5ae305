/** A stream's kind: `run` of `run/R-17`. Throws on a name without a kind: that is a bug of the caller. */
export function kindOf(stream: string): string {
  const kind = /^([a-z][a-z0-9-]*)\/./.exec(stream)?.[1];
  if (kind === undefined || stream.length > 1_000)
    throw new Error(
      `stream ${JSON.stringify(stream.slice(0, 80))}: expected kind/id, at most 1000 characters`,
    );
  return kind;
}

/** The UTC day of an instant, `2026-11-23`: audit keeps one stream a day. */
export const utcDay = (at: number): string => new Date(at).toISOString().slice(0, 10);
