import { type Fault, FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { WorkingTree } from "../git/working-tree.ts";
import type { Json } from "../json.ts";
import { admitMetalLb } from "../metallb/validate.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { Deed } from "../steps/deed.ts";
import { performOn } from "../steps/perform.ts";
import type { Migration } from "../steps/runbook.ts";
import type { Step, StepContext, StepPlan, StepPorts, Verified } from "../steps/step.ts";
import { type Text, text } from "../text.ts";
import { createObjectStore } from "../twin/create-object-store.ts";
import { logsOn } from "../twin/logs-on.ts";
import { readOn } from "../twin/read-on.ts";
import { shellOn } from "../twin/shell-on.ts";
import type { SiteSpec } from "../twin/site-spec.ts";
import { createTwin, type Twin } from "../twin/twin.ts";
import { createVirtualClock } from "../twin/virtual-clock.ts";
import { writeOn } from "../twin/write-on.ts";
import { applyValues, assumeDone } from "./assume-done.ts";
import type { UnknownKinds } from "./cluster-objects.ts";
import { type Client, type ClientsWatch, type Felt, watchClients } from "./felt.ts";
import { type NamePair, type NamesFelt, namesToMove, unseenRecords, watchNames } from "./names-felt.ts";

/** Who answers for an address: nodes by layer 2 with their interfaces, and nodes the router has a route through. */
export type Announcers = Readonly<{ ip: string; layer2: readonly string[]; bgp: readonly string[] }>;

export type RehearsedStep = Readonly<{
  id: string;
  title: string;
  kind: Step["kind"];
  /**
   * `would-halt`: the run would stop here; the rehearsal went on as if it had been forced. `unknown`: what the model was
   * made from does not tell.
   */
  outcome: "passed" | "unneeded" | "would-halt" | "unknown";
  /** One sentence: what came of it, or why it would stop. */
  text: Text;
  /** What would stop the run here, before or after the act. */
  halts: readonly Finding[];
  felt: Felt;
  /** Undefined where the model has no names, or none that move. */
  names: NamesFelt | undefined;
  /** Only addresses whose announcers changed. */
  moved: readonly Readonly<{ ip: string; before: Announcers; after: Announcers }>[];
  /** Of the model, milliseconds. */
  tookMs: number;
}>;

export type Rehearsal = Readonly<{
  steps: readonly RehearsedStep[];
  /** Addresses that some client reached before the first step. */
  addresses: number;
  /** Names before the first step. */
  names: NamesFelt | undefined;
  /** And an hour after the last, when resolvers have forgotten what is gone. */
  afterwards: NamesFelt | undefined;
}>;

export type RehearsalInput = Readonly<{
  spec: SiteSpec;
  config: ClusterConfig;
  migration: Migration;
  /** Kinds that are not known: a list of one is this fault, not empty. */
  unknownKinds?: UnknownKinds;
  /** Why what zones hold is not known; undefined where the spec has them, or nobody needs them. */
  zonesFault?: Fault;
  /** Configured clones, to read from; nothing is committed. */
  trees?: StepPorts["trees"];
  /** Step ids in the order to try; the runbook's own when left out. */
  order?: readonly string[];
  inputs: Readonly<Record<string, Json>>;
  clients: readonly Client[];
  startAt: number;
  readFile: StepPorts["readFile"];
  /** Lets woken code run to its next sleep; see `createVirtualClock`. */
  settle: () => Promise<void>;
  /** Called before each step. */
  show?: (step: Step, number: number, of: number) => void;
}>;

/** Changes are felt for some seconds: gratuitous rounds, caches, sessions. */
const afterwardsMs = 10_000;
const longestStepMs = 7 * 24 * 3_600_000;
const forgottenMs = 3_600_000;
const longestWaitMs = 3 * 24 * 3_600_000;

const addressesOf = (twin: Twin): readonly string[] =>
  twin.store.list("services").items.flatMap(({ status }) => {
    const { loadBalancer } = (status ?? {}) as { loadBalancer?: { ingress?: readonly { ip?: string }[] } };
    return (loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
      ip === undefined || ip.includes(":") ? [] : [ip],
    );
  });

const announcersOf = (twin: Twin): ReadonlyMap<string, Announcers> =>
  new Map(
    addressesOf(twin).map((ip) => [
      ip,
      { ip, layer2: twin.layer2Announcers(ip), bgp: twin.bgp.nextHops(ip) },
    ]),
  );

const stops = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severity !== "info");

