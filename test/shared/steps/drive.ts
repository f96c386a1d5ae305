import { clusterConfigOf } from "#infra/lab/in-memory.ts";
import type { Finding } from "#shared/finding.ts";
import type { WorkingTree } from "#shared/git/working-tree.ts";
import type { Json } from "#shared/json.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import type { ClusterConfig, MigrationConfig, Site } from "#shared/site/site.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { steps } from "#shared/steps/all.ts";
import type { Deed } from "#shared/steps/deed.ts";
import { madeByDeed } from "#shared/steps/deed.ts";
import { performOn } from "#shared/steps/perform.ts";
import type { Diff, Observed, Step, StepContext, StepPlan, StepPorts, Verified } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { shellOn } from "#shared/twin/shell-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { writeOn } from "#shared/twin/write-on.ts";

export type Given = Readonly<{
  spec: SiteSpec;
  site?: Partial<Site>;
  migration?: Partial<MigrationConfig>;
  vantages?: (all: ClusterConfig["vantages"]) => ClusterConfig["vantages"];
  inputs?: Readonly<Record<string, Json>>;
  notes?: Readonly<Record<string, Json>>;
  files?: Readonly<Record<string, string>>;
  trees?: readonly WorkingTree[];
  denied?: readonly ResourceKind[];
  around?: (ports: StepPorts, twin: Twin) => StepPorts;
}>;

/** What came of one step, as a runner would see it. */
export type Came = Readonly<{
  /** `unneeded`, `blocked` by findings of `ready`, or the outcome of `verify`. */
  outcome: "unneeded" | "blocked" | Verified["outcome"];
  text: string;
  codes: readonly string[];
  findings: readonly Finding[];
  plan?: StepPlan;
  observed?: Observed | undefined;
  verified?: Verified;
}>;

export type Drive = Readonly<{
  twin: Twin;
  ports: StepPorts;
  notes: Record<string, Json>;
  context: () => StepContext;
  /** One step from `unneeded` to `verify`; its notes are kept for later ones. */
  forward: (id: string) => Promise<Came>;
  /** Runs something of a step on the virtual clock. */
  on: <T>(work: (context: StepContext) => Promise<T>) => Promise<T>;
  /** Does the way back of a plan that `forward` did. */
  back: (id: string) => Promise<void>;
}>;

export const stepOf = (id: string): Step => {
  const step = steps.find((each) => each.id === id);
  if (step === undefined) throw new Error(`${id} is not in shared/steps/all.ts`);
  return step;
};

/** A site of the model with what a step looks through, on a clock of its own; deeds are really done to it. */
export function drive(given: Given): Drive {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const store = createObjectStore({ now: clock.now, newUid: newId, admit: admitMetalLb });
  const twin = createTwin({ spec: given.spec, clock, store, newId });
  const base = clusterConfigOf(given.spec);
  const config: ClusterConfig = {
    ...base,
    site: { ...base.site, routerIp: "10.4.0.1", routerPrefix: 20, ...given.site },
    vantages: given.vantages?.(base.vantages) ?? base.vantages,
    migration: { ...defaultMigration, ...given.migration },
  };
  const write = writeOn(store);
  const plainPorts: StepPorts = {
    config,
    read: readOn(store, given.denied),
    shell: shellOn(twin),
    logs: logsOn(twin),
    clock,
    dryRun: write,
    zones: undefined,
    trees: new Map((given.trees ?? []).map((tree) => [tree.name, tree])),
    newNonce: () => `nonce-${String(++ids)}`,
    readFile: async (path) => given.files?.[path] ?? Promise.reject(new Error(`no file ${path}`)),
  };
  const ports = given.around?.(plainPorts, twin) ?? plainPorts;
  const notes: Record<string, Json> = { ...given.notes };
  const made = new Map<string, Map<string, Json>>();
  const plans = new Map<string, StepPlan>();
  const standing: Record<string, readonly Diff[]> = {};
  const context = (): StepContext => ({
    run: {
      id: "R-1",
      runbook: "bgp-to-l2",
      cluster: "goldentooth",
      inputs: given.inputs ?? {},
      notes,
      standing: { ...standing },
    },
    ports,
    signal: new AbortController().signal,
    show: () => {},
  });
  const doDeeds = async (id: string, deeds: readonly Deed[]): Promise<void> => {
    const facts = made.get(id) ?? new Map<string, Json>();
    made.set(id, facts);
    const perform = performOn({ ...ports, write }, { run: "R-1", step: id });
    for (const deed of deeds) {
      const maker =
        deed.kind === "kube" && deed.write.verb !== "create" ? madeByDeed(deed.write.is.uid) : undefined;
      if (maker !== undefined && !facts.has(maker)) throw new Error(`${deed.id}: ${maker} was not done`);
      const result = await perform(deed, new AbortController().signal);
      if (!result.ok) throw new Error(`${deed.id}: ${result.because}: ${result.message}`);
      facts.set(deed.id, result.facts);
    }
  };
  const on: Drive["on"] = (work) => clock.runUntil(work(context()));
  const forward = (id: string): Promise<Came> =>
    on(async (at): Promise<Came> => {
      const step = stepOf(id);
      const unneeded = await step.unneeded?.(at);
      if (unneeded !== undefined)
        return { outcome: "unneeded", text: plain(unneeded), codes: [], findings: [] };
      const ready = await step.ready(at);
      if (ready.some(({ severity }) => severity !== "info"))
        return {
          outcome: "blocked",
          text: ready.map(({ text }) => plain(text)).join("\n"),
          codes: ready.flatMap(({ code, severity }) => (severity === "info" ? [] : [code])),
          findings: ready,
        };
      const plan = await step.plan(at);
      plans.set(id, plan);
      const observation = plan.deeds.length > 0 ? await step.observe?.(at, plan) : undefined;
      await doDeeds(id, plan.deeds);
      standing[id] = plan.diffs;
      const observed = await observation?.stop();
      const verified = await step.verify(at, plan, observed);
      notes[id] = verified.notes;
      return {
        outcome: verified.outcome,
        text: plain(verified.text),
        codes: [
          ...new Set(verified.findings.filter(({ severity }) => severity !== "info").map(({ code }) => code)),
        ],
        findings: [...ready, ...verified.findings],
        plan,
        observed,
        verified,
      };
    });
  return {
    twin,
    ports,
    notes,
    context,
    forward,
    on,
    back: (id) =>
      on(async () => {
        const plan = plans.get(id);
        if (plan === undefined) throw new Error(`${id} was not planned`);
        await doDeeds(id, plan.undo);
        delete standing[id];
      }),
  };
}
