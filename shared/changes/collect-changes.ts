import { collectors } from "./all.ts";
import type { Change, Window } from "./change.ts";
import { readEvents } from "./read-events.ts";
import { type Lists, readTraces } from "./read-traces.ts";

/** Asks every source about the same lists. Pure. */
export function collectChanges(
  lists: Lists,
  window: Window,
): Readonly<{ changes: readonly Change[]; problems: readonly string[] }> {
  const { traced, problems } = readTraces(lists);
  const { events, problems: unreadable } = readEvents(lists.events);
  return {
    changes: collectors.flatMap(({ collect }) => collect({ traced, events }, window)),
    problems: [...problems, ...unreadable],
  };
}
