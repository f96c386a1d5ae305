import * as z from "zod";
import type { Clock } from "#shared/clock.ts";
import type { Finding } from "#shared/finding.ts";
import type { Json } from "#shared/json.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Runner } from "#shared/runs/runner.ts";
import { type Deed, uidMadeBy } from "#shared/steps/deed.ts";
import { lookOn } from "#shared/steps/look.ts";
import { performOn } from "#shared/steps/perform.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { noDeeds, type Step, type StepContext, type StepPlan, type Verified } from "#shared/steps/step.ts";
import { text } from "#shared/text.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { writeOn } from "#shared/twin/write-on.ts";

export const counting = (prefix: string): (() => string) => {
  let count = 0;
  return () => `${prefix}${++count}`;
};

/** A world of ConfigMaps: `old` and `setting` are there at the beginning. */
export function toyWorld(clock: Clock): ObjectStore {
  const store = createObjectStore({ now: clock.now, newUid: counting("uid-") });
  const add = (name: string, data: Json) =>
    store.create("configmaps", { metadata: { name, namespace: "toy" }, data }, { seed: true });
  add("old", { way: "bgp" });
  add("setting", { way: "bgp" });
  return store;
}

/** Names and contents alone: what has to come out the same however often it was interrupted. */
export const contents = (store: ObjectStore): Readonly<Record<string, unknown>> =>
  Object.fromEntries(store.list("configmaps").items.map(({ metadata, data }) => [metadata.name, data]));

const ref = (name: string) => ({ kind: "configmaps", namespace: "toy", name }) as const;

const find = async ({ ports }: StepContext, name: string): Promise<KubeObject | undefined> => {
  const { configmaps } = await ports.read(["configmaps"]);
  return Array.isArray(configmaps)
    ? (configmaps as readonly KubeObject[]).find(({ metadata }) => metadata.name === name)
    : undefined;
};

const dataOf = (object: KubeObject | undefined): Json => (object?.data ?? null) as Json;

const passed = (said: string, more: Partial<Verified> = {}): Verified => ({
  outcome: "passed",
  text: [said],
  findings: [],
  blocks: [],
  notes: null,
  ...more,
});
const failed = (said: string): Verified => passed(said, { outcome: "failed" });

const planned = (more: Partial<StepPlan>): StepPlan => ({
  ...noDeeds,
  prediction: [],
  predicted: null,
  ...more,
});

const step = (own: Partial<Step> & Pick<Step, "id" | "kind">): Step => ({
  title: own.id,
  reversibleWhile: text`the run is open`,
  ready: async () => [],
  plan: async () => planned({}),
  verify: async () => passed("fine"),
  ...own,
});

const survey = step({
  id: "survey",
  kind: "check",
  title: "Survey",
  verify: async () => passed("2 objects, none managed", { notes: { objects: 2 } }),
});

const make = (name: string): Deed => ({
  id: `make-${name}`,
  title: `create ConfigMap toy/${name}`,
  kind: "kube",
  write: {
    verb: "create",
    kind: "configmaps",
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "toy" },
      data: { way: "l2" },
    },
  },
});
const unmake = (name: string): Deed => ({
  id: `unmake-${name}`,
  title: `delete ConfigMap toy/${name}`,
  kind: "kube",
  write: { verb: "delete", ref: ref(name), is: { uid: uidMadeBy(`make-${name}`) } },
});

const pair = step({
  id: "pair",
  kind: "act",
  title: "Create two maps",
  plan: async (context) => {
    const names = ["one", "two"];
    const missing: string[] = [];
    for (const name of names) if ((await find(context, name)) === undefined) missing.push(name);
    return planned({
      deeds: missing.map(make),
      diffs: missing.map((name) => ({
        object: `ConfigMap toy/${name}`,
        uid: null,
        before: null,
        after: { data: { way: "l2" } },
      })),
      prediction: [text`${missing.length} maps appear`],
      predicted: { maps: missing.length },
      undo: missing.map(unmake).toReversed(),
    });
  },
  verify: async (context) =>
    (await find(context, "one")) && (await find(context, "two"))
      ? passed("both are there")
      : failed("one of them is missing"),
});

const router = step({
  id: "router",
  kind: "manual",
  title: "Router",
  plan: async () => planned({ instructions: [text`Give the router the prefix.`] }),
  verify: async () => passed("no vantage sees it", { outcome: "unknown" }),
});

const patch = (uid: string, way: string, before: string): Deed => ({
  id: `set-${way}`,
  title: `set ConfigMap toy/setting to ${way}`,
  kind: "kube",
  write: {
    verb: "patch",
    ref: ref("setting"),
    patch: { data: { way } },
    is: { uid },
    before: { data: { way: before } },
  },
});

const change = step({
  id: "change",
  kind: "act",
  title: "Change the setting",
  ready: async (context): Promise<readonly Finding[]> =>
    (await find(context, "one")) === undefined
      ? [
          {
            code: "not-there",
            severity: "warning",
            subject: { kind: "cluster", name: "toy" },
            facts: {},
            text: ["map one is not there"],
          },
        ]
      : [],
  plan: async (context) => {
    const there = await find(context, "setting");
    const uid = there?.metadata.uid ?? "";
    return planned({
      deeds: [patch(uid, "l2", "bgp")],
      diffs: [
        {
          object: "ConfigMap toy/setting",
          uid,
          before: { data: dataOf(there) },
          after: { data: { way: "l2" } },
        },
      ],
      predicted: { way: "l2" },
      undo: [patch(uid, "bgp", "l2")],
    });
  },
  verify: async (context) =>
    JSON.stringify(dataOf(await find(context, "setting"))) === '{"way":"l2"}'
      ? passed("it says l2", { recheckAfterMs: 180_000 })
      : failed("it does not say l2"),
});

