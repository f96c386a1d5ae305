import { resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeWrite } from "../kubernetes/write.ts";
import { type Deed, madeByDeed } from "../steps/deed.ts";
import type { Diff } from "../steps/step.ts";
import type { Act } from "./run-state.ts";

/**
 * A deed of the way back, with the uid that its forward deed brought about. Where none is known (its effect was found
 * by looking) the stand-in stays: whoever does the deed goes by the mark on the object.
 */
export function undoDeed(act: Act, deed: Deed): Deed {
  if (deed.kind !== "kube" || deed.write.verb === "create") return deed;
  const maker = madeByDeed(deed.write.is.uid);
  const facts = maker === undefined ? undefined : act.deeds[maker]?.facts;
  const uid = typeof facts === "object" && facts !== null && "uid" in facts ? facts.uid : undefined;
  return typeof uid === "string" ? { ...deed, write: { ...deed.write, is: { uid } } } : deed;
}

/** The way back of an act without what only hands people a file. */
export const worldUndo = ({ plan }: Act): readonly Deed[] =>
  plan.undo.filter(({ kind }) => kind !== "document");

type Commit = Extract<Deed, { kind: "git" }>;

/** The commits of an act and of its way back: what they bring about is in the cluster only once it was synced. */
export const goesByCommit = ({ plan }: Act): readonly Commit[] =>
  [...plan.deeds, ...plan.undo].filter((deed) => deed.kind === "git");

/** What acts (last first) made of each object, from before the first to after the last. */
export function undoneDiffs(acts: readonly Act[]): readonly Diff[] {
  const all = new Map<string, Diff>();
  for (const { plan } of acts.toReversed())
    for (const diff of plan.diffs) {
      const first = all.get(diff.object);
      all.set(diff.object, first === undefined ? diff : { ...diff, uid: first.uid, before: first.before });
    }
  return [...all.values()];
}

/** `BGPAdvertisement metallb/primary`, as diffs name their objects. */
export function objectOf(write: KubeWrite): string {
  const { kind, namespace, name } =
    write.verb === "create"
      ? { kind: write.kind, namespace: write.object.metadata.namespace, name: write.object.metadata.name }
      : { namespace: undefined, ...write.ref };
  return `${resourceKinds[kind].kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** Deeds that had been begun and were found changed by somebody else: nothing about these is taken back. */
export const leftToOthers = ({ plan, deeds }: Act): readonly Deed[] =>
  plan.deeds.filter(({ id }) => deeds[id]?.refusal?.moved === true);

const aboutOf = (deed: Deed): string | undefined => {
  if (deed.kind === "git") return `${deed.tree} ${deed.branch}`;
  return deed.kind === "kube" ? objectOf(deed.write) : undefined;
};

/** Whether two deeds are about the same object, or the same branch. */
export const isAboutSame = (one: Deed, other: Deed): boolean =>
  aboutOf(one) !== undefined && aboutOf(one) === aboutOf(other);
