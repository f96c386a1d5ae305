import { FaultError, isFault } from "../fault.ts";
import type { WorkingTree } from "../git/working-tree.ts";
import { resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, ReadCluster } from "../kubernetes/read.ts";
import type { ObjectRef, WriteCluster } from "../kubernetes/write.ts";
import type { Shell } from "../probes/shell.ts";

/** What deeds are done and looked at through. The ports of a cluster are that. */
export type DeedPorts = Readonly<{
  write: WriteCluster;
  read: ReadCluster;
  shell: Shell;
  trees: ReadonlyMap<string, WorkingTree>;
}>;

/** `L2Advertisement metallb/primary`. */
export const nameOf = ({ kind, namespace, name }: ObjectRef): string =>
  `${resourceKinds[kind].kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;

/** The object as it is now, undefined when there is none. Throws FaultError when that cannot be seen. */
export async function findObject(
  { read }: Pick<DeedPorts, "read">,
  { kind, namespace, name }: ObjectRef,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const listed = (await read([kind], signal))[kind];
  if (isFault(listed)) throw new FaultError(listed);
  return listed.find(
    ({ metadata }) =>
      metadata.name === name && (!resourceKinds[kind].namespaced || metadata.namespace === namespace),
  );
}

export function treeOf({ trees }: Pick<DeedPorts, "trees">, name: string): WorkingTree {
  const tree = trees.get(name);
  if (tree !== undefined) return tree;
  throw new FaultError({
    kind: "not-configured",
    what: `working tree ${name}`,
    detail: "migration.repositories of the config has none of this name",
  });
}
