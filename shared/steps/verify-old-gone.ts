import { roundMs } from "../domain-move/after-sync.ts";
import { nameOrMore } from "../domain-move/asking.ts";
import { viewDns } from "../domain-move/dns-view.ts";
import { leftInOldDomain } from "../domain-move/foresee.ts";
import { droppedAt, surveyedNames } from "../domain-move/notes.ts";
import { deletes, publishersFindings, untoldFinding } from "../domain-move/say.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { code, text } from "../text.ts";
import { noDeeds } from "./step.ts";

const pollMs = 30_000;

export const verifyOldGone = defineStep({
  id: "verify-old-gone",
  kind: "check",
  title: "Verify that the old records are gone",
  proof: text`that no record of ours is left in the old zone: once the filter is narrowed nobody looks after it`,
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async (context) => {
    const view = await viewDns(context);
    const idle = view.movers.filter((mover) => !deletes(mover));
    return {
      ...noDeeds,
      prediction: [
        idle.length === 0
          ? text`ExternalDNS deletes the old records with their ownership texts in its next round`
          : text`nobody will delete the records of ${idle.map(({ name }) => name).join(", ")} by itself: ${code("/dns plan")} and ${code("/dns apply")} do, then this step passes`,
      ],
      predicted: null,
    };
  },
  verify: async (context) => {
    const view = await viewDns(context);
    const blind = publishersFindings(view).filter(({ severity }) => severity === "unknown");
    const { records, texts, untold } = await leftInOldDomain(
      view,
      view.publishers,
      surveyedNames(context.run.notes),
    );
    const unknown = untold.length > 0 ? [...blind, untoldFinding(view, untold)] : blind;
    const now = context.ports.clock.now();
    const mine = (name: string) => view.movers.find((mover) => mover.name === name);
    const coming = records.filter(({ publisher }) => {
      const mover = mine(publisher);
      return mover !== undefined && deletes(mover);
    });
    const until = (droppedAt(context.run.notes) ?? 0) + 3 * roundMs(view);
    if (coming.length > 0 && now < until)
      return verified(
        "waiting",
        text`${records.length} old records are still in the zone: ExternalDNS deletes them in its next round`,
        { until: now + pollMs },
      );
    const textFindings = texts.map((name) =>
      finding(
        "old-text-left",
        "info",
        { kind: "record", name: `${name} TXT` },
        text`ownership text ${name} is left; it does no harm, and nobody will delete it`,
        { remedy: text`It is a clean-up: ${code("/dns plan")}` },
      ),
    );
    const findings = [
      ...records.map(({ name, type, publisher }) =>
        finding(
          "old-record-left",
          "warning",
          { kind: "record", name: `${name} ${type}` },
          coming.some((each) => each.name === name && each.type === type)
            ? text`${publisher} has not deleted ${name} ${type}; its log says why`
            : mine(publisher) === undefined
              ? text`nobody will delete ${name} ${type}: ${publisher} does not look at ${view.move.from} any more`
              : text`nobody will delete ${name} ${type}: the policy of ${publisher} keeps it`,
          { remedy: text`See ${code("/dns plan")}, approve ${code("/dns apply")}, then retry` },
        ),
      ),
      ...(records.length > 0 ? [] : textFindings),
    ];
    if (records.length === 0 && unknown.length > 0)
      return verified(
        "unknown",
        text`whether anything of ours is left below ${view.move.from} is not known`,
        {
          findings: unknown,
        },
      );
    const notes = {
      records: records.map(({ name, type }) => `${name} ${type}`),
      texts: [...texts],
    };
    return records.length > 0
      ? verified(
          "failed",
          text`${records.length} records of ours are left below ${view.move.from} (${nameOrMore(records.map(({ name }) => name))})`,
          { findings, notes },
        )
      : verified(
          "passed",
          texts.length === 0
            ? text`no record and no ownership text of ours is left below ${view.move.from}`
            : text`no record of ours is left below ${view.move.from}; ${texts.length} ownership texts are, and nobody will delete them`,
          { findings, notes },
        );
  },
});
