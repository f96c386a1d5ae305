import { FaultError } from "../fault.ts";
import { fileState } from "../git/working-tree.ts";
import type { Json } from "../json.ts";
import { holds } from "../kubernetes/holds.ts";
import { asMergePatch } from "../kubernetes/named-lists.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { KubeWrite } from "../kubernetes/write.ts";
import { saysNoMore } from "../metallb/filled-in.ts";
import { type Deed, type DeedState, type Look, madeByDeed } from "./deed.ts";
import { type DeedPorts, findObject, treeOf } from "./deed-ports.ts";
import { type DeedOrigin, hasMark } from "./origin.ts";

type Fields = Readonly<Record<string, unknown>>;

const ours = ({ status: _, ...object }: KubeObject): Fields => {
  const { name, namespace, labels, annotations } = object.metadata;
  return { ...object, metadata: { name, namespace, labels, annotations } };
};

async function lookAtWrite(
  ports: DeedPorts,
  origin: DeedOrigin,
  deed: string,
  write: KubeWrite,
  signal: AbortSignal,
): Promise<DeedState> {
  if (write.verb === "create") {
    const { kind, object } = write;
    const { namespace, name } = object.metadata;
    const ref = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
    const there = await findObject(ports, ref, signal);
    if (there === undefined) return "not-done";
    const same =
      holds(there, ours(object)) &&
      (hasMark(there, origin, deed) || saysNoMore(kind, there.spec, object.spec));
    return same && there.metadata.deletionTimestamp === undefined ? "done" : "moved";
  }
  const there = await findObject(ports, write.ref, signal);
  const maker = madeByDeed(write.is.uid);
  const isIt =
    there !== undefined &&
    (maker === undefined ? there.metadata.uid === write.is.uid : hasMark(there, origin, maker));
  if (write.verb === "delete") {
    // Another object of the name is no reason to say that ours is still there; of a stand-in it cannot be known.
    if (there === undefined || (!isIt && maker === undefined)) return "done";
    return isIt && unchanged(there, write.is.resourceVersion) ? "not-done" : "moved";
  }
  const as = (patch: Json): Json => (write.byName ? asMergePatch(patch, there) : patch);
  // Fields that are as wanted are so on an object too that was deleted and put back meanwhile.
  if (there !== undefined && write.before !== undefined && holds(there, as(write.patch))) return "done";
  if (!isIt) return "moved";
  if (holds(there, as(write.patch))) return "done";
  const asBefore =
    write.before === undefined ? unchanged(there, write.is.resourceVersion) : holds(there, as(write.before));
  return asBefore ? "not-done" : "moved";
}

const unchanged = ({ metadata }: KubeObject, resourceVersion: string | undefined): boolean =>
  resourceVersion === undefined || metadata.resourceVersion === resourceVersion;

/** Read from the files alone: of a branch that was merged and removed, or squashed, no commit of ours is left. */
async function lookAtCommit(ports: DeedPorts, deed: Extract<Deed, { kind: "git" }>): Promise<DeedState> {
  const tree = treeOf(ports, deed.tree);
  const states = new Set<ReturnType<typeof fileState>>();
  for (const change of deed.changes) states.add(fileState(change, await tree.read(deed.branch, change.path)));
  if (states.has("other")) return "moved";
  return states.has("before") ? "not-done" : "done";
}

async function lookAtCommand(
  { shell }: DeedPorts,
  { target, done, timeoutMs }: Extract<Deed, { kind: "shell" }>,
  signal: AbortSignal,
): Promise<DeedState> {
  const output = await shell(target, { ...done, timeoutMs }, { signal });
  if (output.exitCode === 0) return "done";
  if (output.exitCode === 1) return "not-done";
  throw new FaultError({
    kind: output.exitCode === null ? "cancelled" : "unreadable",
    what: `${done.argv[0]} on ${target.name}`,
    detail:
      output.exitCode === null
        ? "it was ended before it could tell"
        : `exit code ${output.exitCode} says neither done nor not done${output.stderr.trim() === "" ? "" : `: ${output.stderr.trim().split("\n")[0]}`}`,
  });
}

/**
 * Looks whether what a deed is about is there now, whoever did it. A document counts as done: it is in the ledger, and
 * attaching it again harms nobody.
 */
export const lookOn =
  (ports: DeedPorts, origin: DeedOrigin): Look =>
  async (deed, signal) => {
    switch (deed.kind) {
      case "kube":
        return lookAtWrite(ports, origin, deed.id, deed.write, signal);
      case "git":
        return lookAtCommit(ports, deed);
      case "shell":
        return lookAtCommand(ports, deed, signal);
      case "document":
        return "done";
    }
  };
