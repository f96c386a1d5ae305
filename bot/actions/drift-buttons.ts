import { readPlan } from "#shared/drift/plan-stream.ts";
import { code, text } from "#shared/text.ts";
import type { Deps } from "../commands/command.ts";
import { quoteWords } from "../quote-words.ts";
import type { Action, PressOutcome } from "./action.ts";
import { olderMessage } from "./older-message.ts";

const older: PressOutcome = { reply: olderMessage(text`What differs now: ${code("/dns check")}`) };

/** The cluster whose configuration has the zone; ids are taken once. */
const clusterOf = ({ clusters }: Deps, zoneId: string): string | undefined =>
  [...clusters.values()].find(({ config }) => config.dns?.zones.some(({ id }) => id === zoneId))?.config.name;

/** Of a report: a zone's id, whatever follows it, or the plan that was made from it. */
const ofReport = (id: string, words: (zoneId: string) => readonly string[]): Action => ({
  id,
  press: async ({ pressed, deps }) => {
    const [, plan] = /^(P-[0-9a-f]{8})$/.exec(pressed.value) ?? [];
    const kept =
      plan === undefined || deps.ledger === undefined ? undefined : await readPlan(deps.ledger, plan);
    const zoneId = kept?.plan.zone.id ?? /^(Z[A-Z0-9]+)(?: [0-9a-zA-Z:.-]+)?$/.exec(pressed.value)?.[1];
    const cluster = zoneId === undefined ? undefined : clusterOf(deps, zoneId);
    if (zoneId === undefined || cluster === undefined) return older;
    return { words: quoteWords(["dns", ...words(zoneId), "--cluster", cluster]) };
  },
});

/** Of a plan: its id, perhaps with the digest that was shown. A press becomes words with the presser's rights. */
const ofPlan = (
  id: string,
  words: (plan: string, digest: string | undefined) => readonly string[],
): Action => ({
  id,
  press: async ({ pressed, deps }) => {
    const [, plan, digest] = /^(P-[0-9a-f]{8})(?: ([0-9a-f]{64}))?$/.exec(pressed.value) ?? [];
    if (plan === undefined || deps.ledger === undefined) return older;
    const state = await readPlan(deps.ledger, plan);
    const cluster = state?.plan.cluster ?? clusterOf(deps, state?.plan.zone.id ?? "");
    if (cluster === undefined) return older;
    return { words: quoteWords(["dns", ...words(plan, digest), "--cluster", cluster]) };
  },
});

export const driftButtons: readonly Action[] = [
  // A report's plan is made afresh: what was true when it was told may be so no more.
  ofReport("drift-plan", (zone) => ["plan", zone]),
  ofReport("drift-explain", (zone) => ["report", zone, "--explain"]),
  ofReport("drift-snooze", (zone) => ["snooze", zone, "--for", "1d", "--reason", "from the report's button"]),
  ofPlan("drift-approve", (plan, digest) =>
    digest === undefined ? ["apply", plan] : ["apply", plan, digest],
  ),
  ofPlan("drift-withdraw", (plan) => ["withdraw", plan]),
  ofPlan("drift-undo", (plan) => ["undo", plan]),
];
