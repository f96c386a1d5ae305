import { type Fault, isFault } from "../fault.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, ReadCluster } from "../kubernetes/read.ts";
import { type ClusterObject, namedKinds, rehearsedKinds } from "./site-of-cluster.ts";

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

/** Why a kind is not known in a rehearsal; a list of it is then this fault, and never empty. */
export type UnknownKinds = ReadonlyMap<ResourceKind, Fault>;

/** Kinds of which nothing in a dump more likely means that nobody asked for them, where their absence would be a fault. */
const seldomEmpty: readonly (readonly ResourceKind[])[] = [
  ["validatingwebhookconfigurations"],
  ["certificates", "issuers", "clusterissuers"],
];

/** A dump does not say which kinds it was asked for: of these kinds none means unknown. */
function notDumped(objects: readonly ClusterObject[]): UnknownKinds {
  const there = new Set(objects.map(({ kind }) => kind));
  return new Map(
    seldomEmpty.flatMap((group) =>
      group.some((kind) => there.has(kind))
        ? []
        : group.map((kind): [ResourceKind, Fault] => [
            kind,
            {
              kind: "unreadable",
              what: `list of ${kind}`,
              detail: `the dump has none, so they may not have been asked for: add ${group.join(",")} to kubectl get`,
            },
          ]),
    ),
  );
}

/** The objects of a dump that a rehearsal needs, every problem of the file at once; other kinds are passed over. */
export function objectsOfDump(
  content: string,
):
  | Readonly<{ ok: true; objects: readonly ClusterObject[]; unknown: UnknownKinds }>
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
  return problems.length > 0 ? { ok: false, problems } : { ok: true, objects, unknown: notDumped(objects) };
}

/**
 * The same from the cluster itself: kinds of the network that could not be listed come as faults, without which there is
 * no model; others, and kinds it does not have, are unknown.
 */
export async function objectsOfCluster(
  read: ReadCluster,
  signal: AbortSignal,
): Promise<Readonly<{ objects: readonly ClusterObject[]; faults: readonly Fault[]; unknown: UnknownKinds }>> {
  const lists = await read(rehearsedKinds, signal);
  const objects: ClusterObject[] = [];
  const faults: Fault[] = [];
  const unknown = new Map<ResourceKind, Fault>();
  for (const kind of rehearsedKinds) {
    const listed = lists[kind];
    if (!isFault(listed)) objects.push(...listed.map((object) => ({ kind, object })));
    else if ((namedKinds as readonly ResourceKind[]).includes(kind)) unknown.set(kind, listed);
    else if (listed.kind !== "not-configured") faults.push(listed);
  }
  return { objects, faults, unknown };
}
