import { type DnsView, viewDns, zoneThere } from "../domain-move/dns-view.ts";
import { coverChange, narrowChange } from "../domain-move/filter-change.ts";
import { filterWay } from "../domain-move/filter-way.ts";
import { hostnameChanges, written } from "../domain-move/hostnames.ts";
import { syncNotes } from "../domain-move/notes.ts";
import { notYetDns } from "../domain-move/reached.ts";
import { publishersFindings, unseenManagers } from "../domain-move/say.ts";
import type { Finding } from "../finding.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { defineStep, recheckAfterSync, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { managerOf, putsBack } from "../migration/managers.ts";
import { diffsOf, titleOf } from "../migration/objects.ts";
import { type Pauses, type PutBack, pausesOf } from "../migration/pausing.ts";
import { wayOf } from "../migration/way.ts";
import { text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";

/** Only these are cured by a pause; a file with a secret in it, for one, is not. */
const putBackCodes: readonly string[] = ["managed-and-synced", "manager-unknown"];
const isPutBack = (findings: readonly Finding[]): boolean =>
  findings.some(({ code }) => putBackCodes.includes(code));

/** ExternalDNS Deployments whose filters will be changed, would be put back, and can be changed nowhere else. */
async function deployments(context: StepContext, view: DnsView): Promise<readonly PutBack[]> {
  const found: PutBack[] = [];
  for (const publisher of view.movers) {
    if (putsBack(publisher.manager) === false) continue;
    const cover = coverChange(publisher, view.move, zoneThere(view.newZone)).edits;
    const edits = cover.length > 0 ? cover : narrowChange(publisher, view.move).edits;
    if (edits.length === 0) continue;
    const { findings } = await filterWay(context, [{ publisher, edits }]);
    if (isPutBack(findings))
      found.push({ kind: "deployments", object: publisher.object, manager: publisher.manager });
  }
  return found;
}

/** The same for objects whose names will be added to, or taken from. */
async function named(context: StepContext, view: DnsView): Promise<readonly PutBack[]> {
  const found = new Map<string, PutBack>();
  for (const { change } of written([...hostnameChanges(view, "add"), ...hostnameChanges(view, "drop")])) {
    const { kind, before } = change;
    if (before === null) continue;
    const manager = managerOf(kind, before, view.gitOps);
    if (putsBack(manager) === false) continue;
    const way = await wayOf(context, view, [change], undefined, "names");
    if (isPutBack(way.findings)) found.set(titleOf(kind, before), { kind, object: before, manager });
  }
  return [...found.values()];
}

const pauses = async (context: StepContext, view: DnsView): Promise<Pauses> =>
  pausesOf(view, [...(await deployments(context, view)), ...(await named(context, view))]);

export const pauseDnsSync = defineStep({
  id: "pause-dns-sync",
  kind: "act",
  title: "Pause what would undo the new names",
  reversibleWhile: text`the Application, Kustomization or HelmRelease exists`,
  unneeded: async (context) => {
    const view = await viewDns(context);
    if (publishersFindings(view).length + unseenManagers(view, context.run.cluster).length > 0)
      return undefined;
    const { changes, findings } = await pauses(context, view);
    return changes.length + findings.length > 0
      ? undefined
      : text`nothing puts these objects back, or they are changed at their source`;
  },
  ready: async (context) => {
    const view = await viewDns(context);
    const { changes, findings } = await pauses(context, view);
    return [
      ...publishersFindings(view).filter(({ severity }) => severity === "unknown"),
      ...unseenManagers(view, context.run.cluster),
      ...findings,
      ...(await dryRunFindings(
        context,
        changes.map(({ deed }) => deed),
      )),
    ];
  },
  plan: async (context) => {
    const { changes } = await pauses(context, await viewDns(context));
    return {
      ...noDeeds,
      deeds: changes.map(({ deed }) => deed),
      undo: changes.map(({ undo }) => undo).reverse(),
      diffs: diffsOf(changes),
      prediction: changes.map(
        ({ kind, before }) =>
          text`${titleOf(kind, before as KubeObject)} syncs nothing, over the quiet period too, until step resume-dns-sync`,
      ),
      predicted: changes.map(({ kind, before }) => titleOf(kind, before as KubeObject)),
    };
  },
  verify: async (context, plan) => {
    const view = await viewDns(context);
    return (
      notYetDns(view, plan, context.ports.clock.now()) ??
      verified(
        "passed",
        plan.diffs.length === 0
          ? text`nothing had to be paused`
          : text`paused: ${plan.diffs.map(({ object }) => object).join(", ")}`,
        {
          notes: { paused: plan.diffs.map(({ object, before }) => ({ object, before })) },
          ...recheckAfterSync(syncNotes(context.run.notes)),
        },
      )
    );
  },
});
