import { FaultError } from "../fault.ts";
import { filesOfOthers } from "../git/working-tree.ts";
import type { Json } from "../json.ts";
import { holds, missing } from "../kubernetes/holds.ts";
import { asMergePatch } from "../kubernetes/named-lists.ts";
import type { KubeWrite, KubeWritten, ObjectRef } from "../kubernetes/write.ts";
import { type Deed, type DeedResult, madeByDeed, type Perform } from "./deed.ts";
import { type DeedPorts, findObject, nameOf, treeOf } from "./deed-ports.ts";
import { lookOn } from "./look.ts";
import { type DeedOrigin, hasMark, marked, trailerOf } from "./origin.ts";

/** Writes that lose a race against a write of something else are tried this often. */
const attempts = 3;

const resultOf = (written: KubeWritten, uid: string | undefined): DeedResult =>
  written.ok
    ? {
        ok: true,
        facts: {
          uid: written.object?.metadata.uid ?? uid ?? null,
          resourceVersion: written.object?.metadata.resourceVersion ?? null,
        },
      }
    : written;

const conflict = (ref: ObjectRef, why: string): DeedResult => ({
  ok: false,
  because: "conflict",
  message: `${nameOf(ref)} ${why}`,
});

/** Puts the uid of the object in the place of a stand-in, or says why there is none. */
async function withUid<W extends Exclude<KubeWrite, { verb: "create" }>>(
  ports: DeedPorts,
  origin: DeedOrigin,
  write: W,
  signal: AbortSignal,
): Promise<W | DeedResult> {
  const maker = madeByDeed(write.is.uid);
  if (maker === undefined) return write;
  const there = await findObject(ports, write.ref, signal);
  if (there === undefined)
    return { ok: false, because: "not-found", message: `${nameOf(write.ref)} is not there` };
  if (!hasMark(there, origin, maker)) return conflict(write.ref, "was not made by this run");
  return { ...write, is: { ...write.is, uid: there.metadata.uid ?? "" } };
}

/**
 * A patch that is about fields rather than about a version of the object: refused when they are no longer what they were,
 * tried again when only something else of the object was written meanwhile.
 */
async function patchFields(
  ports: DeedPorts,
  write: Extract<KubeWrite, { verb: "patch" }>,
  signal: AbortSignal,
): Promise<DeedResult> {
  const { ref, before, is } = write;
  for (let attempt = 1; ; attempt++) {
    const there = await findObject(ports, ref, signal);
    if (there === undefined)
      return { ok: false, because: "not-found", message: `${nameOf(ref)} is not there` };
    const as = (patch: Json): Json => (write.byName ? asMergePatch(patch, there) : patch);
    if (there.metadata.uid !== is.uid)
      return holds(there, as(write.patch))
        ? { ok: true, facts: { uid: there.metadata.uid ?? null, resourceVersion: null } }
        : conflict(ref, "is another object of the same name");
    const wanted = before === undefined ? undefined : as(before);
    if (!holds(there, wanted) && !holds(there, as(write.patch)))
      return conflict(ref, `has been changed since the plan: ${missing(there, wanted).join(", ")}`);
    const { resourceVersion } = there.metadata;
    const written = await ports.write(
      { ...write, is: { uid: is.uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) } },
      { signal },
    );
    if (written.ok || written.because !== "conflict" || attempt === attempts)
      return resultOf(written, is.uid);
  }
}

async function performWrite(
  ports: DeedPorts,
  origin: DeedOrigin,
  deed: string,
  write: KubeWrite,
  signal: AbortSignal,
): Promise<DeedResult> {
  if (write.verb === "create") {
    const object = write.restored ? write.object : marked(write.object, origin, deed);
    return resultOf(await ports.write({ ...write, object }, { signal }), undefined);
  }
  const meant = await withUid(ports, origin, write, signal);
  if ("ok" in meant) return meant;
  if (meant.verb === "patch" && meant.before !== undefined && meant.is.resourceVersion === undefined)
    return patchFields(ports, meant, signal);
  return resultOf(await ports.write(meant, { signal }), meant.is.uid);
}

async function performCommit(
  ports: DeedPorts,
  origin: DeedOrigin,
  deed: Extract<Deed, { kind: "git" }>,
  signal: AbortSignal,
): Promise<DeedResult> {
  const tree = treeOf(ports, deed.tree);
  const trailer = trailerOf(origin, deed.id);
  const state = await lookOn(ports, origin)(deed, signal);
  if (state === "moved") {
    const others = await filesOfOthers(tree, deed.branch, deed.changes);
    return {
      ok: false,
      because: "conflict",
      message: `${others.join(", ")} of ${deed.tree} ${deed.branch} says something else than when this was planned, and is left as it is`,
    };
  }
  if (state === "done") {
    const found = await tree.find(deed.branch, trailer);
    return { ok: true, facts: { commit: found?.id ?? null, branch: deed.branch } };
  }
  if (signal.aborted)
    throw new FaultError({
      kind: "cancelled",
      what: `commit on ${deed.branch} of ${deed.tree}`,
      detail: "cancelled before it started",
    });
  const { id, branch } = await tree.commit(
    deed.branch,
    { subject: deed.subject, body: deed.body, trailer },
    deed.changes,
  );
  return { ok: true, facts: { commit: id, branch } };
}

/** A command that failed may have done part of its work, or all of it: its own test tells. */
async function performCommand(
  ports: DeedPorts,
  origin: DeedOrigin,
  deed: Extract<Deed, { kind: "shell" }>,
  signal: AbortSignal,
): Promise<DeedResult> {
  const { target, argv, privileged, timeoutMs } = deed;
  const what = `${argv[0]} on ${target.name}`;
  const { exitCode, stderr } = await ports.shell(target, { argv, privileged, timeoutMs }, { signal });
  if (exitCode === null)
    throw new FaultError({ kind: "cancelled", what, detail: "it was ended while it ran" });
  if (exitCode === 0) return { ok: true, facts: { exitCode } };
  const said = stderr.trim().split("\n").at(-1) ?? "";
  const state = await lookOn(ports, origin)(deed, signal);
  return state === "done"
    ? { ok: true, facts: { exitCode, stderr: said } }
    : {
        ok: false,
        because: "failed",
        message: `${what} ended with exit code ${exitCode}${said === "" ? "" : `: ${said}`}`,
      };
}

/**
 * Does deeds through the ports of a cluster. Objects that are created get the mark of their run (`origin.ts`) unless they
 * are put back. Facts: `uid` and `resourceVersion` of a write, `commit` of a commit, `exitCode` of a command.
 */
export const performOn =
  (ports: DeedPorts, origin: DeedOrigin): Perform =>
  async (deed, signal) => {
    switch (deed.kind) {
      case "kube":
        return performWrite(ports, origin, deed.id, deed.write, signal);
      case "git":
        return performCommit(ports, origin, deed, signal);
      case "shell":
        return performCommand(ports, origin, deed, signal);
      case "document":
        return { ok: true, facts: { name: deed.name } };
    }
  };
