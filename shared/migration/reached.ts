import { isFault } from "../fault.ts";
import type { Json } from "../json.ts";
import { holds } from "../kubernetes/holds.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { saysNoMore } from "../metallb/filled-in.ts";
import type { Diff, StepPlan, Verified } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { verified } from "./define-step.ts";
import type { MetalLbView } from "./metallb-view.ts";
import { touchedKinds } from "./metallb-view.ts";
import { shown, titleOf } from "./objects.ts";
import { syncPollMs } from "./way.ts";

const kindsOfDiffs = [...touchedKinds, "services"] as const satisfies readonly ResourceKind[];
const gitOps = ["applications", "kustomizations", "helmreleases"] as const;

type Seen = Readonly<{ kind: ResourceKind; object: KubeObject }>;

/** Every object that a step's diffs may be about, by its title. */
function byTitle(view: MetalLbView): ReadonlyMap<string, Seen> {
  const all = new Map<string, Seen>();
  const add = (kind: ResourceKind, object: KubeObject) =>
    all.set(titleOf(kind, object), { kind, object: shown(kind, object) });
  for (const kind of kindsOfDiffs) for (const object of view.lists[kind]) add(kind, object);
  for (const kind of gitOps) {
    const listed = view.gitOps[kind];
    if (!isFault(listed)) for (const object of listed) add(kind, object);
  }
  return all;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a change leaves, as a merge patch: what it took away must stay away. */
function left(before: unknown, after: unknown): unknown {
  if (!isFields(after)) return after;
  const old = isFields(before) ? before : {};
  return Object.fromEntries(
    [...new Set([...Object.keys(old), ...Object.keys(after)])].map((key) => [
      key,
      key in after ? left(old[key], after[key]) : null,
    ]),
  );
}

type Part = Readonly<{ spec?: unknown; metadata?: Readonly<{ labels?: unknown }> }>;

/** What of a diff counts: the spec and the labels. The rest belongs to the server and to others. */
const counted = (object: Json | KubeObject | null): Fields => {
  const { spec, metadata } = (object ?? {}) as Part;
  return { spec: spec ?? {}, labels: metadata?.labels ?? {} };
};

/** Diffs that are not (or no longer) true in the cluster. What the API server fills in is no difference. */
export function missing(view: MetalLbView, diffs: readonly Diff[]): readonly Diff[] {
  const now = byTitle(view);
  return diffs.filter(({ object, before, after }) => {
    const current = now.get(object);
    if (after === null) return current !== undefined;
    if (current === undefined) return true;
    const is = counted(current.object);
    const wanted = counted(after);
    return !holds(is, left(counted(before), wanted)) || !saysNoMore(current.kind, is.spec, wanted.spec);
  });
}

/**
 * Whether what the step was to bring about is there: undefined when it is. A commit that has not reached the cluster is
 * waited for; a write that is gone again was undone by somebody.
 */
export function notYet(view: MetalLbView, plan: StepPlan, now: number): Verified | undefined {
  const untrue = missing(view, plan.diffs);
  const [first] = untrue;
  if (first === undefined) return undefined;
  const names = untrue.map(({ object }) => object).join(", ");
  const commits = plan.deeds.filter((deed) => deed.kind === "git");
  if (commits.length > 0)
    return verified(
      "waiting",
      text`committed to ${commits.map((deed) => `${deed.tree} ${deed.branch}`).join(", ")}; not in the cluster yet: ${names}`,
      { until: now + syncPollMs },
    );
  return verified(
    "failed",
    text`not as it was left: ${names}. Somebody else changed it back, or it never took effect`,
    {
      findings: untrue.map(({ object, after }) => ({
        code: "change-undone",
        severity: "error",
        subject: { kind: "config", name: object },
        facts: { expected: after === null ? "absent" : "as planned" },
        text: text`${object} is ${after === null ? "there again" : "not as it was left"}`,
        remedy: text`See who wrote it: ${code("/arpeggio changes")}. Pause that sync, or change it at its source`,
      })),
    },
  );
}
