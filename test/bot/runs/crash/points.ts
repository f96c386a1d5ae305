import type { Story } from "./stories.ts";
import type { Death } from "./world.ts";

/** Before and after every call, each once. */
export const pointsOf = (calls: readonly string[]): readonly Death[] =>
  calls.flatMap((at) => (["before", "after"] as const).map((when) => ({ at, nth: 1, when })));

/** How a point is told: `after canary: write patch bgpadvertisements`. */
export const nameOfPoint = ({ at, when }: Pick<Death, "at" | "when">): string => `${when} ${at}`;

/** What decides about an act: its intent, the deed itself, its result. */
export const isAboutDeed = ({ at }: Pick<Death, "at">): boolean =>
  /: (write |ledger\.append run deed-|trees\.commit|shell node (touch|mv|systemd-run|setsid)$)/.test(at);

/** So many of all, evenly. */
export function spread<T>(all: readonly T[], count: number, from = 0): readonly T[] {
  const every = Math.max(1, Math.ceil(all.length / count));
  return all.filter((_, i) => i % every === from % every);
}

/** About so many of all, evenly, and some of every port. */
export function spreadOverPorts(all: readonly Death[], count: number): readonly Death[] {
  const ports = [...new Set(all.map(({ at }) => portOf(at)))];
  return ports.flatMap((port) => {
    const own = all.filter(({ at }) => portOf(at) === port);
    return spread(own, Math.max(2, Math.round((count * own.length) / all.length)));
  });
}

/** The same points in lives of their own, where one run would be late with all of them. */
export function livesOf({ deathsAtOnce }: Story, points: readonly Death[]): readonly (readonly Death[])[] {
  const count = deathsAtOnce === undefined ? 1 : Math.ceil(points.length / deathsAtOnce);
  return Array.from({ length: count }, (_, life) => points.filter((_, i) => i % count === life));
}

/** How often each name is among these. */
export const tally = (names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...new Set(names)].toSorted().map((name) => [name, names.filter((each) => each === name).length]),
  );

/** The port of a call, `ledger` of `canary: ledger.append run verified`. */
export const portOf = (at: string): string => /: ([a-z-]+)/.exec(at)?.[1] ?? "";
export const stepOf = (at: string): string => /^([\w-]+):/.exec(at)?.[1] ?? "before the first step";
