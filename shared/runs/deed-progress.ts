import type { RunEvent } from "./run-events.ts";
import type { DeedProgress } from "./run-state.ts";

/** What is written about one deed of an act. */
export type DeedEvent = Extract<RunEvent, { token: string }>;

/** How far a deed is after one more of its events. */
export function progressed(before: DeedProgress, event: DeedEvent): DeedProgress {
  switch (event.type) {
    case "deed-intended":
      // A second one while the first is in doubt is in doubt itself; it never makes a deed free that is not.
      return before.status === "pending" || before.status === "in-doubt"
        ? { status: "in-doubt", token: event.token }
        : before;
    case "deed-done":
      return before.token === event.token
        ? { status: "done", token: event.token, facts: event.facts }
        : before;
    case "deed-refused":
      return before.token === event.token && before.status === "in-doubt"
        ? {
            ...before,
            status: "refused",
            refusal: {
              because: event.because,
              message: event.message,
              ...(event.moved !== undefined && { moved: event.moved }),
            },
          }
        : before;
    case "deed-not-done":
      return before.token === event.token && before.status === "in-doubt" ? { status: "pending" } : before;
  }
}
