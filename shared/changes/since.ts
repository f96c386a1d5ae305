const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Nothing that we read reaches further back without holes, and the ledger is read a day at a time. */
export const longestSinceMs = 30 * 86_400_000;

export const sinceExpected = "must be a time such as 30s, 15m, 1h or 2d, at most 30d";

/** Milliseconds of `30s`, `15m`, `1h` or `2d`; undefined for anything else, nothing and more than thirty days included. */
export function parseSince(words: string): number | undefined {
  const [, amount = "", unit = ""] = /^(\d{1,7})([smhd])$/.exec(words) ?? [];
  const ms = Number(amount) * (units[unit] ?? Number.NaN);
  return ms > 0 && ms <= longestSinceMs ? ms : undefined;
}

/** `1 h`, `90 min`, `2 d`: the largest unit that leaves no rest. */
export function sinceWords(ms: number): string {
  const [word, size] =
    (
      [
        ["d", 86_400_000],
        ["h", 3_600_000],
        ["min", 60_000],
      ] as const
    ).find(([, unit]) => ms >= unit && ms % unit === 0) ?? (["s", 1_000] as const);
  return `${ms / size} ${word}`;
}
