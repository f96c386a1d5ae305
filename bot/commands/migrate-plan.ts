import * as z from "zod";
import type { Finding } from "#shared/finding.ts";
import { shortDigest } from "#shared/policy/approval.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { planBlocks, planJson } from "#shared/runs/run-notes.ts";
import { forecastSteps, type StepForecast } from "#shared/runs/survey-plan.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { code, plain, strong, type Text, text } from "#shared/text.ts";
import { stepPorts } from "../runs/runner-of.ts";
import { defineVerb } from "./command.ts";
import { chosenRunbook, everyDoor, inputOptions, inputShape, inputUsage } from "./migrate-words.ts";

/** `isStop`: the run would stop here; later steps only wait for what the ones before them bring about. */
const noteOf = (forecast: StepForecast, isStop: boolean): Text => {
  switch (forecast.kind) {
    case "unneeded":
      return text`not needed: ${forecast.because}`;
    case "blocked":
      return isStop ? text`would stop here` : text`not before the steps above: ${forecast.because}`;
    case "planned": {
      const { plan, acts, seen } = forecast;
      if (seen !== undefined) return seen;
      if (acts) return text`${plan.deeds.map(({ title }) => title).join("; ")}`;
      if (forecast.step.kind === "manual") return text`done by a person`;
      return plan.deeds.length > 0 ? text`${plan.deeds.map(({ title }) => title).join("; ")}` : text`looks`;
    }
  }
};

const details = (forecast: StepForecast, at: number): readonly Block[] => {
  if (forecast.kind !== "planned") return [];
  const blocks = planBlocks(forecast.plan);
  return blocks.length === 0
    ? []
    : [{ kind: "prose", text: text`${strong(`Step ${at + 1}, ${forecast.step.title}`)}` }, ...blocks];
};

/** `2 change something as things are, 5 wait for those, 4 not needed, 6 look or tell`. */
function tally(steps: readonly StepForecast[]): string {
  const count = (is: (step: StepForecast) => boolean): number => steps.filter(is).length;
  const acts = count((step) => step.kind === "planned" && step.acts);
  const later = count((step) => step.kind === "blocked");
  const unneeded = count((step) => step.kind === "unneeded");
  return [
    `${acts} would change something as things are`,
    ...(later > 0 ? [`${later} wait for steps before them`] : []),
    ...(unneeded > 0 ? [`${unneeded} not needed`] : []),
    `${steps.length - acts - later - unneeded} look or hand over`,
  ].join(", ");
}

/** The plan of a whole runbook as it would be now; nothing is started. */
function planReply(cluster: string, migration: Migration, steps: readonly StepForecast[]): Reply {
  const blocked = steps.filter((step) => step.kind === "blocked");
  const [stop] = blocked;
  const at = stop === undefined ? -1 : steps.indexOf(stop);
  const first = steps.find((step) => step.kind === "planned" && step.acts);
  const isEarly = stop !== undefined && (first === undefined || at < steps.indexOf(first));
  const stopping: readonly Finding[] = isEarly ? stop.findings : [];
  const findings: readonly Finding[] = [...stopping, ...steps.flatMap(({ remarks = [] }) => remarks)];
  return {
    verdict: {
      word: isEarly ? "BLOCKED" : "PLAN",
      outcome: isEarly ? "failed" : "info",
      text: isEarly
        ? text`${migration.id} · would stop at step ${at + 1} of ${steps.length}, ${stop.step.title}`
        : text`${migration.id} · ${steps.length} steps: ${tally(steps)}`,
    },
    cluster,
    why: isEarly
      ? stopping.length > 0
        ? text`Nothing was changed.`
        : text`${stop.because}. Nothing was changed.`
      : first?.kind === "planned"
        ? text`The first act is step ${steps.indexOf(first) + 1}, ${first.step.title}: plan ${code(shortDigest(first.digest))}. Later steps are planned again when it is their turn. Nothing was changed.`
        : text`Nothing was changed.`,
    findings,
    blocks: [
      {
        kind: "steps",
        steps: steps.map((forecast) => ({
          title: forecast.step.title,
          state:
            forecast.kind === "unneeded" ? "skipped" : forecast === stop && isEarly ? "failed" : "pending",
          note: noteOf(forecast, forecast === stop && isEarly),
        })),
      },
      ...steps.flatMap(details),
    ],
    next: isEarly
      ? [text`Cure it, then again: ${code(`/migrate plan ${migration.id}`)}`]
      : [text`To start it: ${code(`/migrate start ${migration.id}`)}`],
    actions: [],
    data: {
      runbook: migration.id,
      firstAct: first?.kind === "planned" ? { step: first.step.id, digest: first.digest } : null,
      steps: steps.map((forecast) => ({
        id: forecast.step.id,
        kind: forecast.kind,
        ...(forecast.kind === "planned"
          ? { digest: forecast.digest, plan: planJson(forecast.plan) }
          : { because: plain(forecast.because) }),
      })),
    },
  };
}

/** `/migrate plan RUNBOOK`: what it would do as things are, step by step, without starting it. */
export const plan = defineVerb({
  path: ["plan"],
  usage: `RUNBOOK ${inputUsage}`,
  summary:
    "What a runbook would do now: every step, objects before and after, what would stop it. Changes nothing.",
  examples: ["bgp-to-l2"],
  positionals: ["runbook"],
  options: inputOptions,
  input: z.object({ runbook: z.string(), ...inputShape }),
  role: "viewer",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: everyDoor,
  handle: async ({ input, cluster, deps, signal, show }) => {
    if (cluster === undefined) throw new Error("migrate plan needs a cluster");
    const { name } = cluster.config;
    const chosen = chosenRunbook((await deps.migrations?.()) ?? [], name, input.runbook, input);
    if ("verdict" in chosen) return chosen;
    const { migration, inputs } = chosen;
    const about = { cluster: name, inputs };
    const steps = await forecastSteps(migration, stepPorts(deps, cluster), about, signal, (step) =>
      show({
        verdict: { word: "PLAN", outcome: "running", text: text`${migration.id} · looking at ${step.title}` },
        cluster: name,
        findings: [],
        blocks: [],
        actions: [],
      }),
    );
    return planReply(name, migration, steps);
  },
});
