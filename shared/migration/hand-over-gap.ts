import type { Json } from "../json.ts";
import { type Text, text } from "../text.ts";
import { type ConnectionGap, secondsText } from "./clients.ts";

/** What new connections to one address felt while it was handed over on purpose. Milliseconds. */
export type HandOverGap = Readonly<{
  /** The longest; 0 where no connection failed. */
  ms: number;
  resolutionMs: number;
  tried: number;
  failed: number;
  /** It had not ended when the look did. */
  open: boolean;
}>;

type Facts = Readonly<{
  addresses?: Readonly<
    Record<
      string,
      Readonly<{
        tried: number;
        failed: number;
        resolutionMs: number;
        gaps: readonly ConnectionGap[];
      }> | null
    >
  >;
}>;

/** A look that stood still for longer than this has measured nothing. */
const coarsestMs = 5_000;

/** From what an observation wrote down; undefined where nobody looked all the time. */
export function handOverGap(facts: Json | undefined, ip: string): HandOverGap | undefined {
  const felt = ((facts ?? {}) as unknown as Facts).addresses?.[ip];
  if (felt === undefined || felt === null || felt.resolutionMs > coarsestMs) return undefined;
  const longest = felt.gaps.toSorted((a, b) => b.ms - a.ms)[0];
  return {
    ms: longest?.ms ?? 0,
    resolutionMs: felt.resolutionMs,
    tried: felt.tried,
    failed: felt.failed,
    open: felt.gaps.some(({ open }) => open),
  };
}

/** A hand-over that was planned is never called a failover: nobody had to notice anything first. */
export function handOverText(gap: HandOverGap | undefined): Text {
  if (gap === undefined) return text`planned hand-over gap not measured`;
  const known = secondsText(gap.resolutionMs);
  if (gap.open) return text`no new connection for ${secondsText(gap.ms)} and still none, known to ${known}`;
  return gap.ms === 0
    ? text`no planned hand-over gap in ${gap.tried} new connections; one shorter than ${known} would not be seen`
    : text`planned hand-over gap ${secondsText(gap.ms)}, known to ${known}`;
}
