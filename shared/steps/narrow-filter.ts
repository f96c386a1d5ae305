import { recheckAfterRound } from "../domain-move/after-sync.ts";
import { nameOrMore } from "../domain-move/asking.ts";
import { type DnsView, viewDns, wishesOf } from "../domain-move/dns-view.ts";
import { narrowChange } from "../domain-move/filter-change.ts";
import { filterWay, type PublisherEdit } from "../domain-move/filter-way.ts";
import { changesBlock, changesJson, changesOf, foresee, leftInOldDomain } from "../domain-move/foresee.ts";
import { acceptedOf, isOld } from "../domain-move/move.ts";
import { surveyedNames } from "../domain-move/notes.ts";
import { looksAt } from "../domain-move/publishers.ts";
import { notYetDns } from "../domain-move/reached.ts";
import { publishersFindings, unreadFindings, unseenManagers, untoldFinding } from "../domain-move/say.ts";
import type { Finding } from "../finding.ts";
import { accepting } from "../migration/accepted.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { code, text } from "../text.ts";
import type { StepContext } from "./step.ts";

type Wanted = Readonly<{ edits: readonly PublisherEdit[]; findings: readonly Finding[] }>;

function wanted(view: DnsView): Wanted {
  const edits: PublisherEdit[] = [];
  const findings: Finding[] = [];
  for (const publisher of view.movers) {
    const change = narrowChange(publisher, view.move);
    if (change.problem !== undefined)
      findings.push(
        finding(
          "filter-not-narrowable",
          "warning",
          { kind: "config", name: `Deployment ${publisher.name}` },
          text`the old domain cannot be taken from ${publisher.name}: ${change.problem}`,
        ),
      );
    if (change.edits.length > 0) edits.push({ publisher, edits: change.edits });
  }
  return { edits, findings };
}

/**
 * A name that the filter leaves out is invisible to ExternalDNS: it neither creates nor deletes it, whatever its policy
 * (kubernetes-sigs/external-dns, endpoint/domain_filter.go, issue 1499).
 */
async function orphaned(context: StepContext, view: DnsView): Promise<readonly Finding[]> {
  const { records, untold } = await leftInOldDomain(view, view.publishers, surveyedNames(context.run.notes));
  if (untold.length > 0) return [untoldFinding(view, untold)];
  if (records.length === 0) return [];
  return [
    finding(
      "old-domain-not-empty",
      "error",
      { kind: "zone", name: view.move.from },
      text`${records.length} records of ours are still below ${view.move.from} (${nameOrMore(records.map(({ name }) => name))}): without the filter nobody would look at them any more, and nobody would delete them`,
      {
        facts: { names: records.map(({ name }) => name) },
        remedy: text`Go through ${code("verify-old-gone")} first`,
      },
    ),
  ];
}

const stillWanted = (view: DnsView): readonly Finding[] => {
  const names = view.movers.flatMap((mover) =>
    wishesOf(mover, view.lists)
      .endpoints.filter(({ name }) => isOld(name, view.move) && looksAt(mover, name))
      .map(({ name }) => name),
  );
  return names.length === 0
    ? []
    : [
        finding(
          "old-names-wanted",
          "warning",
          { kind: "zone", name: view.move.from },
          text`${names.length} names below ${view.move.from} are still asked for (${nameOrMore(names)})`,
          { remedy: text`Retry step ${code("drop-old-hostnames")}` },
        ),
      ];
};

async function prepared(context: StepContext) {
  const view = await viewDns(context);
  const what = wanted(view);
  const way = await filterWay(context, what.edits);
  const changes = changesOf(await foresee(view, way.after));
  return { view, what, way, changes };
}

export const narrowFilter = defineStep({
  id: "narrow-filter",
  kind: "act",
  title: "Take the old domain from the filter",
  reversibleWhile: text`always: the filter gets the old domain back`,
  unneeded: async (context) => {
    const view = await viewDns(context);
    const { edits, findings } = wanted(view);
    if (unreadFindings(view).length > 0) return undefined;
    return edits.length + findings.length === 0
      ? text`no ExternalDNS has a filter for ${view.move.from}`
      : undefined;
  },
  ready: async (context) => {
    const { view, what, way, changes } = await prepared(context);
    return [
      ...(await orphaned(context, view)),
      ...accepting(acceptedOf(context), [
        ...publishersFindings(view),
        ...unseenManagers(view, context.run.cluster),
        ...what.findings,
        ...stillWanted(view),
        ...way.findings,
        ...changes
          .filter(({ action }) => action === "DELETE")
          .map(({ name, type, publisher }) =>
            finding(
              "forecast-deletes",
              "error",
              { kind: "record", name: `${name} ${type}` },
              text`${publisher} would delete ${name} ${type}, and narrowing a filter must delete nothing`,
            ),
          ),
        ...(await dryRunFindings(context, way.deeds)),
      ]),
    ];
  },
  plan: async (context) => {
    const { view, what, way, changes } = await prepared(context);
    return {
      deeds: way.deeds,
      undo: way.undo,
      diffs: way.diffs,
      prediction: [
        ...what.edits.map(
          ({ publisher, edits }) =>
            text`${publisher.name} loses ${edits.map(({ flag, value }) => `--${flag}=${value}`).join(", ")}`,
        ),
        text`nothing of ours is left below ${view.move.from}, so nothing is orphaned`,
      ],
      predicted: changesJson(changes),
      instructions: way.instructions,
      blocks: changesBlock("What ExternalDNS will do", changes),
    };
  },
  verify: async (context, plan) => {
    const view = await viewDns(context);
    const pending = notYetDns(view, plan, context.ports.clock.now());
    if (pending !== undefined) return pending;
    const { edits } = wanted(view);
    return edits.length > 0
      ? verified(
          "failed",
          text`${edits.map(({ publisher }) => publisher.name).join(", ")} still has a filter for ${view.move.from}`,
        )
      : verified("passed", text`no filter names ${view.move.from} any more, and nothing of ours is there`, {
          ...recheckAfterRound(view, context.run.notes),
        });
  },
});
