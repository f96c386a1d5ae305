/** Quiet about one set of differences until a time; anything that changes them is told again. */
export type Snooze = Readonly<{
  fingerprint: string;
  reason: string;
  by: string;
  /** Milliseconds since the epoch. */
  at: number;
  until: number;
}>;

/** A month at most: what stays longer is a decision to write down, not a snooze. */
export const longestSnoozeMs = 31 * 86_400_000;

export type ReadSnooze =
  | Readonly<{ ok: true; snooze: Snooze }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

export function newSnooze(given: Snooze): ReadSnooze {
  const problems: string[] = [];
  if (given.reason.trim() === "") problems.push("a snooze needs a reason");
  if (given.until <= given.at) problems.push("a snooze ends in the future");
  if (given.until - given.at > longestSnoozeMs) problems.push("a snooze lasts 31 days at most");
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, snooze: { ...given, reason: given.reason.trim() } };
}

/** The snooze that keeps this fingerprint quiet now, the one that lasts longest. */
export const quietBy = (snoozes: readonly Snooze[], fingerprint: string, now: number): Snooze | undefined =>
  snoozes
    .filter((each) => each.fingerprint === fingerprint && each.at <= now && now < each.until)
    .toSorted((a, b) => b.until - a.until)[0];
