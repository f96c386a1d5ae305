import { type Fault, isFault } from "../fault.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, ReadCluster } from "../kubernetes/read.ts";
import { type ClusterObject, rehearsedKinds } from "./site-of-cluster.ts";

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const expected = "expected what kubectl get KINDS -A -o json prints, one or more of them";

/** Lists may hold lists, as the outputs of several commands put together do. */
const flatten = (value: unknown): readonly unknown[] =>
  Array.isArray(value)
    ? value.flatMap(flatten)
    : isObject(value) && Array.isArray(value.items)
      ? value.items.flatMap(flatten)
      : [value];

function kindOf(object: Readonly<Record<string, unknown>>): ResourceKind | undefined {
  const apiVersion = String(object.apiVersion ?? "");
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return rehearsedKinds.find(
    (kind) => resourceKinds[kind].kind === object.kind && resourceKinds[kind].group === group,
  );
}

/** The objects of a dump that a rehearsal needs, every problem of the file at once; other kinds are passed over. */
export function objectsOfDump(
  content: string,
):
  | Readonly<{ ok: true; objects: readonly ClusterObject[] }>
  | Readonly<{ ok: false; problems: readonly string[] }> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.replace(/^\uFEFF/, ""));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [`not JSON (${detail}); ${expected}`] };
  }
  const problems: string[] = [];
  const objects: ClusterObject[] = [];
  flatten(parsed).forEach((item, i) => {
    if (!isObject(item) || typeof item.kind !== "string" || !isObject(item.metadata)) {
      problems.push(`item ${i} is no Kubernetes object (it has no kind or no metadata); ${expected}`);
      return;
    }
    const kind = kindOf(item);
    if (kind === undefined) return;
    if (typeof item.metadata.name !== "string")
      problems.push(`item ${i} (${item.kind}) has no metadata.name`);
    else objects.push({ kind, object: item as unknown as KubeObject });
  });
  if (problems.length === 0 && objects.length === 0)
    problems.push(`no object in it that a rehearsal needs; ${expected}`);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, objects };
}

/** The same from the cluster itself; kinds that could not be listed come as faults, kinds it does not have do not. */
export async function objectsOfCluster(
  read: ReadCluster,
  signal: AbortSignal,
): Promise<Readonly<{ objects: readonly ClusterObject[]; faults: readonly Fault[] }>> {
  const lists = await read(rehearsedKinds, signal);
  const objects: ClusterObject[] = [];
  const faults: Fault[] = [];
  for (const kind of rehearsedKinds) {
    const listed = lists[kind];
    if (!isFault(listed)) objects.push(...listed.map((object) => ({ kind, object })));
    else if (listed.kind !== "not-configured") faults.push(listed);
  }
  return { objects, faults };
}
