import { type Fqdn, isWithin } from "../dns/fqdn.ts";
import type { ReadZones } from "../dns/zones.ts";
import { planStream, readPlan } from "../drift/plan-stream.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ExplainEvidence } from "./evidence.ts";

type Change = ExplainEvidence["change"];

const notKnown = (detail: string): Change => ({
  ok: false,
  fault: { kind: "not-configured", what: "state of the last change", detail } satisfies Fault,
});

/** Route 53 tells the state of a change for some time only; one that was made long ago has arrived. */
const recentMs = 86_400_000;

/** The last change that we made in the zone of a name, with the time it was asked for. */
async function lastChangeId(
  ledger: Ledger,
  name: Fqdn,
): Promise<Readonly<{ id: string; at: number }> | undefined> {
  let last: Readonly<{ id: string; at: number; depth: number }> | undefined;
  const prefix = planStream("");
  for (const stream of await ledger.list("plan")) {
    const state = await readPlan(ledger, stream.slice(prefix.length));
    if (state?.begun === undefined || !isWithin(name, state.plan.zone.name)) continue;
    const applied = state.batches.filter((each) => typeof each === "object" && each.state === "applied");
    const batch = applied.at(-1);
    const depth = state.plan.zone.name.length;
    if (typeof batch !== "object" || batch.state !== "applied") continue;
    const { at } = state.begun;
    // Of nested zones the deepest holds the name.
    if (last === undefined || depth > last.depth || (depth === last.depth && at > last.at))
      last = { id: batch.changeId, at, depth };
  }
  return last;
}

/** Whether what we last wrote to the zone of a name has reached all of Route 53's servers. Changes of others are not known. */
export async function lastChange(
  on: Readonly<{ ledger: Ledger | undefined; zones: ReadZones | undefined; now: number }>,
  name: Fqdn,
): Promise<Change> {
  if (on.ledger === undefined || on.zones === undefined)
    return notKnown("what was changed is known where the bot is, and there is no ledger or no zone here");
  try {
    const last = await lastChangeId(on.ledger, name);
    if (last === undefined || on.now - last.at > recentMs)
      return notKnown("Arpeggio made none within a day that it knows of");
    return { ok: true, from: "Route 53", value: await on.zones.change(last.id) };
  } catch (error) {
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
}
