import type { KubeObject } from "../kubernetes/read.ts";
import { defineStep, recheckAfterSync, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { deletion, diffsOf, titleOf } from "../migration/objects.ts";
import { type Pauses, type PutBack, pausesOf } from "../migration/pausing.ts";
import { notYet } from "../migration/reached.ts";
import { wayOf } from "../migration/way.ts";
import { text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";
import { surveyed } from "./survey.ts";

/** What has to be paused: the managers of objects that would be put back and have no manifest in a configured tree. */
async function pauses(context: StepContext, view: MetalLbView): Promise<Pauses> {
  const objects: PutBack[] = [];
  for (const { kind, object, manager, back } of surveyed(view)) {
    if (back === false || kind === "ipaddresspools") continue;
    const way = await wayOf(context, view, [deletion(kind, object)]);
    if (way.findings.length > 0) objects.push({ kind, object, manager });
  }
  return pausesOf(view, objects);
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
