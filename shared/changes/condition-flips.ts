import { text } from "../text.ts";
import { isIn } from "./change.ts";
import type { Collector } from "./collector.ts";
import { isFirstWrite } from "./created.ts";

/** The last time each condition flipped. Of a pod only Ready: the others come with its start. */
export const conditionFlips: Collector = {
  source: "condition",
  collect: ({ traced }, window) =>
    traced.flatMap((each) =>
      each.conditions
        .filter(({ type, at }) => isIn(window, at) && (each.kind !== "pods" || type === "Ready"))
        // What an object is born with is no change of it.
        .filter(({ at }) => !isFirstWrite(each, at))
        .map(({ type, status, reason, at }) => ({
          at,
          subject: each.subject,
          what: text`condition ${type} is ${status || "empty"}${reason === "" ? "" : ` (${reason})`}`,
          source: "condition" as const,
        })),
    ),
};
