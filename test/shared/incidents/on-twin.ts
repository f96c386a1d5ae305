import { runInMemory } from "#infra/lab/in-memory.ts";
import type { Diagnosis } from "#shared/incidents/diagnosis.ts";
import type { DiagnosePorts, IncidentRunbook, NoSuch } from "#shared/incidents/runbook.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

export type World = Readonly<{
  site?: () => SiteSpec;
  /** What happens a minute after the start. */
  afterwards?: (twin: Twin) => void | Promise<void>;
  /** Until somebody asks, seconds; a minute without it. */
  waitSeconds?: number;
  /** Breaks a port, or changes the config. */
  around?: (ports: DiagnosePorts) => DiagnosePorts;
}>;

export type Asked = Readonly<{ answer: Diagnosis | NoSuch; tookMs: number; shown: readonly string[] }>;

/** Asks an incident runbook about a site of the model, on a clock of its own. */
export async function ask(runbook: IncidentRunbook, word: string, world: World = {}): Promise<Asked> {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  const { twin, deps, ledger } = runInMemory((world.site ?? healthy)(), clock);
  try {
    await clock.advance(60_000);
    if (world.afterwards !== undefined) {
      const happening = Promise.resolve(world.afterwards(twin));
      await clock.advance((world.waitSeconds ?? 60) * 1_000);
      await happening;
    }
    const [cluster] = [...deps.clusters.values()];
    if (cluster === undefined || runbook.diagnose === undefined) throw new Error("nothing to ask");
    let count = 0;
    const ports: DiagnosePorts = {
      config: cluster.config,
      read: cluster.read,
      shell: cluster.shell,
      logs: cluster.logs,
      clock,
      zones: cluster.zones,
      ask: cluster.ask,
      ledger,
      newNonce: () => `nonce-${String(++count)}`,
    };
    const shown: string[] = [];
    const from = clock.now();
    const answer = await clock.runUntil(
      runbook.diagnose(world.around?.(ports) ?? ports, word, {
        signal: new AbortController().signal,
        show: (line) => shown.push(plain(line)),
      }),
    );
    return { answer, tookMs: clock.now() - from, shown };
  } finally {
    twin.stop();
  }
}

/** The diagnosis, or an error with the usage that came instead. */
export async function diagnosed(
  runbook: IncidentRunbook,
  word: string,
  world: World = {},
): Promise<Diagnosis & Readonly<{ tookMs: number }>> {
  const { answer, tookMs } = await ask(runbook, word, world);
  if ("noSuch" in answer) throw new Error(plain(answer.noSuch));
  return { ...answer, tookMs };
}

/** `cause: node-gone + memberlist-off`, `candidates: a | b`, `healthy`, `unknown`. */
export function concluded({ conclusion }: Diagnosis): string {
  switch (conclusion.kind) {
    case "cause":
      return `cause: ${[conclusion.cause, ...conclusion.also].map(({ code }) => code).join(" + ")}`;
    case "candidates":
      return `candidates: ${conclusion.causes.map(({ code }) => code).join(" | ")}`;
    default:
      return conclusion.kind;
  }
}

export const outcomes = ({ links }: Diagnosis): Readonly<Record<string, string>> =>
  Object.fromEntries(links.map(({ id, outcome }) => [id, outcome]));
