import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { defineStep, finding, recheckAfterSync, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { type Manager, managerOf, managerText, putsBack } from "../migration/managers.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { deletion, diffsOf, type ObjectChange, patching, titleOf } from "../migration/objects.ts";
import { notYet } from "../migration/reached.ts";
import { wayOf } from "../migration/way.ts";
import { text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";
import { surveyed } from "./survey.ts";

type Owner = Readonly<{ kind: ResourceKind; object: KubeObject; patch: Json }>;

const ownerOf = (view: MetalLbView, manager: Manager): Owner | undefined => {
  const find = (kind: "applications" | "kustomizations" | "helmreleases", key: string | undefined) => {
    const listed = view.gitOps[kind];
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

type Pauses = Readonly<{ changes: readonly ObjectChange[]; findings: readonly Finding[] }>;

/** What has to be paused: the managers of objects that would be put back and have no manifest in a configured tree. */
async function pauses(context: StepContext, view: MetalLbView): Promise<Pauses> {
  const changes = new Map<string, ObjectChange>();
  const findings: Finding[] = [];
  for (const { kind, object, manager, back } of surveyed(view)) {
    if (back === false || kind === "ipaddresspools") continue;
    const way = await wayOf(context, view, [deletion(kind, object)]);
    if (way.findings.length === 0) continue;
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
    const above = managerOf(owner.kind, owner.object, view.gitOps);
    const title = titleOf(owner.kind, owner.object);
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

export const pauseSync = defineStep({
  id: "pause-sync",
  kind: "act",
  title: "Pause what would undo the changes",
  reversibleWhile: text`the Application, Kustomization or HelmRelease exists`,
  unneeded: async (context) => {
    const view = await viewMetalLb(context);
    const { changes, findings } = await pauses(context, view);
    return changes.length + findings.length > 0
      ? undefined
      : text`nothing puts these objects back, or their manifests are in a configured repository`;
  },
  ready: async (context) => {
    const { changes, findings } = await pauses(context, await viewMetalLb(context));
    return [
      ...findings,
      ...(await dryRunFindings(
        context,
        changes.map(({ deed }) => deed),
      )),
    ];
  },
  plan: async (context) => {
    const { changes } = await pauses(context, await viewMetalLb(context));
    return {
      ...noDeeds,
      deeds: changes.map(({ deed }) => deed),
      undo: changes.map(({ undo }) => undo).reverse(),
      diffs: diffsOf(changes),
      prediction: changes.map(
        ({ kind, before }) => text`${titleOf(kind, before as KubeObject)} syncs no more until it is resumed`,
      ),
      predicted: changes.map(({ kind, before }) => titleOf(kind, before as KubeObject)),
    };
  },
  verify: async (context, plan) => {
    const view = await viewMetalLb(context);
    return (
      notYet(view, plan, context.ports.clock.now()) ??
      verified("passed", text`paused: ${plan.diffs.map(({ object }) => object).join(", ")}`, {
        notes: { paused: plan.diffs.map(({ object, before }) => ({ object, before })) },
        ...recheckAfterSync(context.run.notes),
      })
    );
  },
});
