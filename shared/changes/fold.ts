import { plain } from "../text.ts";
import type { Change } from "./change.ts";

/** Changes that read the same but for their subject or their time, as one line. */
export type Folded = Readonly<{
  /** The newest of them. */
  change: Change;
  /** Names of all subjects, each once, in the order of time, newest first. */
  names: readonly string[];
  /** How often it was reported, over all of them. */
  times: number;
  /** The oldest of them. */
  first: number;
}>;

/** What one cause does to several objects happens within moments. */
const togetherMs = 5_000;

/** More than this many alike subjects become one line. */
const alike = 3;

const wordsOf = ({ subject, what, by, source, atLatest }: Change): string =>
  JSON.stringify([subject.kind, plain(what), by ?? "", source, atLatest ?? false]);

const one = (change: Change): Folded => ({
  change,
  names: [change.subject.name],
  times: change.times ?? 1,
  first: change.at,
});

const merged = (some: readonly Folded[]): Folded => {
  const [newest, ...rest] = some as readonly [Folded, ...Folded[]];
  return {
    change: newest.change,
    names: [...new Set(some.flatMap(({ names }) => names))],
    times: some.reduce((sum, { times }) => sum + times, 0),
    first: Math.min(newest.first, ...rest.map(({ first }) => first)),
  };
};

function grouped<T>(items: readonly T[], key: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

/** Splits what is sorted newest first wherever two neighbours lie further apart than one cause reaches. */
function runsInTime(items: readonly Folded[]): readonly (readonly Folded[])[] {
  const runs: Folded[][] = [];
  for (const item of items) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && last.change.at - item.change.at <= togetherMs) runs.at(-1)?.push(item);
    else runs.push([item]);
  }
  return runs;
}

/** Newest first; repeats on one subject become one line with a count, and so does one cause that hit many subjects. */
export function fold(changes: readonly Change[]): readonly Folded[] {
  const newestFirst = changes.toSorted(
    (a, b) => b.at - a.at || (a.subject.name < b.subject.name ? -1 : a.subject.name > b.subject.name ? 1 : 0),
  );
  const repeats = grouped(newestFirst, (change) => `${wordsOf(change)} ${change.subject.name}`).map((same) =>
    merged(same.map(one)),
  );
  return grouped(repeats, ({ change }) => wordsOf(change))
    .flatMap((same) => runsInTime(same.toSorted((a, b) => b.change.at - a.change.at)))
    .flatMap((run) => (run.length > alike ? [merged(run)] : run))
    .toSorted((a, b) => b.change.at - a.change.at);
}
