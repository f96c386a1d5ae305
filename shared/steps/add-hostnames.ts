import { isOwnedBy } from "../dns/endpoint.ts";
import { registryOf } from "../dns/forecast.ts";
import { decodeName, isWithin } from "../dns/fqdn.ts";
import { readRegistry } from "../dns/registry.ts";
import { recheckAfterRound } from "../domain-move/after-sync.ts";
import { type DnsView, viewDns, wishesOf } from "../domain-move/dns-view.ts";
import { changesBlock, changesJson, changesOf, type Foreseen, foresee } from "../domain-move/foresee.ts";
import {
  type HostnameChange,
  hostnameChanges,
  listenerFindings,
  listsWith,
  rowsOf,
  written,
} from "../domain-move/hostnames.ts";
import { acceptedOf, isOld, movedName } from "../domain-move/move.ts";
import { looksAt } from "../domain-move/publishers.ts";
import { notYetDns } from "../domain-move/reached.ts";
import {
  deletes,
  noMoverFindings,
  publishersFindings,
  unreadFindings,
  unseenManagers,
} from "../domain-move/say.ts";
import { awaitRound, lastNames } from "../domain-move/way-back.ts";
import { type Finding, isFailure } from "../finding.ts";
import { accepting } from "../migration/accepted.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { wayOf } from "../migration/way.ts";
import type { Block } from "../reply.ts";
import { code, text } from "../text.ts";
import type { StepContext } from "./step.ts";

/** New names that would not stand as their own after the next round, and what keeps ExternalDNS from it. */
function notCreated(
  view: DnsView,
  changes: readonly HostnameChange[],
  seen: readonly Foreseen[],
): readonly Finding[] {
  const lists = listsWith(view.lists, changes);
  const added = new Set(changes.flatMap(({ names }) => names.map((each) => each.new)));
  const findings = new Map<string, Finding>();
  for (const publisher of view.movers) {
    const { read } = publisher;
    if (read === undefined) continue;
    const mine = seen.filter((each) => each.publisher === publisher);
    for (const { name, type } of wishesOf(publisher, lists).endpoints) {
      const wanted = decodeName(name);
      if (!added.has(wanted)) continue;
      const made = mine.some(({ forecast: { after } }) =>
        readRegistry(after, registryOf(read.controller)).endpoints.some(
          (each) =>
            decodeName(each.name) === wanted &&
            each.type === type &&
            (read.controller.owner === "" || isOwnedBy(each, read.controller.owner)),
        ),
      );
      if (made) continue;
      const rows = mine.flatMap(({ forecast: { silent } }) =>
        silent.filter((row) => decodeName(row.name) === wanted).map((row) => row.code),
      );
      const refusals = mine.flatMap(({ forecast: { refused } }) =>
        refused.flatMap(({ change, why }) =>
          change.group === wanted || decodeName(change.set.name) === wanted ? [why] : [],
        ),
      );
      const because = !looksAt(publisher, wanted)
        ? "its domain filter leaves the name out"
        : !mine.some(({ zone }) => isWithin(wanted, zone.name))
          ? "no zone that it sees holds the name"
          : refusals.length > 0
            ? `Route 53 refuses it: ${[...new Set(refusals)].join("; ")}`
            : rows.length > 0
              ? rows.join(", ")
              : "its ownership text is written nowhere";
      findings.set(
        `${wanted} ${type} ${publisher.name}`,
        finding(
          "new-name-not-created",
          "warning",
          { kind: "name", name: wanted },
          text`${publisher.name} would not make ${wanted} ${type} its own: ${because}`,
          {
            facts: { because, type },
            remedy: text`What stands there, and whose it is: ${code(`/dns explain ${wanted}`)}`,
          },
        ),
      );
    }
  }
  return [...findings.values()];
}

/** Names of the old domain that an object asks for under a prefix nobody here reads. */
function ignoredNames(view: DnsView): readonly Finding[] {
  return view.movers.flatMap((mover) =>
    wishesOf(mover, view.lists)
      .dropped.filter(
        ({ endpoint, ignoredPrefix }) => ignoredPrefix !== undefined && isOld(endpoint.name, view.move),
      )
      .map(({ endpoint, why }) =>
        finding(
          "annotation-ignored",
          "warning",
          { kind: "name", name: endpoint.name },
          text`${endpoint.labels.resource ?? ""}: ${why}; it would get no new name ${movedName(endpoint.name, view.move)}`,
          {
            remedy: text`Annotate it under ${code(mover.read?.settings.annotationPrefix ?? "")}, or accept it: ${code("--with accept=annotation-ignored")}`,
          },
        ),
      ),
  );
}

