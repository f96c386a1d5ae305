import { isWithin } from "../dns/fqdn.ts";
import { recheckAfterRound } from "../domain-move/after-sync.ts";
import { type DnsView, viewDns, wishesOf } from "../domain-move/dns-view.ts";
import {
  changesBlock,
  changesJson,
  changesOf,
  type ForeseenChange,
  foresee,
  leftInOldDomain,
} from "../domain-move/foresee.ts";
import {
  type HostnameChange,
  hostnameChanges,
  listsWith,
  rowsOf,
  tlsFindings,
  written,
} from "../domain-move/hostnames.ts";
import { acceptedOf, isNew, isOld } from "../domain-move/move.ts";
import { surveyedNames } from "../domain-move/notes.ts";
import { quietUntil } from "../domain-move/quiet.ts";
import { notYetDns } from "../domain-move/reached.ts";
import {
  deletes,
  noMoverFindings,
  publishersFindings,
  unreadFindings,
  unseenManagers,
} from "../domain-move/say.ts";
import { awaitRound, nobodyLooks } from "../domain-move/way-back.ts";
import type { Finding } from "../finding.ts";
import { accepting } from "../migration/accepted.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { wayOf } from "../migration/way.ts";
import { utcTime } from "../runs/utc-time.ts";
import { code, type Text, text } from "../text.ts";
import type { StepContext } from "./step.ts";

/** Refused until the old TTL and the quiet period are over, whoever skipped the step that waits for them. */
async function tooEarly(context: StepContext, view: DnsView): Promise<readonly Finding[]> {
  const until = await quietUntil(context, view);
  const now = context.ports.clock.now();
  if (until !== undefined && now >= until) return [];
  return [
    finding(
      "quiet-period-open",
      "warning",
      { kind: "cluster", name: context.run.cluster },
      until === undefined
        ? text`since when the new names stand is not known`
        : text`the old names may still be remembered and used: they stay until ${utcTime(until)}`,
      {
        remedy:
          until === undefined
            ? text`Go back to where they were added: ${code("/migrate rollback add-hostnames")}, then ${code("/migrate next")}`
            : text`Wait; a shorter time is ${code("migration.quietSeconds")}`,
      },
    ),
  ];
}

/** New names that lead through an old one would fall with it. */
const targetFindings = (view: DnsView): readonly Finding[] =>
  view.movers.flatMap((mover) =>
    wishesOf(mover, view.lists)
      .endpoints.filter(
        ({ name, targets }) => isNew(name, view.move) && targets.some((target) => isOld(target, view.move)),
      )
      .map(({ name, targets }) =>
        finding(
          "target-in-old-domain",
          "warning",
          { kind: "name", name },
          text`${name} leads to ${targets.join(", ")}, which goes away with the old domain`,
          { remedy: text`Give it a target below ${view.move.to}` },
        ),
      ),
  );

const aloneFindings = (changes: readonly HostnameChange[], view: DnsView): readonly Finding[] =>
  changes
    .filter(({ alone }) => alone.length > 0)
    .map(({ alone, change }) =>
      finding(
        "name-without-twin",
        "warning",
        { kind: "config", name: change.deed.title.replace(/^take old names from /, "") },
        text`${alone.join(", ")} has no name below ${view.move.to} beside it and would be its last`,
        { remedy: text`Retry step ${code("add-hostnames")}` },
      ),
    );

/** Deletes that are no old name of ours: nothing else may go. */
const moreDeleted = (changes: readonly ForeseenChange[], view: DnsView): readonly Finding[] =>
  changes
    .filter(({ action, name }) => action === "DELETE" && !isWithin(name, view.move.from))
    .map(({ name, type, publisher }) =>
      finding(
        "forecast-deletes",
        "error",
        { kind: "record", name: `${name} ${type}` },
        text`${publisher} would delete ${name} ${type} too, which is no old name`,
      ),
    );

async function prepared(context: StepContext) {
  const view = await viewDns(context);
  const all = hostnameChanges(view, "drop");
  const changes = written(all);
  const way = await wayOf(
    context,
    view,
    changes.map(({ change }) => change),
    undefined,
    "names",
  );
  const foreseen = changesOf(await foresee(view, view.movers, listsWith(view.lists, changes)));
  const kept = (await leftInOldDomain(view, view.movers, surveyedNames(context.run.notes))).records.filter(
    ({ name, type }) =>
      !foreseen.some((each) => each.action === "DELETE" && each.name === name && each.type === type),
  );
  return { view, all, changes, way, foreseen, kept };
}

