import { text } from "../text.ts";
import { isIn } from "./change.ts";
import type { Collector } from "./collector.ts";

/** Objects that were told to go and are still there, since a finalizer or a grace period holds them. */
export const beingDeleted: Collector = {
  source: "deletionTimestamp",
  collect: ({ traced }, window) =>
    traced.flatMap(({ deleting, subject }) =>
      isIn(window, deleting)
        ? [{ at: deleting, subject, what: text`is being deleted`, source: "deletionTimestamp" }]
        : [],
    ),
};
