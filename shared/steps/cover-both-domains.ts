import { recheckAfterRound } from "../domain-move/after-sync.ts";
import { type DnsView, viewDns, zoneThere } from "../domain-move/dns-view.ts";
import { coverChange } from "../domain-move/filter-change.ts";
import { filterWay, type PublisherEdit } from "../domain-move/filter-way.ts";
import {
  changesBlock,
  changesJson,
  changesOf,
  type ForeseenChange,
  foresee,
} from "../domain-move/foresee.ts";
import { acceptedOf } from "../domain-move/move.ts";
import { notYetDns } from "../domain-move/reached.ts";
import { noMoverFindings, publishersFindings, unreadFindings, unseenManagers } from "../domain-move/say.ts";
import type { Finding } from "../finding.ts";
import { accepting } from "../migration/accepted.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { code, text } from "../text.ts";
import type { StepContext } from "./step.ts";

type Wanted = Readonly<{ edits: readonly PublisherEdit[]; findings: readonly Finding[] }>;

function wanted(view: DnsView): Wanted {
  const zone = zoneThere(view.newZone);
  const edits: PublisherEdit[] = [];
  const findings: Finding[] = [];
  for (const publisher of view.movers) {
    const change = coverChange(publisher, view.move, zone);
    if (change.problem !== undefined)
      findings.push(
        finding(
          "filter-not-extendable",
          "warning",
          { kind: "config", name: `Deployment ${publisher.name}` },
          text`${publisher.name} cannot be made to look at ${view.move.to} beside ${view.move.from}: ${change.problem}`,
          { remedy: text`Change its filter by hand so that it covers both, then go on` },
        ),
      );
    const tags = publisher.flags.get("aws-zone-tags") ?? [];
    if (tags.length > 0)
      findings.push(
        finding(
          "zone-tags-unseen",
          "warning",
          { kind: "zone", name: zone.name },
          text`${publisher.name} works only on zones with the tags ${tags.join(", ")}; whether ${zone.id} has them cannot be seen from here`,
          {
            remedy: text`See them: ${code(`aws route53 list-tags-for-resource --resource-type hostedzone --resource-id ${zone.id}`)}; when they are there: ${code("--with accept=zone-tags-unseen")}`,
          },
        ),
      );
    if (change.edits.length > 0) edits.push({ publisher, edits: change.edits });
  }
  return { edits, findings };
}

/** Deletes that the change would bring about: there must be none, and none may be under way either. */
const deleteFindings = (changes: readonly ForeseenChange[]): readonly Finding[] =>
  changes
    .filter(({ action }) => action === "DELETE")
    .map(({ name, type, publisher, zone }) =>
      finding(
        "forecast-deletes",
        "error",
        { kind: "record", name: `${name} ${type}` },
        text`${publisher} would delete ${name} ${type} from ${zone}: nothing it wants is there, and the owner id is its own`,
        {
          remedy: text`See who made it (another cluster with the same owner id?), and why nothing asks for it`,
        },
      ),
    );

async function prepared(context: StepContext) {
  const view = await viewDns(context);
  const what = wanted(view);
  const way = await filterWay(context, what.edits);
  const changes = changesOf(await foresee(view, way.after));
  return { view, what, way, changes };
}

export const coverBothDomains = defineStep({
  id: "cover-both-domains",
  kind: "act",
  title: "Have ExternalDNS look at both domains",
  reversibleWhile: text`no new name is published: until step add-hostnames`,
  unneeded: async (context) => {
    const view = await viewDns(context);
    const { edits, findings } = wanted(view);
    if (view.movers.length === 0 || unreadFindings(view).length > 0) return undefined;
    return edits.length + findings.length === 0
      ? text`every ExternalDNS that moves looks at ${view.move.to} already`
      : undefined;
  },
  ready: async (context) => {
    const { view, what, way, changes } = await prepared(context);
    return accepting(acceptedOf(context), [
      ...publishersFindings(view),
      ...unseenManagers(view, context.run.cluster),
      ...noMoverFindings(view),
      ...what.findings,
      ...way.findings,
      ...deleteFindings(changes),
      ...(await dryRunFindings(context, way.deeds)),
    ]);
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
            text`${publisher.name} gets ${edits.map(({ flag, value }) => `--${flag}=${value}`).join(", ")} beside what it has`,
        ),
        changes.length === 0
          ? text`ExternalDNS will change no record: old names stay, and nobody asks for a new one yet`
          : text`ExternalDNS will make ${changes.length} changes in ${view.move.to} and ${view.move.from}, and delete nothing`,
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
    const left = wanted(view);
    if (left.edits.length > 0)
      return verified(
        "failed",
        text`${left.edits.map(({ publisher }) => publisher.name).join(", ")} does not look at ${view.move.to} yet`,
      );
    const findings = deleteFindings(changesOf(await foresee(view, view.movers)));
    return findings.length > 0
      ? verified("failed", text`ExternalDNS is about to delete ${findings.length} records`, { findings })
      : verified(
          "passed",
          text`${view.movers.map(({ name }) => name).join(", ")} look at ${view.move.from} and ${view.move.to}`,
          recheckAfterRound(view, context.run.notes),
        );
  },
});