async function prepared(context: StepContext) {
  const view = await viewDns(context);
  const changes = written(hostnameChanges(view, "add"));
  const way = await wayOf(
    context,
    view,
    changes.map(({ change }) => change),
    undefined,
    "names",
  );
  const seen = await foresee(view, view.movers, listsWith(view.lists, changes));
  return { view, changes, way, seen };
}

const namesBlock = (changes: readonly HostnameChange[]): readonly Block[] => [
  {
    kind: "table",
    title: "Names beside the old ones",
    columns: [{ title: "object" }, { title: "has" }, { title: "gets" }],
    rows: rowsOf(changes),
  },
];

export const addHostnames = defineStep({
  id: "add-hostnames",
  kind: "act",
  title: "Add the new names beside the old",
  reversibleWhile: text`the old names stand`,
  unneeded: async (context) => {
    const view = await viewDns(context);
    return written(hostnameChanges(view, "add")).length === 0 &&
      view.movers.length > 0 &&
      unreadFindings(view).length === 0
      ? text`every name below ${view.move.from} has its twin below ${view.move.to}`
      : undefined;
  },
  ready: async (context) => {
    const { view, changes, way, seen } = await prepared(context);
    const deletes = changesOf(seen).filter(({ action }) => action === "DELETE");
    return accepting(acceptedOf(context), [
      ...publishersFindings(view),
      ...unseenManagers(view, context.run.cluster),
      ...noMoverFindings(view),
      ...way.findings,
      ...ignoredNames(view),
      ...listenerFindings(view),
      ...notCreated(view, changes, seen),
      ...deletes.map(({ name, type, publisher }) =>
        finding(
          "forecast-deletes",
          "error",
          { kind: "record", name: `${name} ${type}` },
          text`${publisher} would delete ${name} ${type}, and adding names must delete nothing`,
        ),
      ),
      ...(await dryRunFindings(context, way.deeds)),
    ]);
  },
  plan: async (context) => {
    const { view, changes, way, seen } = await prepared(context);
    const foreseen = changesOf(seen);
    const names = changes.flatMap((each) => each.names);
    return {
      deeds: way.deeds,
      undo: way.undo,
      diffs: way.diffs,
      prediction: [
        text`${names.length} names below ${view.move.to} appear beside those below ${view.move.from}, on ${changes.length} objects; no old name changes`,
        text`ExternalDNS will write ${foreseen.length} record sets, ownership texts among them, in its next round, and delete nothing`,
      ],
      predicted: changesJson(foreseen),
      instructions: way.trees.map(
        ({ tree, branch }) =>
          text`Merge ${code(branch)} of ${tree} into what GitOps follows, unless it follows that branch; the run waits for the sync`,
      ),
      blocks: [...namesBlock(changes), ...changesBlock("What ExternalDNS will do", foreseen)],
    };
  },
  verify: async (context, plan) => {
    const view = await viewDns(context);
    const pending = notYetDns(view, plan, context.ports.clock.now());
    if (pending !== undefined) return pending;
    const left = written(hostnameChanges(view, "add"));
    const findings = left.map(({ change, names }) =>
      finding(
        "name-without-twin",
        "warning",
        { kind: "config", name: change.deed.title },
        text`${names.map((each) => each.old).join(", ")} has no name below ${view.move.to}: it came after the plan`,
      ),
    );
    return findings.some(isFailure)
      ? verified("failed", text`${findings.length} objects have old names alone`, { findings })
      : verified("passed", text`every name below ${view.move.from} has its twin below ${view.move.to}`, {
          notes: { at: context.ports.clock.now(), objects: plan.diffs.map(({ object }) => object) },
          ...recheckAfterRound(view, context.run.notes),
        });
  },
  canUndo: async (context, plan) => lastNames(await viewDns(context), plan),
  verifyUndone: async (context, plan) => {
    const view = await viewDns(context);
    const { move, movers } = view;
    return awaitRound(
      view,
      plan,
      "CREATE",
      context.ports.clock.now(),
      movers.every(deletes)
        ? text`taken back, and the records below ${move.to} are gone`
        : text`taken back; records below ${move.to} stay where the policy of ExternalDNS keeps them: ${code("/dns plan")} shows them`,
    );
  },
});
