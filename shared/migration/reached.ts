import { isFault } from "../fault.ts";
import type { Json } from "../json.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { Diff, StepPlan, Verified } from "../steps/step.ts";
import { text } from "../text.ts";
import { verified } from "./define-step.ts";
import type { MetalLbView } from "./metallb-view.ts";
import { touchedKinds } from "./metallb-view.ts";
import { asJson, shown, titleOf } from "./objects.ts";
import { syncPollMs } from "./way.ts";

const kindsOfDiffs = [...touchedKinds, "services"] as const satisfies readonly ResourceKind[];
const gitOps = ["applications", "kustomizations", "helmreleases"] as const;

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  ) ?? "undefined";

/** Every object that a step's diffs may be about, by its title. */
export function byTitle(view: MetalLbView): ReadonlyMap<string, KubeObject> {
  const all = new Map<string, KubeObject>();
  for (const kind of kindsOfDiffs)
    for (const object of view.lists[kind]) all.set(titleOf(kind, object), shown(kind, object));
  for (const kind of gitOps) {
    const listed = view.gitOps[kind];
    if (!isFault(listed)) for (const object of listed) all.set(titleOf(kind, object), shown(kind, object));
  }
  return all;
}

type Part = Readonly<{ spec?: unknown; metadata?: Readonly<{ labels?: unknown }> }>;

/** What of a diff counts: the spec and the labels. The rest belongs to the server and to others. */
const counted = (object: Json | KubeObject): string => {
  const { spec, metadata } = object as Part;
  return canonical([spec ?? {}, metadata?.labels ?? {}]);
};

/** Diffs that are not (or no longer) true in the cluster. */
export function missing(view: MetalLbView, diffs: readonly Diff[]): readonly Diff[] {
  const now = byTitle(view);
  return diffs.filter(({ object, after }) => {
    const current = now.get(object);
    if (after === null) return current !== undefined;
    return current === undefined || counted(asJson(current)) !== counted(after);
  });
}

/**
 * Whether what the step was to bring about is there: undefined when it is. A commit that has not reached the cluster is
 * waited for; a write that is gone again was undone by somebody.
 */
export function notYet(view: MetalLbView, plan: StepPlan, now: number): Verified | undefined {
  const left = missing(view, plan.diffs);
  const [first] = left;
  if (first === undefined) return undefined;
  const names = left.map(({ object }) => object).join(", ");
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
      findings: left.map(({ object, after }) => ({
        code: "change-undone",
        severity: "error",
        subject: { kind: "config", name: object },
        facts: { expected: after === null ? "absent" : "as planned" },
        text: text`${object} is ${after === null ? "there again" : "not as it was left"}`,
        remedy: text`See who wrote it: /arpeggio changes. Pause that sync, or change it at its source`,
      })),
    },
  );
}
