import { defaultMigration } from "../site/site.ts";
import type { StepContext } from "../steps/step.ts";
import { newNamesSince, oldTtl } from "./notes.ts";

/** Seconds that old names stay beside new ones after their TTL, as the config has it. */
export const quietSeconds = ({ ports }: Pick<StepContext, "ports">): number =>
  (ports.config.migration ?? defaultMigration).quietSeconds;

/** Until when both names stay: the TTL of the old ones and the quiet period; milliseconds since the epoch. */
export function quietUntil(context: Pick<StepContext, "ports" | "run">): number | undefined {
  const since = newNamesSince(context.run.notes);
  return since === undefined
    ? undefined
    : since + (oldTtl(context.run.notes) + quietSeconds(context)) * 1_000;
}
