import { FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import { opensNow } from "../migration/clients.ts";
import { couldNotLook, defineStep, finding, verified } from "../migration/define-step.ts";
import {
  type Drill,
  drillObstacles,
  drillOf,
  drillVantage,
  movesJson,
  movesTable,
} from "../migration/drill.ts";
import { viewMetalLb } from "../migration/metallb-view.ts";
import { announcersSeen, lookOnTheWire } from "../migration/wire.ts";
import { text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";

/** What the survey of a drill wrote down for the steps after it. */
export type DrillNotes = Readonly<{
  ip: string;
  service: string;
  port: number;
  node: string;
  uid: string;
  next: string;
}>;

export const drillNoted = (notes: Readonly<Record<string, Json>>): DrillNotes =>
  notes["drill-survey"] as unknown as DrillNotes;

async function asNow(
  context: StepContext,
): Promise<Readonly<{ drill: Drill; findings: readonly Finding[] }>> {
  const { ports, signal } = context;
  const view = await viewMetalLb(context);
  const drill = drillOf(view, context);
  const findings = [...drillObstacles(view, drill, context)];
  const { ip, service, port, node } = drill;
  const wire = await lookOnTheWire(context, [ip]);
  findings.push(...wire.findings);
  const seen = announcersSeen(wire.results).get(ip);
  if (wire.findings.length === 0 && seen !== node.metadata.name)
    findings.push(
      finding(
        "drill-other-announcer",
        "error",
        { kind: "address", name: ip },
        text`${seen ?? "nobody we know"} answers for ${ip}, and ${node.metadata.name} is predicted to`,
      ),
    );
  const vantage = drillVantage(ports.config);
  if (vantage !== undefined && port !== undefined)
    try {
      if (!(await opensNow(ports, vantage.name, { ip, port }, signal)))
        findings.push(
          finding(
            "drill-not-served",
            "error",
            { kind: "address", name: ip },
            text`${service} ${ip} opens no connection from ${vantage.name} as it is: a gap could not be told from that`,
          ),
        );
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      findings.push(couldNotLook(error.fault, { kind: "vantage", name: vantage.name }));
    }
  return { drill, findings };
}

export const drillSurvey = defineStep({
  id: "drill-survey",
  kind: "check",
  title: "What would move, and whether it may",
  reversibleWhile: text`nothing is changed`,
  ready: async (context) => (await asNow(context)).findings,
  plan: async (context) => {
    const { moves } = drillOf(await viewMetalLb(context), context);
    return { ...noDeeds, prediction: [], predicted: movesJson(moves), blocks: [movesTable(moves)] };
  },
  verify: async (context) => {
    const { ip, service, port = 0, node, moves } = drillOf(await viewMetalLb(context), context);
    const { name, uid = "" } = node.metadata;
    const next = moves.find((move) => move.ip === ip && move.service === service)?.to ?? "";
    const notes: DrillNotes = { ip, service, port, node: name, uid, next };
    return verified(
      "passed",
      text`${name} announces ${ip} (${service}); ${moves.length} ${moves.length === 1 ? "address" : "addresses"} would move, this one to ${next}`,
      { notes: { ...notes }, blocks: [movesTable(moves)] },
    );
  },
});
