import * as z from "zod";
import { isFault } from "../fault.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import { instant as time, optionalWord as words } from "../kubernetes/object-fields.ts";
import type { KubeObject, Listed } from "../kubernetes/read.ts";
import { type WatchedKind, watchedKinds } from "./watched-kinds.ts";

/** What a manager last wrote, and which fields it holds since then. */
export type Write = Readonly<{
  manager: string;
  operation: string;
  subresource: string;
  at: number;
  fields: readonly string[];
}>;

export type Condition = Readonly<{ type: string; status: string; reason: string; at: number }>;

/** The traces of time that every object carries, read once for all collectors. */
export type Traced = Readonly<{
  kind: WatchedKind;
  subject: Readonly<{ kind: string; name: string }>;
  created: number | undefined;
  deleting: number | undefined;
  writes: readonly Write[];
  conditions: readonly Condition[];
  /** The object itself, for what only its kind has. */
  object: KubeObject;
}>;

export type Lists = Readonly<Partial<Record<ResourceKind, Listed>>>;

const shape = z.looseObject({
  metadata: z.looseObject({
    creationTimestamp: time,
    deletionTimestamp: time,
    managedFields: z
      .array(
        z.looseObject({
          manager: words,
          operation: words,
          subresource: words,
          time,
          fieldsV1: z.unknown().optional(),
        }),
      )
      .nullish(),
  }),
  status: z
    .looseObject({
      conditions: z
        .array(z.looseObject({ type: words, status: words, reason: words, lastTransitionTime: time }))
        .nullish(),
    })
    .nullish(),
});

/** Deeper members of a field set say no more to a person. */
const deepest = 3;

/** `spec.interfaces`, `metadata.labels.app`: the members of a `fieldsV1` set (its keys are `f:name`). */
export function fieldPaths(fields: unknown, path: readonly string[] = []): readonly string[] {
  const members =
    typeof fields === "object" && fields !== null && path.length < deepest
      ? Object.entries(fields).filter(([key]) => key.startsWith("f:"))
      : [];
  if (members.length === 0) return path.length === 0 ? [] : [path.join(".")];
  return members.flatMap(([key, inner]) => fieldPaths(inner, [...path, key.slice(2)]));
}

export const nameOf = ({ metadata }: KubeObject): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;

/** Objects that matter to the site, with their times. One that cannot be read is named in `problems`. */
export function readTraces(
  lists: Lists,
): Readonly<{ traced: readonly Traced[]; problems: readonly string[] }> {
  const traced: Traced[] = [];
  const problems: string[] = [];
  for (const kind of Object.keys(watchedKinds) as WatchedKind[]) {
    const listed = lists[kind] ?? [];
    if (isFault(listed)) continue;
    for (const object of listed) {
      if (!watchedKinds[kind](object)) continue;
      const subject = { kind: resourceKinds[kind].kind, name: nameOf(object) };
      const read = shape.safeParse(object);
      if (!read.success) {
        const [issue] = read.error.issues;
        problems.push(`${subject.kind} ${subject.name}: ${issue?.path.join(".")}: ${issue?.message}`);
        continue;
      }
      const { metadata, status } = read.data;
      traced.push({
        kind,
        subject,
        created: metadata.creationTimestamp,
        deleting: metadata.deletionTimestamp,
        writes: (metadata.managedFields ?? []).flatMap(({ time: at, fieldsV1, ...rest }) =>
          at === undefined ? [] : [{ ...rest, at, fields: fieldPaths(fieldsV1) }],
        ),
        conditions: (status?.conditions ?? []).flatMap(({ lastTransitionTime: at, ...rest }) =>
          at === undefined ? [] : [{ ...rest, at }],
        ),
        object,
      });
    }
  }
  return { traced, problems };
}
