import { clusterConfigOf } from "#infra/lab/in-memory.ts";
import type { Json } from "#shared/json.ts";
import type { WriteCluster } from "#shared/kubernetes/write.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { advance } from "#shared/runs/advance.ts";
import { approve } from "#shared/runs/people.ts";
import { openNewRun, readRun } from "#shared/runs/run-log.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { type Advanced, defaultTimes, type Runner } from "#shared/runs/runner.ts";
import { startedEvent } from "#shared/runs/started.ts";
import type { ClusterConfig } from "#shared/site/site.ts";
import { lookOn } from "#shared/steps/look.ts";
import { performOn } from "#shared/steps/perform.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import type { StepPorts } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { shellOn } from "#shared/twin/shell-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { writeOn } from "#shared/twin/write-on.ts";

export const signal = new AbortController().signal;

/** A run of a runbook on a site of the model, with the engine that the bot uses. */
export function runOnTwin(
  spec: SiteSpec,
  migration: Migration,
  inputs: Readonly<Record<string, Json>>,
  options: Readonly<{
    config?: (config: ClusterConfig) => ClusterConfig;
    around?: (ports: StepPorts, twin: Twin) => StepPorts;
    aroundWrite?: (write: WriteCluster) => WriteCluster;
    /** While true the process is dead: it neither reads nor writes the ledger. */
    killed?: () => boolean;
  }> = {},
) {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const store = createObjectStore({ now: clock.now, newUid: newId, admit: admitMetalLb });
  const twin = createTwin({ spec, clock, store, newId });
  const base = clusterConfigOf(spec);
  const config = options.config?.(base) ?? base;
  const write = (options.aroundWrite ?? ((same) => same))(writeOn(store));
  const plainPorts: StepPorts = {
    config,
    read: readOn(store),
    shell: shellOn(twin),
    logs: logsOn(twin),
    clock,
    dryRun: write,
    zones: undefined,
    trees: new Map(),
    newNonce: () => `nonce-${String(++ids)}`,
    readFile: () => Promise.reject(new Error("no files")),
  };
  const ports = options.around?.(plainPorts, twin) ?? plainPorts;
  const kept = createMemoryLedger({ now: clock.now });
  const alive =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (options.killed?.() === true) throw new Error("killed");
      return call(...args);
    };
  const ledger: Ledger = {
    ...kept,
    read: alive(kept.read),
    append: alive(kept.append),
    lease: alive(kept.lease),
    release: alive(kept.release),
  };
  const said: string[] = [];
  const runner: Runner = {
    ledger,
    clock,
    newToken: newId,
    migrations: [migration],
    ports,
    deeds: (origin) => ({
      perform: performOn({ ...ports, write }, origin),
      look: lookOn({ ...ports, write }, origin),
    }),
    tell: {
      state: async () => {},
      note: async (_, id, reply) => {
        said.push(`${id}: ${plain(reply.verdict.text)} ${plain(reply.why ?? [])}`);
      },
    },
    times: { ...defaultTimes, approvalMs: 900_000 },
  };
  const on = <T>(work: Promise<T>): Promise<T> => clock.runUntil(work);
  const go = (): Promise<Advanced> => on(advance(runner, "R-7", { by: "olive", signal }));
  const state = async (): Promise<RunState> => {
    const read = await readRun(ledger, "R-7");
    if (read === undefined) throw new Error("no run R-7");
    return read;
  };
  return {
    twin,
    store,
    clock,
    runner,
    ports,
    said,
    on,
    go,
    state,
    start: async (): Promise<Advanced> => {
      await openNewRun(
        ledger,
        "R-7",
        startedEvent(migration, { cluster: "goldentooth", inputs, by: "olive", approvals: "others" }),
      );
      return go();
    },
    /** Somebody else says yes to what is asked; nobody drives yet. */
    approve: async (): Promise<void> => {
      const now = await state();
      const digest = now.steps.find(({ asked, approved }) => asked !== undefined && approved === undefined)
        ?.asked?.digest;
      if (digest === undefined) throw new Error("nothing is asked");
      const asked = await approve(
        runner,
        "R-7",
        { by: "vera", isApprover: true, digest },
        { approvals: "others" },
        [],
      );
      if (!asked.ok) throw new Error(plain(asked.because));
    },
    steps: async (): Promise<readonly string[]> =>
      (await state()).steps.map(
        ({ id, status, note }) => `${id} ${status}${note === undefined ? "" : `: ${plain(note)}`}`,
      ),
  };
}
