import type { Died } from "./crash-run.ts";
import type { Death } from "./world.ts";

/** mulberry32: the same deaths every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const whens = ["before", "after"] as const;

/**
 * Before and after each of these calls, once: whichever is met first takes the process. At the latest it dies at some
 * other call, near at times, so that looking and telling are met too, and far at others, so that a step with many looks
 * comes to its end.
 */
export function manyDeaths(
  calls: readonly string[],
  seed: number,
): (died: readonly Died[]) => readonly Death[] {
  const next = random(seed);
  return (died) => {
    const met = new Set(died.map(({ call, when }) => `${when} ${call}`));
    // One way for each call at a time, or "after" would never have its turn.
    const waiting = calls.flatMap((at): readonly Death[] => {
      const when = whens.find((each) => !met.has(`${each} ${at}`));
      return when === undefined ? [] : [{ at, nth: 1, when }];
    });
    const nth = next() < 0.5 ? 1 + Math.floor(next() * 40) : 60 + Math.floor(next() * 200);
    return [...waiting, { at: "", nth, when: next() < 0.5 ? "before" : "after" }];
  };
}
