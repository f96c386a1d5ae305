import type { LedgerEvent } from "../ledger/ledger.ts";
import { type HandOverGap, handOverGap } from "../migration/hand-over-gap.ts";
import { readRunEvent } from "../runs/run-events.ts";

/** What new connections to one address felt during one act, as a probe measured it while it happened. */
export type MeasuredOutage = Readonly<{ run: string; step: string; act: number; address: string }> &
  HandOverGap;

const addressesIn = (facts: unknown): readonly string[] => {
  const { addresses } = (facts ?? {}) as Readonly<{ addresses?: unknown }>;
  return typeof addresses === "object" && addresses !== null && !Array.isArray(addresses)
    ? Object.entries(addresses)
        .filter(([, felt]) => Array.isArray((felt as Readonly<{ gaps?: unknown }> | null)?.gaps))
        .map(([address]) => address)
    : [];
};

/**
 * Everything a run measured, act by act. What was not looked at all the time is not in it, nor what a step disowned
 * (`measured: false`): no number stands here that was not measured.
 */
export function measuredOutages(run: string, events: readonly LedgerEvent[]): readonly MeasuredOutage[] {
  const read = events.map(readRunEvent).map(({ event }) => event);
  const disowned = new Set(
    read.flatMap((event) =>
      event.type === "verified" &&
      (event.notes as Readonly<{ measured?: unknown }> | null)?.measured === false
        ? [event.step]
        : [],
    ),
  );
  return read.flatMap((event) =>
    event.type === "observed" && !disowned.has(event.step)
      ? addressesIn(event.facts).flatMap((address): readonly MeasuredOutage[] => {
          const gap = handOverGap(event.facts, address);
          return gap === undefined || gap.tried === 0
            ? []
            : [{ run, step: event.step, act: event.act, address, ...gap }];
        })
      : [],
  );
}
