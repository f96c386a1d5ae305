import type { ShellOutput } from "#shared/probes/shell.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { shellOn } from "#shared/twin/shell-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { createTwin } from "#shared/twin/twin.ts";
import type { VirtualClock } from "#shared/twin/virtual-clock.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

export type TwinFixture = Readonly<{
  twin: Twin;
  clock: VirtualClock;
  /** Runs a command line on a machine and moves time on until it ends. */
  run: (machine: string, line: string, timeoutMs?: number) => Promise<ShellOutput>;
  /** Starts a command line and leaves time alone. */
  start: (machine: string, line: string, timeoutMs?: number) => Promise<ShellOutput>;
}>;

/** A twin on a virtual clock that starts 2026-01-01T00:00:00Z. */
export function twinOf(spec: SiteSpec): TwinFixture {
  const clock = createVirtualClock();
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const store = createObjectStore({ now: clock.now, newUid: newId });
  const twin = createTwin({ spec, clock, store, newId });
  const shell = shellOn(twin);
  const start: TwinFixture["start"] = (machine, line, timeoutMs = 60_000) => {
    const [program = "", ...args] = line.split(" ");
    return shell(
      { kind: "vantage", name: machine },
      { argv: [program, ...args], privileged: true, timeoutMs },
    );
  };
  return {
    twin,
    clock,
    start,
    run: (machine, line, timeoutMs) => clock.runUntil(start(machine, line, timeoutMs)),
  };
}

/** MACs that answered, from the output of either program, lower case, in order of first answer. */
export const macsIn = (text: string): readonly string[] => [
  ...new Set(
    [...text.matchAll(/reply from \S+ \[([0-9A-F:]+)\]/g)].map((match) => (match[1] ?? "").toLowerCase()),
  ),
];
