import * as z from "zod";
import type { NonEmpty } from "../finding.ts";
import { nearest } from "../nearest.ts";
import type { IncidentRunbook, IncidentStep } from "./runbook.ts";

/**
 * A site's own runbooks, as YAML: lists of checks, manual instructions and time-outs, perhaps with the diagnosis of one
 * of ours. They look and remind; nothing in them acts.
 */
const id = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "must be lower-case words with dashes, such as power-loss");
const title = z.string().trim().min(1, "must not be empty").max(80, "must be at most 80 characters");
const prose = z.string().trim().min(1, "must not be empty").max(1_500, "must be at most 1500 characters");
const node = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "must be the name of a node");

const timeout = z
  .string()
  .regex(/^[1-9]\d*(s|m|h)$/, "must be a time such as 90s, 10m or 2h")
  // What is no time at all has been told already.
  .refine((value) => !(secondsOf(value) < 10 || secondsOf(value) > 86_400), "must be between 10s and 24h");

/** `10m` is 600. */
function secondsOf(value: string): number {
  const unit = { s: 1, m: 60, h: 3_600 }[value.slice(-1)] ?? Number.NaN;
  return Number(value.slice(0, -1)) * unit;
}

const step = z.strictObject({
  id: id.optional().describe("How people name the step; without it made from the title"),
  title: title.optional(),
  checks: z.array(z.string()).min(1).optional().describe("Checks to run, by id; /nodes explain lists them"),
  nodes: z.array(node).min(1).optional().describe("With checks: these nodes instead of all"),
  do: prose.optional().describe("What a person does; they say when it is done"),
  timeout: timeout.optional().describe("With do: after so long the thread asks whether anybody is at it"),
  diagnose: z.literal(true).optional().describe("The diagnosis of the runbook, here"),
});

const runbook = z.strictObject({
  id,
  title,
  summary: prose,
  diagnose: z
    .string()
    .optional()
    .describe("One of the built-in runbooks, whose diagnosis this one begins with"),
  argument: z
    .string()
    .min(1)
    .optional()
    .describe("With diagnose: always about this; without it the runbook is run with an argument"),
  steps: z.array(step).min(1),
});

export const siteRunbookFile = z
  .strictObject({ runbooks: z.array(runbook).min(1) })
  .describe("Arpeggio: a site's own runbooks for on-call");

export type SiteRunbook = z.output<typeof runbook>;
type SiteStep = SiteRunbook["steps"][number];

export type KnownToSite = Readonly<{
  /** Ids of all checks. */
  checks: readonly string[];
  /** The built-in runbooks. */
  builtIn: readonly IncidentRunbook[];
  /** Ids that other files took. */
  taken: readonly string[];
}>;

export type SiteIssue = Readonly<{ path: readonly PropertyKey[]; message: string }>;

type Loose = Readonly<Record<string, unknown>>;
const record = (value: unknown): Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const quote = (value: unknown): string => JSON.stringify(value) ?? String(value);

const hint = (value: string, valid: readonly string[]): string => {
  const near = nearest(value, valid);
  return near === undefined ? `expected one of ${valid.join(", ")}` : `nearest: "${near}"`;
};

const kinds = ["checks", "do", "diagnose"] as const;

function stepIssues(given: unknown, path: readonly PropertyKey[], checks: readonly string[]): SiteIssue[] {
  const one = record(given);
  const has = kinds.filter((kind) => one[kind] !== undefined);
  const issues: SiteIssue[] = [];
  if (has.length !== 1)
    issues.push({
      path,
      message: `has ${has.length === 0 ? "none" : has.map((kind) => `"${kind}"`).join(" and ")} of "checks", "do" and "diagnose"; expected exactly one`,
    });
  for (const [i, check] of list(one.checks).entries())
    if (typeof check === "string" && !checks.includes(check))
      issues.push({
        path: [...path, "checks", i],
        message: `is ${quote(check)}, which is no check; ${hint(check, checks)}`,
      });
  for (const [key, needs] of [
    ["nodes", "checks"],
    ["timeout", "do"],
  ] as const)
    if (one[key] !== undefined && one[needs] === undefined)
      issues.push({ path: [...path, key], message: `needs "${needs}" beside it` });
  return issues;
}

