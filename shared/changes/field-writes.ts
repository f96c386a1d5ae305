import { code, join, type Text, text } from "../text.ts";
import { isIn } from "./change.ts";
import type { Collector } from "./collector.ts";
import { isFirstWrite } from "./created.ts";
import type { WatchedKind } from "./watched-kinds.ts";

/** Kinds that programs write all the time; their starts, conditions and own times say more. */
const passedOver: readonly WatchedKind[] = ["pods", "servicel2statuses", "configurationstates"];

const shown = 3;

const heldText = (fields: readonly string[]): Text => {
  if (fields.length === 0) return text`changed`;
  const more = fields.length > shown ? ` and ${fields.length - shown} more` : "";
  return text`changed; it holds ${join(
    fields.slice(0, shown).map((field) => code(field)),
    ", ",
  )}${more}`;
};

/**
 * The last write of each field manager. It names the fields that the manager holds, which of them it changed last is not
 * kept. Writes of `status` are left to the conditions: controllers repeat them without end.
 */
export const fieldWrites: Collector = {
  source: "managedFields",
  collect: ({ traced }, window) =>
    traced
      .filter(({ kind }) => !passedOver.includes(kind))
      .flatMap((each) =>
        each.writes.flatMap(({ at, manager, subresource, fields }) =>
          subresource !== "status" && isIn(window, at) && !isFirstWrite(each, at)
            ? [
                {
                  at,
                  subject: each.subject,
                  what: heldText(fields),
                  ...(manager === "" || manager === "unknown" ? {} : { by: manager }),
                  source: "managedFields" as const,
                },
              ]
            : [],
        ),
      ),
};
