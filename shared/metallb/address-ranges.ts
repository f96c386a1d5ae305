import { type Cidr, type Ip, ipOf, parseAddresses } from "./ip.ts";

/** Consecutive addresses of one family, both ends included. */
export type Range = Readonly<{ family: 4 | 6; first: bigint; last: bigint }>;

/** Pool entries, prefixes or `first-last`; what cannot be read is left out (MetalLB's webhook tells about that). */
export const rangesOf = (entries: readonly string[]): readonly Range[] =>
  entries.flatMap((entry): readonly Cidr[] => {
    const read = parseAddresses(entry);
    return "error" in read ? [] : read;
  });

export const isIn = (ip: Ip, ranges: readonly Range[]): boolean =>
  ranges.some(({ family, first, last }) => family === ip.family && first <= ip.value && ip.value <= last);

/** What both have in common. */
export const common = (some: readonly Range[], others: readonly Range[]): readonly Range[] =>
  some.flatMap((a) =>
    others.flatMap((b): readonly Range[] => {
      const first = a.first > b.first ? a.first : b.first;
      const last = a.last < b.last ? a.last : b.last;
      return a.family === b.family && first <= last ? [{ family: a.family, first, last }] : [];
    }),
  );

/** What is left of the first without the second. */
export const without = (some: readonly Range[], taken: readonly Range[]): readonly Range[] =>
  taken.reduce<readonly Range[]>(
    (left, { family, first, last }) =>
      left.flatMap((range): readonly Range[] => {
        if (range.family !== family || last < range.first || range.last < first) return [range];
        const before = range.first < first ? [{ family, first: range.first, last: first - 1n }] : [];
        const after = last < range.last ? [{ family, first: last + 1n, last: range.last }] : [];
        return [...before, ...after];
      }),
    some,
  );

/** Neighbours and overlaps put together, lowest first. */
export function joined(ranges: readonly Range[]): readonly Range[] {
  const sorted = ranges.toSorted((a, b) => a.family - b.family || (a.first < b.first ? -1 : 1));
  const out: Range[] = [];
  for (const range of sorted) {
    const before = out.at(-1);
    if (before === undefined || before.family !== range.family || before.last + 1n < range.first)
      out.push(range);
    else if (before.last < range.last) out[out.length - 1] = { ...before, last: range.last };
  }
  return out;
}

/** `10.4.11.0-10.4.15.254`, or one address. */
export const rangeText = ({ family, first, last }: Range): string =>
  first === last ? ipOf(family, first).text : `${ipOf(family, first).text}-${ipOf(family, last).text}`;

export const rangesText = (ranges: readonly Range[]): string => joined(ranges).map(rangeText).join(", ");

/** How many addresses there are, counted once each; of an IPv6 prefix about as many. */
export const countOf = (ranges: readonly Range[]): number =>
  Number(joined(ranges).reduce((sum, { first, last }) => sum + last - first + 1n, 0n));
