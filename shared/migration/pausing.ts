import { FaultError, isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { RunFacts } from "../steps/step.ts";
import { text } from "../text.ts";
import { finding } from "./define-step.ts";
import { type GitOpsLists, type Manager, managerOf, managerText, putsBack } from "./managers.ts";
import { type ObjectChange, patching, titleOf } from "./objects.ts";

type Owner = Readonly<{ kind: ResourceKind; object: KubeObject; patch: Json }>;
type View = Readonly<{ gitOps: GitOpsLists }>;

/** An object that would be put back, and by whom. */
export type PutBack = Readonly<{ kind: ResourceKind; object: KubeObject; manager: Manager }>;

export type Pauses = Readonly<{ changes: readonly ObjectChange[]; findings: readonly Finding[] }>;

const ownerOf = ({ gitOps }: View, manager: Manager): Owner | undefined => {
  const find = (kind: "applications" | "kustomizations" | "helmreleases", key: string | undefined) => {
    const listed = gitOps[kind];
    return isFault(listed)
      ? undefined
      : listed.find(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}` === key);
  };
  if (manager.by === "argo-cd") {
    const object = find("applications", manager.found);
    return object && { kind: "applications", object, patch: { spec: { syncPolicy: { automated: null } } } };
  }
  if (manager.by !== "flux") return undefined;
  const kind = manager.kind === "Kustomization" ? "kustomizations" : "helmreleases";
  const object = find(kind, manager.found);
  return object && { kind, object, patch: { spec: { suspend: true } } };
};

/** What pauses those who would put these objects back, each once, and why some of them cannot be paused. */
export function pausesOf(view: View, objects: readonly PutBack[]): Pauses {
  const changes = new Map<string, ObjectChange>();
  const findings: Finding[] = [];
  for (const { kind, object, manager } of objects) {
    const owner = ownerOf(view, manager);
    if (owner === undefined) {
      findings.push(
        finding(
          "manager-unseen",
          "unknown",
          { kind: "config", name: titleOf(kind, object) },
          text`${managerText(manager)} puts ${titleOf(kind, object)} back, and is not in this cluster: it cannot be paused from here`,
          { remedy: text`Pause it where it runs, or name the clone it reads under migration.repositories` },
        ),
      );
      continue;
    }
    const title = titleOf(owner.kind, owner.object);
    if (changes.has(title)) continue;
    const above = managerOf(owner.kind, owner.object, view.gitOps);
    if (putsBack(above) !== false)
      findings.push(
        finding(
          "pause-would-be-undone",
          putsBack(above) === "unknown" ? "unknown" : "warning",
          { kind: "config", name: title },
          text`${managerText(above)} manages ${title} itself and would undo the pause`,
          { remedy: text`Pause it at its source first` },
        ),
      );
    changes.set(title, patching(owner.kind, owner.object, owner.patch, "pause the sync of"));
  }
  return { changes: [...changes.values()], findings };
}

/** An object that was paused, and how it was before. */
export type Paused = Readonly<{ object: string; before: Json | null }>;

/** What a pausing step of this run paused in any of its acts, proven or not, and nobody took back in this run. */
export const pausedBy = ({ standing }: RunFacts, step: string): readonly Paused[] => standing?.[step] ?? [];

const pausable = ["applications", "kustomizations", "helmreleases"] as const;

/**
 * What a pause took away, put back as it was before: Argo CD's automation as it was, Flux without `suspend`. What is
 * not there any more is left out. Throws FaultError when it cannot be seen.
 */
export function resumesOf({ gitOps }: View, paused: readonly Paused[]): readonly ObjectChange[] {
  const wanted = new Map(paused.map((each) => [each.object, each.before]));
  return pausable.flatMap((kind) => {
    const listed = gitOps[kind];
    if (isFault(listed)) {
      if (paused.some(({ object }) => object.startsWith(`${resourceKinds[kind].kind} `)))
        throw new FaultError(listed);
      return [];
    }
    return listed.flatMap((object: KubeObject) => {
      const before = wanted.get(titleOf(kind, object));
      if (before === undefined) return [];
      const spec = (
        before as { spec?: Readonly<{ syncPolicy?: Readonly<{ automated?: Json }>; suspend?: Json }> } | null
      )?.spec;
      const patch: Json =
        kind === "applications"
          ? { spec: { syncPolicy: { automated: spec?.syncPolicy?.automated ?? null } } }
          : { spec: { suspend: spec?.suspend ?? null } };
      return [patching(kind, object, patch, "resume the sync of")];
    });
  });
}

/** Paused objects that are not in the cluster any more: there is nothing to resume. Throws FaultError. */
export function pausedAndGone(view: View, paused: readonly Paused[]): readonly Finding[] {
  const there = new Set(
    resumesOf(view, paused).map(({ kind, before }) => titleOf(kind, before as KubeObject)),
  );
  return paused
    .filter(({ object }) => !there.has(object))
    .map(({ object }) =>
      finding(
        "paused-object-gone",
        "warning",
        { kind: "config", name: object },
        text`${object} was paused by this run and is not in the cluster any more: there is nothing to resume`,
        { remedy: text`See who took it away, then skip this step` },
      ),
    );
}