/** What a schema cannot say: names that have to exist, or must not be taken. Told beside what the schema says. */
export function siteRunbookIssues(root: unknown, known: KnownToSite): readonly SiteIssue[] {
  const builtIn = known.builtIn.map((each) => each.id);
  const diagnosing = known.builtIn.filter(({ diagnose }) => diagnose !== undefined).map((each) => each.id);
  const ids = list(record(root).runbooks).map((each) => record(each).id);
  return list(record(root).runbooks).flatMap((given, i): SiteIssue[] => {
    const one = record(given);
    const path = ["runbooks", i];
    const issues: SiteIssue[] = [];
    const taken = builtIn.includes(String(one.id))
      ? "which is one of the built-in runbooks"
      : ids.indexOf(one.id) < i || known.taken.includes(String(one.id))
        ? "which another runbook is called already"
        : undefined;
    if (typeof one.id === "string" && taken !== undefined)
      issues.push({ path: [...path, "id"], message: `is ${quote(one.id)}, ${taken}` });
    if (typeof one.diagnose === "string" && !diagnosing.includes(one.diagnose))
      issues.push({
        path: [...path, "diagnose"],
        message: `is ${quote(one.diagnose)}, which is no runbook with a diagnosis; ${hint(one.diagnose, diagnosing)}`,
      });
    if (one.argument !== undefined && one.diagnose === undefined)
      issues.push({ path: [...path, "argument"], message: `needs "diagnose" beside it` });
    const base = known.builtIn.find((each) => each.id === one.diagnose);
    if (base !== undefined && one.argument !== undefined && base.argument === undefined)
      issues.push({
        path: [...path, "argument"],
        message: `is ${quote(one.argument)}, and ${quote(one.diagnose)} takes no argument`,
      });
    const steps = list(one.steps);
    for (const [nth, each] of steps.entries()) {
      issues.push(...stepIssues(each, [...path, "steps", nth], known.checks));
      if (record(each).diagnose !== undefined && one.diagnose === undefined)
        issues.push({
          path: [...path, "steps", nth, "diagnose"],
          message: `needs "diagnose" of the runbook to name one of ${diagnosing.join(", ")}`,
        });
    }
    const stepIds = steps.map((each) => record(each).id);
    for (const [nth, stepId] of stepIds.entries())
      if (stepId !== undefined && stepIds.indexOf(stepId) < nth)
        issues.push({
          path: [...path, "steps", nth, "id"],
          message: `is ${quote(stepId)}, which another step of this runbook is called already`,
        });
    return issues;
  });
}

const slug = (words: string): string =>
  words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);

function titleOf(given: SiteStep, base: IncidentRunbook | undefined): string {
  if (given.title !== undefined) return given.title;
  if (given.checks !== undefined) return `Check ${given.checks.join(", ")}`.slice(0, 80);
  if (given.do !== undefined) return (given.do.split(/[.\n]/)[0] ?? given.do).slice(0, 60);
  return base?.title ?? "Look";
}

function toStep(given: SiteStep, stepId: string, base: IncidentRunbook | undefined): IncidentStep {
  const head = { id: stepId, title: titleOf(given, base) };
  const [first, ...others] = given.checks ?? [];
  if (first !== undefined)
    return {
      ...head,
      kind: "checks",
      checks: [first, ...others],
      ...(given.nodes !== undefined && { nodes: given.nodes }),
    };
  if (given.do !== undefined)
    return {
      ...head,
      kind: "manual",
      instruction: [given.do],
      ...(given.timeout !== undefined && { timeoutSeconds: secondsOf(given.timeout) }),
    };
  return { ...head, kind: "diagnose" };
}

/** Ids for steps that have none; each once. */
function stepIds(steps: readonly SiteStep[], base: IncidentRunbook | undefined): readonly string[] {
  const taken = new Set(steps.flatMap((each) => each.id ?? []));
  return steps.map((each) => {
    if (each.id !== undefined) return each.id;
    const wanted = slug(titleOf(each, base)) || "step";
    let free = wanted;
    for (let n = 2; taken.has(free); n++) free = `${wanted}-${n}`;
    taken.add(free);
    return free;
  });
}

/** The runbook as the rest of the product knows it. Everything in it was judged before. */
export function toIncidentRunbook(
  given: SiteRunbook,
  builtIn: readonly IncidentRunbook[],
  source: string,
): IncidentRunbook {
  const base = builtIn.find((each) => each.id === given.diagnose);
  const looks = given.steps.some(({ diagnose }) => diagnose === true);
  // Whoever names a diagnosis and no place for it wants to see it first.
  const steps: readonly SiteStep[] =
    base === undefined || looks ? given.steps : [{ id: "diagnose", diagnose: true }, ...given.steps];
  const ids = stepIds(steps, base);
  const [first, ...others] = steps.map((each, i) => toStep(each, ids[i] ?? `step-${i + 1}`, base));
  if (first === undefined) throw new Error(`runbook ${given.id} has no step`);
  const { diagnose } = base ?? {};
  const fixed = given.argument;
  return {
    id: given.id,
    title: given.title,
    summary: [given.summary],
    codes: base?.codes ?? [],
    ...(base?.argument !== undefined && fixed === undefined && { argument: base.argument }),
    ...(diagnose !== undefined && {
      diagnose: (ports, word, options) => diagnose(ports, fixed ?? word, options),
    }),
    steps: [first, ...others] as NonEmpty<IncidentStep>,
    source,
  };
}