/** The steps of the order, or the names that the runbook does not have. */
export function orderedSteps(
  migration: Migration,
  order: readonly string[] | undefined,
): Readonly<{ steps: readonly Step[] }> | Readonly<{ unknown: readonly string[] }> {
  if (order === undefined) return { steps: migration.steps };
  const unknown = order.filter((id) => !migration.steps.some((step) => step.id === id));
  return unknown.length > 0
    ? { unknown }
    : { steps: order.flatMap((id) => migration.steps.filter((step) => step.id === id)) };
}

/** A clone to read manifests from. */
const readOnly = (tree: WorkingTree): WorkingTree => ({
  ...tree,
  commit: (branch) =>
    Promise.reject(
      new FaultError({
        kind: "not-modelled",
        what: `commit on ${branch} of ${tree.name}`,
        detail: "a rehearsal commits nothing, and what GitOps would make of it is not known",
      }),
    ),
});

const pairsOf = async (context: StepContext): Promise<readonly NamePair[]> => {
  try {
    return await namesToMove(context);
  } catch (error) {
    if (error instanceof FaultError) return [];
    throw error;
  }
};

/**
 * Runs a runbook on a model of the site: approvals are granted, what people do by hand is done as they are told, and
 * where the run would stop the rehearsal says so and goes on.
 */
