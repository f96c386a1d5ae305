import { FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import { couldNotLook, defineStep, finding, verified } from "../migration/define-step.ts";
import { drillObstacles, drillOf, drillVantage, labelOf, movesJson, movesTable } from "../migration/drill.ts";
import { labelDiff, removeLabel, setLabel } from "../migration/drill-label.ts";
import { type HandOverGap, handOverGap, handOverText } from "../migration/hand-over-gap.ts";
import { viewMetalLb } from "../migration/metallb-view.ts";
import { observeClients } from "../migration/observe-clients.ts";
import { announcersSeen, lookOnTheWire } from "../migration/wire.ts";
import { text } from "../text.ts";
import { drillNoted } from "./drill-survey.ts";

/** What came of handing the address over. `to` is null where nobody single answered, `gap` where nobody looked. */
export type ExcludeNotes = Readonly<{ to: string | null; gap: HandOverGap | null }>;

export const excludeNoted = (notes: Readonly<Record<string, Json>>): ExcludeNotes =>
  (notes["drill-exclude"] ?? { to: null, gap: null }) as unknown as ExcludeNotes;

export const drillExclude = defineStep({
  id: "drill-exclude",
  kind: "act",
  title: "Hand the address over",
  reversibleWhile: text`always: the next step takes the label off again`,
  ready: async (context) => {
    const view = await viewMetalLb(context);
    const drill = drillOf(view, context);
    const { node, ip } = drillNoted(context.run.notes);
    const now = drill.node.metadata.name;
    // The label of another, a selector or a release may have moved it while this waited for approval.
    const changed =
      now === node
        ? []
        : [
            finding(
              "drill-announcer-changed",
              "error",
              { kind: "address", name: ip },
              text`${now} announces ${ip} now, and ${node} did when the drill began`,
              { remedy: text`End this run and drill again` },
            ),
          ];
    return [...changed, ...drillObstacles(view, drill, context)];
  },
  plan: async (context) => {
    const { node, moves } = drillOf(await viewMetalLb(context), context);
    const { id } = context.run;
    const ref = { name: node.metadata.name, uid: node.metadata.uid ?? "" };
    return {
      deeds: [setLabel(id, ref)],
      undo: [removeLabel(id, ref)],
      diffs: [labelDiff(ref, null, labelOf(id))],
      prediction: moves.map(
        ({ ip, service, from, to }) => text`${ip} (${service}) goes from ${from} to ${to ?? "nobody"}`,
      ),
      predicted: movesJson(moves),
      instructions: [],
      blocks: [movesTable(moves)],
    };
  },
  observe: async (context) => {
    const { ip, port, service } = drillNoted(context.run.notes);
    return observeClients(context, "hand-over", [{ ip, port, service }], drillVantage(context.ports.config));
  },
  // Whatever came of it the label has to come off, so nothing here stops the run: the last step judges.
  verify: async (context, _, observed) => {
    const { ip, node, next } = drillNoted(context.run.notes);
    const gap = handOverGap(observed?.facts, ip);
    const findings: Finding[] = [...(observed?.findings ?? [])];
    let to: string | null = null;
    try {
      const { results } = await lookOnTheWire(context, [ip]);
      to = announcersSeen(results).get(ip) ?? null;
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      findings.push(couldNotLook(error.fault, { kind: "address", name: ip }));
    }
    const notes: ExcludeNotes = { to, gap: gap ?? null };
    return verified(
      "passed",
      to === next
        ? text`${ip} went from ${node} to ${next}: ${handOverText(gap)}`
        : text`${ip} did not go to ${next}: ${to ?? "nobody single"} answers; ${handOverText(gap)}`,
      { findings, blocks: observed?.blocks ?? [], notes: JSON.parse(JSON.stringify(notes)) as Json },
    );
  },
});