const predictions = ({
  view,
  changes,
  foreseen,
  kept,
}: Awaited<ReturnType<typeof prepared>>): readonly Text[] => {
  const records = foreseen.filter(({ action, type }) => action === "DELETE" && type !== "TXT");
  const texts = foreseen.filter(({ action, type }) => action === "DELETE" && type === "TXT");
  const idle = view.movers.filter((mover) => !deletes(mover));
  return [
    text`${changes.reduce((sum, { names }) => sum + names.length, 0)} old names are asked for no more, on ${changes.length} objects`,
    ...(records.length + texts.length === 0
      ? []
      : [
          text`ExternalDNS will delete ${records.length} records and ${texts.length} ownership texts in its next round: exactly those listed`,
        ]),
    ...(idle.length === 0
      ? []
      : [
          text`nobody will delete what ${idle.map(({ name, read }) => `${name} (${read?.controller.policy ?? "unknown"})`).join(", ")} owns: its policy keeps it. It is a clean-up for ${code("/dns apply")}`,
        ]),
    ...(kept.length === 0 || idle.length > 0
      ? []
      : [text`${kept.length} records below ${view.move.from} stay: something still asks for them`]),
  ];
};

export const dropOldHostnames = defineStep({
  id: "drop-old-hostnames",
  kind: "act",
  title: "Drop the old names",
  reversibleWhile: text`ExternalDNS looks at the old domain: until step narrow-filter. A name that comes back was gone for a while, and resolvers may remember that`,
  unneeded: async (context) => {
    const view = await viewDns(context);
    return hostnameChanges(view, "drop").length === 0 &&
      view.movers.length > 0 &&
      unreadFindings(view).length === 0
      ? text`nothing asks for a name below ${view.move.from} any more`
      : undefined;
  },
  ready: async (context) => {
    const { view, all, way, foreseen } = await prepared(context);
    return [
      ...(await tooEarly(context, view)),
      ...accepting(acceptedOf(context), [
        ...publishersFindings(view),
        ...unseenManagers(view, context.run.cluster),
        ...noMoverFindings(view),
        ...way.findings,
        ...aloneFindings(all, view),
        ...targetFindings(view),
        ...tlsFindings(view),
        ...moreDeleted(foreseen, view),
        ...(await dryRunFindings(context, way.deeds)),
      ]),
    ];
  },
  plan: async (context) => {
    const what = await prepared(context);
    const { changes, way, foreseen, kept } = what;
    return {
      deeds: way.deeds,
      undo: way.undo,
      diffs: way.diffs,
      prediction: predictions(what),
      predicted: {
        changes: changesJson(foreseen),
        kept: kept.map(({ name, type }) => `${name} ${type}`),
      },
      instructions: way.trees.map(
        ({ tree, branch }) =>
          text`Merge ${code(branch)} of ${tree} into what GitOps follows, unless it follows that branch; the run waits for the sync`,
      ),
      blocks: [
        {
          kind: "table",
          title: "Old names that go",
          columns: [{ title: "object" }, { title: "loses" }, { title: "keeps" }],
          rows: rowsOf(changes),
        },
        ...changesBlock("What ExternalDNS will do", foreseen),
        ...(kept.length === 0
          ? []
          : [
              {
                kind: "evidence" as const,
                title: "What stays in the zone",
                lines: kept.map(({ name, type, publisher }) => `${name} ${type}  (${publisher})`),
              },
            ]),
      ],
    };
  },
  verify: async (context, plan) => {
    const view = await viewDns(context);
    const pending = notYetDns(view, plan, context.ports.clock.now());
    if (pending !== undefined) return pending;
    const left = hostnameChanges(view, "drop");
    return left.length > 0
      ? verified("failed", text`${left.length} objects still ask for a name below ${view.move.from}`)
      : verified("passed", text`nothing asks for a name below ${view.move.from} any more`, {
          notes: { at: context.ports.clock.now(), predicted: plan.predicted },
          ...recheckAfterRound(view, context.run.notes),
        });
  },
  canUndo: async (context, plan) => nobodyLooks(await viewDns(context), plan),
  verifyUndone: async (context, plan) => {
    const view = await viewDns(context);
    return awaitRound(
      view,
      plan,
      "DELETE",
      context.ports.clock.now(),
      text`taken back, and the records below ${view.move.from} stand again`,
    );
  },
});
