import { isFault } from "../fault.ts";
import type { Json } from "../json.ts";
import { gitOpsKinds, type ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { verified } from "../migration/define-step.ts";
import { asJson, shown, titleOf } from "../migration/objects.ts";
import { syncPollMs } from "../migration/way.ts";
import type { Diff, StepPlan, Verified } from "../steps/step.ts";
import { text } from "../text.ts";
import type { DnsView } from "./dns-view.ts";
import { namedKinds } from "./hostnames.ts";

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    isObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  ) ?? "undefined";

/** kubectl keeps a copy of what was applied, which nobody who writes otherwise brings up to date. */
const passedOver = "kubectl.kubernetes.io/last-applied-configuration";

/** Whether everywhere that `after` differs from `before`, what is there now is as in `after`. */
export function changeHolds(before: unknown, after: unknown, now: unknown): boolean {
  if (canonical(before) === canonical(after)) return true;
  if (isObject(before) && isObject(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((key) => key !== passedOver)
      .every((key) => changeHolds(before[key], after[key], isObject(now) ? now[key] : undefined));
  return canonical(after) === canonical(now);
}

const objectsByTitle = (view: DnsView): ReadonlyMap<string, Json> => {
  const titled = (kind: ResourceKind, objects: readonly KubeObject[]) =>
    objects.map((object): [string, Json] => [titleOf(kind, object), asJson(shown(kind, object))]);
  return new Map([
    ...([...namedKinds, "deployments"] as const).flatMap((kind) => titled(kind, view.lists[kind])),
    ...gitOpsKinds.flatMap((kind) => {
      const listed = view.gitOps[kind];
      return isFault(listed) ? [] : titled(kind, listed);
    }),
  ]);
};

/** Diffs of a plan that are not, or no longer, true in the cluster. */
export function notHeld(view: DnsView, diffs: readonly Diff[]): readonly Diff[] {
  const now = objectsByTitle(view);
  return diffs.filter(({ object, before, after }) => {
    const current = now.get(object);
    return current === undefined || !changeHolds(before, after, current);
  });
}

/**
 * Whether the step has brought about what it was to: undefined when it has. What a commit or a person brings about is
 * waited for; a write that is gone again was undone by somebody.
 */
export function notYetDns(view: DnsView, plan: StepPlan, now: number): Verified | undefined {
  const left = notHeld(view, plan.diffs);
  const [first] = left;
  if (first === undefined) return undefined;
  const names =
    left.length <= 5
      ? left.map(({ object }) => object).join(", ")
      : `${left
          .slice(0, 5)
          .map(({ object }) => object)
          .join(", ")} and ${left.length - 5} more`;
  const commits = plan.deeds.filter((deed) => deed.kind === "git");
  const values = plan.deeds.filter((deed) => deed.kind === "document");
  if (commits.length > 0 || values.length > 0)
    return verified(
      "waiting",
      text`${[
        ...commits.map((deed) => `committed to ${deed.tree} ${deed.branch}`),
        ...values.map((deed) => `${deed.name} is handed over and waits for a person to apply it`),
      ].join("; ")}; not in the cluster yet: ${names}`,
      { until: now + syncPollMs },
    );
  return verified(
    "failed",
    text`not as it was left: ${names}. Somebody else changed it back, or it never took effect`,
    {
      findings: left.map(({ object }) => ({
        code: "change-undone",
        severity: "error",
        subject: { kind: "config", name: object },
        facts: {},
        text: text`${object} is not as it was left`,
        remedy: text`See who wrote it: /arpeggio changes. Pause that sync, or change it at its source`,
      })),
    },
  );
}
