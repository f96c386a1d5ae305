import { readEvents } from "../../changes/read-events.ts";
import type { Fault } from "../../fault.ts";
import { isFault } from "../../fault.ts";
import type { Listed } from "../../kubernetes/read.ts";

/** That a node announced a Service by layer 2, from its first event to its last, milliseconds since the epoch. */
export type Announcement = Readonly<{ node: string; first: number; last: number; times: number }>;

const assignment = /announcing from node "([^"]+)"(?: with protocol "([^"]+)")?/;

/** Who announced a Service as far as events are left, which is about an hour; the earliest first. */
export function announcements(events: Listed | undefined, service: string): readonly Announcement[] | Fault {
  if (events === undefined) return { kind: "not-configured", what: "events", detail: "they were not listed" };
  if (isFault(events)) return events;
  return readEvents(events)
    .events.filter(
      ({ reason, subject }) =>
        reason === "nodeAssigned" && subject.kind === "Service" && subject.name === service,
    )
    .flatMap(({ message, first, last, times }): readonly Announcement[] => {
      const [, node, protocol = "layer2"] = assignment.exec(message) ?? [];
      return node === undefined || protocol !== "layer2" ? [] : [{ node, first, last, times }];
    })
    .toSorted((a, b) => a.first - b.first || a.last - b.last);
}

/** When the address changed hands, by the moments that nodes were first and last seen announcing. */
export function movesOf(
  seen: readonly Announcement[],
): readonly Readonly<{ at: number; from: string; to: string }>[] {
  const moments = seen
    .flatMap(({ node, first, last }) => [{ at: first, node }, ...(last > first ? [{ at: last, node }] : [])])
    .toSorted((a, b) => a.at - b.at);
  return moments.flatMap(({ at, node }, i) => {
    const before = moments[i - 1]?.node;
    return before === undefined || before === node ? [] : [{ at, from: before, to: node }];
  });
}
