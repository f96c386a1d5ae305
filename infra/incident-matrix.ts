import type { Diagnosis } from "#shared/incidents/diagnosis.ts";
import type { DiagnosePorts, IncidentRunbook } from "#shared/incidents/runbook.ts";
import { incidentRunbooks } from "#shared/incidents/runbooks/all.ts";
import { plain } from "#shared/text.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { playing } from "./incident-recordings.ts";
import type { IncidentScenario } from "./incident-scenario.ts";
import { announcerScenarios } from "./incident-scenarios-announcers.ts";
import { announcingScenarios } from "./incident-scenarios-announcing.ts";
import { halfBlindScenarios } from "./incident-scenarios-half-blind.ts";
import { healthyScenarios } from "./incident-scenarios-healthy.ts";
import { nameOnlyScenarios, nameScenarios } from "./incident-scenarios-names.ts";
import { otherScenarios } from "./incident-scenarios-others.ts";
import { reachScenarios } from "./incident-scenarios-reach.ts";
import { recordedScenarios } from "./incident-scenarios-recorded.ts";
import { twoFaultScenarios } from "./incident-scenarios-two.ts";
import { runInMemory } from "./lab/in-memory.ts";

export const incidentScenarios: readonly IncidentScenario[] = [
  ...announcingScenarios,
  ...announcerScenarios,
  ...reachScenarios,
  ...nameScenarios,
  ...nameOnlyScenarios,
  ...otherScenarios,
  ...twoFaultScenarios,
  ...recordedScenarios,
  ...halfBlindScenarios,
  ...healthyScenarios,
];

/** What a runbook said: codes that it is certain of, or readings between which it does not decide. */
export type Said =
  | Readonly<{ kind: "certain"; codes: readonly string[] }>
  | Readonly<{ kind: "candidates"; codes: readonly string[] }>
  | Readonly<{ kind: "healthy" | "unknown" }>;

export type Answered = Readonly<{
  scenario: IncidentScenario;
  said: Said;
  /** From the question to the answer, milliseconds of the site's clock. */
  tookMs: number;
}>;

const minuteMs = 60_000;
const firstDay = Date.UTC(2026, 2, 1, 14);

export function saidOf({ conclusion }: Diagnosis): Said {
  switch (conclusion.kind) {
    case "cause":
      return { kind: "certain", codes: [conclusion.cause, ...conclusion.also].map(({ code }) => code) };
    case "candidates":
      return { kind: "candidates", codes: conclusion.causes.map(({ code }) => code) };
    default:
      return { kind: conclusion.kind };
  }
}

/** Boots the scenario's site on a clock of its own, lets what is wrong take its course, and asks. */
export async function askIncident(
  scenario: IncidentScenario,
  runbooks: readonly IncidentRunbook[] = incidentRunbooks,
): Promise<Answered & Readonly<{ diagnosis: Diagnosis }>> {
  const runbook = runbooks.find(({ id }) => id === scenario.runbook);
  if (runbook?.diagnose === undefined) throw new Error(`${scenario.name}: no runbook ${scenario.runbook}`);
  const clock = createVirtualClock(
    scenario.startsAt ?? firstDay,
    () => new Promise((go) => setImmediate(go)),
  );
  const { twin, deps, ledger } = runInMemory((scenario.site ?? healthy)(), clock);
  try {
    if (scenario.atOnce !== true) await clock.advance(minuteMs);
    const happening = Promise.resolve(scenario.afterwards?.(twin));
    await clock.advance((scenario.waitSeconds ?? 60) * 1_000);
    await happening;
    const [cluster] = [...deps.clusters.values()];
    if (cluster === undefined) throw new Error("no cluster");
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
    const player = playing(scenario.tapes ?? [], scenario.around?.(ports) ?? ports);
    const from = clock.now();
    const answer = await clock.runUntil(
      runbook.diagnose(player.ports, scenario.ask, {
        signal: new AbortController().signal,
        show: () => {},
      }),
    );
    if ("noSuch" in answer) throw new Error(`${scenario.name}: ${plain(answer.noSuch)}`);
    const [unplayed] = player.unplayed();
    if (unplayed !== undefined) throw new Error(`${scenario.name}: nobody asked for ${unplayed.file}`);
    return { scenario, said: saidOf(answer), tookMs: clock.now() - from, diagnosis: answer };
  } finally {
    twin.stop();
  }
}

/** What is held against an answer. A certainty about what is not so is the worst of them. */
export type Held = Readonly<{
  kind: "wrong certainty" | "missing verdict" | "false alarm";
  what: string;
}>;

/** Empty when the answer is right; an answer of candidates that hold the truth is right. */
export function heldAgainst({ scenario, said }: Pick<Answered, "scenario" | "said">): readonly Held[] {
  const { truths, alsoTrue = [], undecidable, blind, mayBeUnknown } = scenario;
  if (said.kind === "unknown" && (mayBeUnknown === true || blind === true)) return [];
  const codes = said.kind === "certain" || said.kind === "candidates" ? said.codes : [];
  if (truths.length === 0 && blind !== true) {
    if (said.kind === "healthy") return [];
    if (said.kind === "unknown") return [{ kind: "missing verdict", what: "that all is well" }];
    return [{ kind: "false alarm", what: codes.join(", ") }];
  }
  if (said.kind === "healthy") return [{ kind: "wrong certainty", what: "healthy" }];
  const known = [...truths.flatMap((each) => each.codes), ...alsoTrue];
  const held: Held[] = [];
  if (said.kind === "certain") {
    held.push(
      ...codes
        .filter((code) => !known.includes(code))
        .map((what): Held => ({ kind: "wrong certainty", what })),
    );
    // It may be right by luck alone: the same evidence stands for something else.
    if (undecidable !== undefined || blind === true)
      held.push({ kind: "wrong certainty", what: `${codes.join(", ")} cannot be certain` });
  }
  for (const each of truths)
    if (each.hidden === undefined && !each.codes.some((code) => codes.includes(code)))
      held.push({ kind: "missing verdict", what: each.words });
  return held;
}

/** Whether a right answer left the decision open. */
export const isEither = (answered: Pick<Answered, "scenario" | "said">): boolean =>
  answered.said.kind === "candidates" && heldAgainst(answered).length === 0;

/** Every scenario whose runbook there is, one after the other. */
export async function askIncidents(
  runbooks: readonly IncidentRunbook[] = incidentRunbooks,
): Promise<readonly Answered[]> {
  const all: Answered[] = [];
  for (const scenario of incidentScenarios)
    if (runbooks.some(({ id }) => id === scenario.runbook)) {
      const { diagnosis: _, ...answered } = await askIncident(scenario, runbooks);
      all.push(answered);
    }
  return all;
}
