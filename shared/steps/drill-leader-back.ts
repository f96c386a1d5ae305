import { opensNow } from "../migration/clients.ts";
import { defineStep, verified } from "../migration/define-step.ts";
import { drillVantage } from "../migration/drill.ts";
import { type HandOverGap, handOverText } from "../migration/hand-over-gap.ts";
import { announcersSeen, lookOnTheWire } from "../migration/wire.ts";
import { text } from "../text.ts";
import { excludeNoted } from "./drill-exclude.ts";
import { drillNoted } from "./drill-survey.ts";
import { noDeeds, type StepContext } from "./step.ts";

/** How long the first in order may take to have its address again. */
const backMs = 20_000;
const againMs = 2_000;

async function asNow(context: StepContext) {
  const { ip, port } = drillNoted(context.run.notes);
  const vantage = drillVantage(context.ports.config);
  const wire = await lookOnTheWire(context, [ip]);
  const opens =
    vantage !== undefined && (await opensNow(context.ports, vantage.name, { ip, port }, context.signal));
  return { answers: announcersSeen(wire.results).get(ip), opens, wire };
}

export const drillLeaderBack = defineStep({
  id: "drill-leader-back",
  kind: "check",
  title: "The address is where it was",
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async () => ({ ...noDeeds, prediction: [], predicted: null }),
  verify: async (context) => {
    const { clock } = context.ports;
    const { ip, service, node, next } = drillNoted(context.run.notes);
    const until = clock.now() + backMs;
    let now = await asNow(context);
    while ((now.answers !== node || !now.opens) && clock.now() < until) {
      await clock.sleep(againMs, context.signal);
      now = await asNow(context);
    }
    const { wire, answers, opens } = now;
    const more = { findings: wire.findings, blocks: wire.blocks };
    if (wire.results.every(({ verdict }) => verdict.code === "could-not-look"))
      return verified("unknown", text`who answers for ${ip} could not be seen`, more);
    if (answers !== node || !opens)
      return verified(
        "failed",
        answers === node
          ? text`${node} has ${ip} (${service}) again, and no new connection opens`
          : text`${ip} (${service}) is not back at ${node}: ${answers ?? "nobody single"} answers`,
        more,
      );
    const { to, gap } = excludeNoted(context.run.notes);
    const back = (context.run.notes["drill-include"] ?? null) as { gap?: HandOverGap | null } | null;
    const said = text`to ${next}: ${handOverText(gap ?? undefined)}; back: ${handOverText(back?.gap ?? undefined)}`;
    if (to !== next || gap?.open === true)
      return verified(
        "failed",
        text`${node} has ${ip} (${service}) again and the label is off, but the hand-over did not work. ${said}`,
        more,
      );
    return verified("passed", text`${node} has ${ip} (${service}) again. ${said}`, {
      ...more,
      notes: { to: gap === null ? null : { ...gap }, back: back?.gap == null ? null : { ...back.gap } },
    });
  },
});
