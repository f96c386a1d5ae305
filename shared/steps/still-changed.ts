import { FaultError, isFault } from "../fault.ts";
import { holds } from "../kubernetes/holds.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, ReadCluster } from "../kubernetes/read.ts";
import { saysNoMore } from "../metallb/filled-in.ts";
import { shown, titleOf } from "../migration/objects.ts";
import type { Diff } from "./step.ts";

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const kindsOf = (title: string): readonly ResourceKind[] => {
  const word = title.slice(0, title.indexOf(" "));
  return (Object.keys(resourceKinds) as ResourceKind[]).filter((kind) => resourceKinds[kind].kind === word);
};

/** kubectl's copy of what was applied: whoever writes otherwise does not bring it up to date. */
const passedOver = "kubectl.kubernetes.io/last-applied-configuration";

/** The element that stands for this one: of the same name where they have names (containers, ports), else in its place. */
const counterpart = (list: readonly unknown[], one: unknown, i: number): unknown =>
  isFields(one) && typeof one.name === "string"
    ? list.find((each) => isFields(each) && each.name === one.name)
    : list[i];

const areFields = (list: unknown): list is readonly Fields[] => Array.isArray(list) && list.every(isFields);

/** Whether everything that `after` made another than `before` is as in `before` again, whatever else is there. */
function isBack(before: unknown, after: unknown, now: unknown): boolean {
  if (isFields(before) && isFields(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((key) => key !== passedOver)
      .every((key) => isBack(before[key], after[key], isFields(now) ? now[key] : undefined));
  if (areFields(before) && areFields(after) && before.length === after.length && Array.isArray(now))
    return before.every((one, i) => isBack(one, after[i], counterpart(now, one, i)));
  if (holds(before ?? null, after ?? null) && holds(after ?? null, before ?? null)) return true;
  return holds(now, before ?? null) && holds(before ?? null, now ?? null);
}

/** The spec and the labels: an object that was put back has another uid and whatever the server writes. */
const counted = ({ spec, metadata }: Readonly<{ spec?: unknown; metadata?: unknown }>): Fields => ({
  spec: spec ?? {},
  labels: (isFields(metadata) ? metadata.labels : undefined) ?? {},
});

function isAsBefore({ before, after }: Diff, found: Readonly<{ kind: ResourceKind; object: KubeObject }>) {
  if (before === null) return false;
  const now = shown(found.kind, found.object);
  if (after !== null) return isBack(before, after, now);
  const [is, was] = [counted(now), counted(before as Readonly<{ spec?: unknown }>)];
  return (
    found.object.metadata.deletionTimestamp === undefined &&
    holds(is, was) &&
    saysNoMore(found.kind, is.spec, was.spec)
  );
}

/**
 * Objects of a plan that are not, or not yet, in the cluster what they were before it: by their titles. A commit that
 * takes a step back brings nothing about by itself, so its branch proves nothing. Throws FaultError where a kind cannot
 * be seen.
 */
export async function stillChanged(
  read: ReadCluster,
  diffs: readonly Diff[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const kinds = [...new Set(diffs.flatMap(({ object }) => kindsOf(object)))];
  const lists = await read(kinds, signal);
  const found = new Map<string, Readonly<{ kind: ResourceKind; object: KubeObject }>>();
  for (const kind of kinds) {
    const listed = lists[kind];
    // Of a kind that this server does not know there are no objects.
    if (isFault(listed) && listed.kind !== "not-configured") throw new FaultError(listed);
    if (!isFault(listed)) for (const object of listed) found.set(titleOf(kind, object), { kind, object });
  }
  return diffs
    .filter((diff) => {
      const there = found.get(diff.object);
      return there === undefined ? diff.before !== null : !isAsBefore(diff, there);
    })
    .map(({ object }) => object);
}