const quiet = step({
  id: "quiet",
  kind: "check",
  title: "Wait for the old to be forgotten",
  proof: text`clients may still hold the old way: they would lose it`,
  verify: async ({ ports, run }) => {
    const until = Number(run.inputs.quietUntil);
    return ports.clock.now() < until
      ? passed("not yet", { outcome: "waiting", until })
      : passed("quiet long enough");
  },
});

const drop = step({
  id: "drop",
  kind: "act",
  title: "Drop the old map",
  plan: async (context) => {
    const there = await find(context, "old");
    const uid = there?.metadata.uid ?? "";
    return planned({
      deeds: [
        {
          id: "drop-old",
          title: "delete ConfigMap toy/old",
          kind: "kube",
          write: { verb: "delete", ref: ref("old"), is: { uid } },
        },
      ],
      diffs: [{ object: "ConfigMap toy/old", uid, before: { data: dataOf(there) }, after: null }],
      predicted: { gapMs: 0 },
      undo: [
        {
          id: "restore-old",
          title: "create ConfigMap toy/old again",
          kind: "kube",
          write: {
            verb: "create",
            kind: "configmaps",
            restored: true,
            object: { metadata: { name: "old", namespace: "toy" }, data: { way: "bgp" } },
          },
        },
      ],
    });
  },
  observe: async () => ({ stop: async () => ({ findings: [], blocks: [], facts: { gapMs: 0 } }) }),
  verify: async (context, _plan, observed) =>
    (await find(context, "old")) === undefined
      ? passed(`gone, ${observed === undefined ? "gap not measured" : "no gap"}`)
      : failed("it is still there"),
});

const persist = step({
  id: "persist",
  kind: "act",
  title: "Hand over the values",
  plan: async () =>
    planned({
      deeds: [
        { id: "values", title: "values for Git", kind: "document", name: "values.yaml", text: "way: l2\n" },
      ],
    }),
});

const never = step({
  id: "never",
  kind: "act",
  title: "FRR off",
  unneeded: async () => text`FRR is not there`,
});

export const toy: Migration = {
  id: "toy",
  title: "Toy move",
  summary: text`Moves a toy.`,
  inputs: z.object({ quietUntil: z.coerce.number().default(0) }),
  steps: [survey, pair, router, change, quiet, drop, persist, never],
};

export type ToyRunner = Readonly<{
  runner: Runner;
  /** Every deed that reached the world, in order. */
  performed: readonly string[];
  told: readonly string[];
}>;

/** A runner of the toy on a world; `around` sits before every call of a port, to count or to break it. */
export function toyRunner(
  world: ObjectStore,
  ledger: Ledger,
  clock: Clock,
  newToken: () => string,
  around: <T>(port: string, call: () => Promise<T>) => Promise<T> = (_, call) => call(),
): ToyRunner {
  const performed: string[] = [];
  const told: string[] = [];
  const read = readOn(world);
  const write = writeOn(world);
  const deedPorts = {
    read: ((kinds, signal) => around("read", () => read(kinds, signal))) as typeof read,
    write: ((w, options) => around("write", () => write(w, options))) as typeof write,
    shell: () => Promise.reject(new Error("no shell in the toy")),
    trees: new Map(),
  };
  const runner: Runner = {
    ledger: {
      ...ledger,
      read: (stream, after) => around("ledger.read", () => ledger.read(stream, after)),
      append: (stream, version, event) =>
        around("ledger.append", () => ledger.append(stream, version, event)),
      lease: (cluster, holder, ttl) => around("ledger.lease", () => ledger.lease(cluster, holder, ttl)),
    },
    clock,
    newToken,
    migrations: [toy],
    ports: {
      config: { name: "toy" } as never,
      read: deedPorts.read,
      shell: deedPorts.shell,
      logs: () => Promise.reject(new Error("no logs in the toy")),
      clock,
      dryRun: (w) => write(w, { dryRun: true }),
      zones: undefined,
      trees: new Map(),
      readFile: () => Promise.reject(new Error("no files in the toy")),
      newNonce: () => "nonce",
    },
    deeds: (origin) => {
      const perform = performOn(deedPorts, origin);
      const look = lookOn(deedPorts, origin);
      return {
        perform: (deed, signal) =>
          around("perform", async () => {
            const result = await perform(deed, signal);
            if (result.ok) performed.push(deed.id);
            return around("performed", async () => result);
          }),
        look: (deed, signal) => around("look", () => look(deed, signal)),
      };
    },
    tell: {
      state: () => around("tell", async () => {}),
      note: (_, id) => around("note", async () => void told.push(id)),
    },
    times: { kubeMs: 10_000, gitMs: 10_000, marginMs: 5_000, approvalMs: 1_800_000 },
  };
  return { runner, performed, told };
}
