import { makePlan } from "#shared/drift/change-plan.ts";
import { defaultDeleteLimits } from "#shared/drift/guards.ts";
import type { ZoneLook } from "#shared/drift/look-at-zone.ts";
import { changeCount, planReply } from "#shared/drift/plan-reply.ts";
import { type PlanState, planId } from "#shared/drift/plan-stream.ts";
import type { Plan } from "#shared/drift/plan-value.ts";
import { countsOf } from "#shared/drift/report.ts";
import { FaultError } from "#shared/fault.ts";
import { shortDigest } from "#shared/policy/approval.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Context } from "../commands/command.ts";
import { refTo } from "../runs/run-people.ts";
import { isReply, type ZoneOrName } from "./dns-words.ts";
import { lookFor } from "./live-check.ts";
import { openPlanDesk, requestPlan, whyCannotApply } from "./plan-desk.ts";
import { isUnwatched } from "./zone-messages.ts";

type Planned = Readonly<{ look: ZoneLook; plan: Plan }>;

const number = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const zonesOf = (planned: readonly Planned[]): string => planned.map(({ plan }) => plan.zone.name).join(", ");

const withheldTable = (planned: readonly Planned[]): readonly Block[] => {
  const rows = planned.flatMap(({ plan }) =>
    plan.withheld.map(({ name, type, why }): readonly Text[] => [[name], [type], [why]]),
  );
  return rows.length === 0
    ? []
    : [
        {
          kind: "table",
          title: "Left out: we will not touch these, and why",
          columns: [{ title: "record" }, { title: "type" }, { title: "why" }],
          rows,
        },
      ];
};

function nothingToDo(cluster: string, planned: readonly Planned[]): Reply {
  const { externalDns, nobody } = countsOf(planned.flatMap(({ look }) => look.report.drifts));
  const part = planned.filter(({ look }) => !look.report.complete && !isUnwatched({ look }));
  const blocked = part.flatMap(({ look }) => look.report.deletesBlocked);
  const rest = [
    ...(externalDns > 0 ? [`${externalDns} ExternalDNS will fix`] : []),
    ...(nobody > 0 ? [`${nobody} nobody will`] : []),
    ...planned
      .filter(isUnwatched)
      .map(({ plan }) => `nobody will in ${plan.zone.name}: no ExternalDNS looks at it`),
  ];
  return {
    verdict: {
      word: part.length > 0 ? "UNKNOWN" : "NOTHING TO DO",
      outcome: part.length > 0 ? "unknown" : "ok",
      text: text`we will change nothing in ${zonesOf(planned)}${rest.length === 0 ? "" : ` · ${rest.join(", ")}`}`,
    },
    cluster,
    ...(blocked.length > 0 && { why: text`${blocked[0] ?? ""}.` }),
    findings: part.flatMap(({ look }) => look.report.findings),
    blocks: withheldTable(planned),
    next: [text`Every difference: ${code("/dns check")}`],
    actions: [],
    data: { plans: [] },
  };
}

/** One plan is one zone: each is approved by itself. */
function severalPlans(cluster: string, planned: readonly Planned[]): Reply {
  return {
    verdict: {
      word: "PLAN",
      outcome: "info",
      text: text`${number(planned.length, "zone has", "zones have")} something for us to do: one plan a zone`,
    },
    cluster,
    why: ["Nothing was changed, and nothing waits for approval yet."],
    findings: [],
    blocks: [
      {
        kind: "table",
        columns: [
          { title: "zone" },
          { title: "plan" },
          { title: "differences", align: "right" },
          { title: "writes", align: "right" },
          { title: "left out", align: "right" },
        ],
        rows: planned.map(({ plan }): readonly Text[] => [
          [plan.zone.name],
          [shortDigest(plan.digest)],
          [String(plan.items.length)],
          [String(changeCount(plan))],
          [String(plan.withheld.length)],
        ]),
      },
    ],
    next: planned.slice(0, 5).map(({ plan }) => text`Ask for one: ${code(`/dns plan ${plan.zone.id}`)}`),
    actions: [],
    data: {
      plans: planned.map(({ plan }) => ({ zone: plan.zone.name, zoneId: plan.zone.id, digest: plan.digest })),
    },
  };
}

const unkept = (plan: Plan): PlanState => ({
  id: planId(plan),
  version: 1,
  plan,
  plannedAt: plan.madeAt,
  request: undefined,
  approvals: [],
  begun: undefined,
  batches: plan.batches.map(() => "untried" as const),
  refused: undefined,
  ended: undefined,
});

/** Reads everything afresh, plans, and asks for the approval of what one zone needs. */
export async function planLive(context: Context<unknown>, wanted: ZoneOrName | undefined): Promise<Reply> {
  const { deps, cluster } = context;
  const look = await lookFor(context, wanted);
  if ("verdict" in look) return look;
  const name = cluster?.config.name ?? "";
  const at = deps.clock.now();
  const planned = look.zones.map(
    (each): Planned => ({
      look: each,
      plan: makePlan({ input: each.input, report: each.report, limits: defaultDeleteLimits, at }),
    }),
  );
  const [first, ...others] = planned.filter(({ plan }) => plan.batches.length > 0);
  if (first === undefined) return nothingToDo(name, planned);
  if (others.length > 0) return severalPlans(name, [first, ...others]);
  const cannotApply = whyCannotApply(deps);
  if (deps.ledger === undefined) {
    const reply = planReply(unkept(first.plan), {
      now: at,
      ref: refTo(deps),
      approvers: [],
      cannotApply: "there is no ledger here to keep it",
    });
    return {
      ...reply,
      cluster: name,
      why: text`Nothing was changed, and nobody is asked: plans are kept and approved where the bot is.`,
      next: [text`There: ${code(`/dns plan ${first.plan.zone.name}`)} in Slack`],
    };
  }
  const desk = openPlanDesk(context);
  if (isReply(desk)) return desk;
  if (cannotApply === undefined) {
    try {
      await deps.snapshots?.put(look.snapshot);
    } catch (error) {
      // The plan stands without it; before it is applied it is left again, and told where that fails.
      if (!(error instanceof FaultError)) throw error;
    }
  }
  return requestPlan(desk, first.plan);
}
