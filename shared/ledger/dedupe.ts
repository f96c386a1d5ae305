import { FaultError } from "../fault.ts";
import type { Ledger } from "./ledger.ts";

/** Slack repeats an event for about six minutes and a captured request stays valid for five; an hour covers both. */
export const interestMs = 60 * 60 * 1_000;

const attempts = 5;

/**
 * True for exactly one caller per key, also over processes; everybody else gets false. A key that was claimed more than
 * an hour before `now` (milliseconds since the epoch) is forgotten and may be claimed once more. Throws FaultError when
 * the ledger cannot be asked: then nobody knows, and the caller must not act.
 */
export async function claimOnce(ledger: Ledger, key: string, now: number): Promise<boolean> {
  const stream = `dedupe/${key}`;
  let expected = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const claimed = await ledger.append(stream, expected, { type: "claimed", data: { at: now } });
    if (claimed.ok) return true;
    const [last] = await ledger.read(stream, claimed.version - 1);
    const { at } = (last?.data ?? {}) as { at?: number };
    if (last !== undefined && now - (at ?? last.at) <= interestMs) return false;
    expected = claimed.version;
  }
  throw new FaultError({
    kind: "timed-out",
    what: `claim of ${key}`,
    detail: `others wrote it ${attempts} times while we tried`,
  });
}
