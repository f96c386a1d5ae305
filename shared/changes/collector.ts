import type { Change, ChangeSource, Window } from "./change.ts";
import type { EventTrace } from "./read-events.ts";
import type { Traced } from "./read-traces.ts";

/** Everything that was read of the cluster, before any collector has seen it. */
export type Traces = Readonly<{ traced: readonly Traced[]; events: readonly EventTrace[] }>;

/** Reads one source. Pure: what it returns lies in the window and says nothing that the source does not. */
export type Collector = Readonly<{
  source: ChangeSource;
  collect: (traces: Traces, window: Window) => readonly Change[];
}>;