export async function rehearse(input: RehearsalInput): Promise<Rehearsal> {
  const clock = createVirtualClock(input.startAt, input.settle);
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const store = createObjectStore({ now: clock.now, newUid: newId, admit: admitMetalLb });
  const twin = createTwin({ spec: input.spec, clock, store, newId });
  const write = writeOn(store);
  const read = readOn(store);
  const { unknownKinds, zonesFault } = input;
  const fails = (fault: Fault) => (): Promise<never> => Promise.reject(new FaultError(fault));
  const ports: StepPorts = {
    config: input.config,
    read:
      unknownKinds === undefined
        ? read
        : async (kinds, abort) => ({
            ...(await read(kinds, abort)),
            ...Object.fromEntries(
              kinds.flatMap((kind) => (unknownKinds.has(kind) ? [[kind, unknownKinds.get(kind)]] : [])),
            ),
          }),
    shell: shellOn(twin),
    logs: logsOn(twin),
    clock,
    dryRun: (request, options) => write(request, { ...options, dryRun: true }),
    zones:
      zonesFault !== undefined
        ? {
            zones: fails(zonesFault),
            zone: fails(zonesFault),
            recordSets: fails(zonesFault),
            lookUp: fails(zonesFault),
            change: fails(zonesFault),
          }
        : input.spec.dns === undefined
          ? undefined
          : twin.zones.read,
    trees: new Map([...(input.trees ?? [])].map(([name, tree]) => [name, readOnly(tree)])),
    newNonce: () => `rehearsal-${++ids}`,
    readFile: input.readFile,
  };
  const notes: Record<string, Json> = {};
  const signal = new AbortController().signal;
  const context = (): StepContext => ({
    run: {
      id: "rehearsal",
      runbook: input.migration.id,
      cluster: input.config.name,
      inputs: input.inputs,
      notes,
    },
    ports,
    signal,
    show: () => {},
  });

  const doDeeds = async (step: Step, deeds: readonly Deed[]): Promise<Text | undefined> => {
    const perform = performOn({ ...ports, write }, { run: "rehearsal", step: step.id, round: 1 });
    for (const deed of deeds) {
      if (deed.kind === "document") continue;
      const result = await perform(deed, signal);
      if (!result.ok) return text`${deed.title}: ${result.message}`;
    }
    return undefined;
  };

  /** What a person is told to do with what was handed over, done to the model. */
  const handOver = async (step: Step, plan: StepPlan): Promise<void> => {
    if (step.kind === "manual") {
      assumeDone(step.id, twin, input.config, plan);
      await clock.sleep(120_000);
      return;
    }
    if (plan.deeds.some(({ kind }) => kind === "document")) applyValues(twin, plan);
    if (plan.deeds.length > 0) await clock.sleep(afterwardsMs);
  };

  /** Until it is over: what waits is waited for, what is looked at twice is looked at twice. */
  const verify = async (
    step: Step,
    plan: StepPlan,
    observed: Parameters<Step["verify"]>[2],
  ): Promise<Verified> => {
    let seen = await step.verify(context(), plan, observed);
    const until = clock.now() + longestWaitMs;
    while (seen.outcome === "waiting" && clock.now() < until) {
      await clock.sleep(Math.max(1_000, (seen.until ?? clock.now()) - clock.now()));
      seen = await step.verify(context(), plan, observed);
    }
    if (seen.outcome !== "passed" || seen.recheckAfterMs === undefined) return seen;
    await clock.sleep(seen.recheckAfterMs);
    return step.verify(context(), plan, observed);
  };

  type Came = Pick<RehearsedStep, "outcome" | "text" | "halts">;
  const run = async (step: Step): Promise<Came> => {
    const at = context();
    const unneeded = await step.unneeded?.(at);
    if (unneeded !== undefined) return { outcome: "unneeded", text: unneeded, halts: [] };
    const halts = [...stops(await step.ready(at))];
    const plan = await step.plan(at);
    const observation = plan.deeds.length > 0 ? await step.observe?.(at, plan) : undefined;
    const failed = await doDeeds(step, plan.deeds);
    const observed = await observation?.stop();
    if (failed !== undefined) return { outcome: "would-halt", text: failed, halts };
    await handOver(step, plan);
    const verified = await verify(step, plan, observed);
    notes[step.id] = verified.notes;
    halts.push(...(verified.outcome === "passed" ? [] : stops(verified.findings)));
    const isOver = verified.outcome === "passed" && halts.length === 0;
    const isUnknown =
      (verified.outcome === "passed" || verified.outcome === "unknown") &&
      halts.every(({ severity }) => severity === "unknown");
    return {
      outcome: isOver ? "passed" : isUnknown ? "unknown" : "would-halt",
      text:
        halts.length > 0 && verified.outcome === "passed" ? (halts[0]?.text ?? verified.text) : verified.text,
      halts,
    };
  };

  const ordered = orderedSteps(input.migration, input.order);
  if ("unknown" in ordered) throw new Error(`no step ${ordered.unknown.join(", ")} in ${input.migration.id}`);
  const steps: RehearsedStep[] = [];
  let watch: ClientsWatch | undefined;
  let stopNames: (() => void) | undefined;
  try {
    await clock.advance(1_000);
    const reached = addressesOf(twin).filter((ip) =>
      input.clients.some(({ name }) => twin.reach(name, ip).ok),
    ).length;
    const first = new Set(addressesOf(twin));
    watch = watchClients(twin, input.clients, () => addressesOf(twin).filter((ip) => first.has(ip)));
    const pairs = await clock.runUntil(pairsOf(context()), longestStepMs);
    const names = pairs.length === 0 ? undefined : watchNames(twin, input.clients, pairs);
    stopNames = names?.stop;
    const namesNow = async (): Promise<NamesFelt | undefined> =>
      names === undefined ? undefined : { ...names.mark(), unseen: await unseenRecords(context()) };
    const namesBefore = await clock.runUntil(namesNow(), longestStepMs);
    for (const [i, step] of ordered.steps.entries()) {
      input.show?.(step, i + 1, ordered.steps.length);
      const startedAt = clock.now();
      const before = announcersOf(twin);
      let came: Came;
      try {
        came = await clock.runUntil(run(step), longestStepMs);
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        const { what, detail } = error.fault;
        came = { outcome: "unknown", text: text`could not look: ${what}: ${detail}`, halts: [] };
      }
      const after = announcersOf(twin);
      steps.push({
        id: step.id,
        title: step.title,
        kind: step.kind,
        ...came,
        felt: watch.mark(),
        names: await clock.runUntil(namesNow(), longestStepMs),
        moved: [...after].flatMap(([ip, now]) => {
          const was = before.get(ip);
          return was === undefined || JSON.stringify(was) === JSON.stringify(now)
            ? []
            : [{ ip, before: was, after: now }];
        }),
        tookMs: clock.now() - startedAt,
      });
    }
    if (names !== undefined) await clock.advance(forgottenMs);
    const afterwards = await clock.runUntil(namesNow(), longestStepMs);
    return { steps, addresses: reached, names: namesBefore, afterwards };
  } finally {
    stopNames?.();
    watch?.stop();
    twin.stop();
  }
}
