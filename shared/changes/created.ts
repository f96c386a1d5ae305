import { text } from "../text.ts";
import { type Change, isIn, type Window } from "./change.ts";
import type { Collector } from "./collector.ts";
import type { Traced } from "./read-traces.ts";
import { partOf } from "./watched-kinds.ts";

/** Both are written in whole seconds by the same request. */
const sameWriteMs = 1_000;

/** The write that made an object, when its manager is still named. */
export const isFirstWrite = ({ created }: Traced, at: number): boolean =>
  created !== undefined && Math.abs(at - created) <= sameWriteMs;

/** A container that runs tells its start itself. */
const hasStarted = ({ object }: Traced): boolean =>
  (object.status as { containerStatuses?: readonly unknown[] } | undefined)?.containerStatuses?.some(
    (each) => (each as { state?: { running?: unknown } } | null)?.state?.running !== undefined,
  ) === true;

function createdOf(traced: Traced, window: Window): readonly Change[] {
  const { created, subject, writes, kind } = traced;
  if (kind === "servicel2statuses" || !isIn(window, created)) return [];
  if (kind === "pods" && hasStarted(traced)) return [];
  const by = writes.find(({ at }) => isFirstWrite(traced, at))?.manager;
  const part = kind === "pods" ? partOf(traced.object) : undefined;
  return [
    {
      at: created,
      subject,
      what: part === undefined ? text`created` : text`created (${part})`,
      ...(by === undefined || by === "unknown" ? {} : { by }),
      source: "creationTimestamp",
    },
  ];
}

export const created: Collector = {
  source: "creationTimestamp",
  collect: ({ traced }, window) => traced.flatMap((each) => createdOf(each, window)),
};
