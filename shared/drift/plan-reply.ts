import { valuesOf } from "../dns/record-set.ts";
import { shortDigest } from "../policy/approval.ts";
import type { Action, Block, Outcome, Reply } from "../reply.ts";
import { utcTime } from "../runs/utc-time.ts";
import { code, join, type PersonRef, person, type Text, text } from "../text.ts";
import type { Offer, PlannedChange } from "./drift.ts";
import { type BatchProgress, type PlanState, planId } from "./plan-stream.ts";
import type { Plan, PlannedBatch } from "./plan-value.ts";

/** Where the life of a plan stands, for people and for what may still be asked of it. */
export type PlanStage =
  | "made"
  | "waiting"
  | "expired"
  | "withdrawn"
  | "approved"
  | "at-work"
  | "refused"
  | "ended";

/** An end says so; a writer that began and said no more is at work, or nobody knows. */
export function planStage(state: PlanState, now: number): PlanStage {
  const { request, approvals, begun, refused, ended } = state;
  if (ended !== undefined) return "ended";
  if (refused !== undefined && refused.at >= (begun?.at ?? 0)) return "refused";
  if (begun !== undefined) return "at-work";
  if (request === undefined) return state.version > 1 ? "withdrawn" : "made";
  if (approvals.some(({ digest }) => digest === request.digest)) return "approved";
  return now > request.until ? "expired" : "waiting";
}

const doing: Readonly<Record<Offer["kind"], string>> = {
  adopt: "adopt",
  "clean-up": "clean up",
  "repair-ownership": "repair ownership",
  restore: "restore",
};

const number = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const named = (name: string, setIdentifier: string | undefined): string =>
  setIdentifier === undefined ? name : `${name} (${setIdentifier})`;

const answerOf = ({ set }: PlannedChange): string =>
  set.answer.kind === "alias"
    ? `alias of ${set.answer.target.name}`
    : `${valuesOf(set).join(", ")}${set.answer.ttl === undefined ? "" : ` (TTL ${set.answer.ttl} s)`}`;

const changeLine = (change: PlannedChange): string => {
  const { action, before, set } = change;
  const place = `${action} ${named(set.name, set.setIdentifier)} ${set.type}`;
  return action === "UPSERT" && before !== undefined
    ? `${place} ${answerOf({ action, set: before })} -> ${answerOf(change)}`
    : `${place} ${answerOf(change)}`;
};

const lines = (batches: readonly PlannedBatch[]): readonly string[] =>
  batches.flatMap(({ changes }, i) => [
    ...(batches.length > 1 ? [`batch ${i + 1} of ${batches.length}`] : []),
    ...changes.map(changeLine),
  ]);

/** How many record sets a plan writes. */
export const changeCount = ({ batches }: Pick<Plan, "batches">): number =>
  batches.reduce((sum, { changes }) => sum + changes.length, 0);

const withheldBlocks = ({ withheld }: Plan): readonly Block[] =>
  withheld.length === 0
    ? []
    : [
        {
          kind: "table",
          title: "Left out: we will not touch these, and why",
          columns: [{ title: "record" }, { title: "type" }, { title: "why" }],
          rows: withheld.map(({ name, type, setIdentifier, why }) => [
            [named(name, setIdentifier)],
            [type],
            [why],
          ]),
        },
      ];

/** What we will do and why, what is left out, the exact changes and the exact way back. */
export const planDetails = (plan: Plan): readonly Block[] => [
  ...(plan.items.length === 0
    ? []
    : [
        {
          kind: "table" as const,
          columns: [{ title: "record" }, { title: "type" }, { title: "do" }, { title: "what" }],
          rows: plan.items.map(({ name, type, setIdentifier, offer, what }): readonly Text[] => [
            [named(name, setIdentifier)],
            [type],
            [doing[offer]],
            [what],
          ]),
        },
      ]),
  ...withheldBlocks(plan),
  ...(plan.items.length === 0
    ? []
    : [
        {
          kind: "evidence" as const,
          title: "Why",
          lines: plan.items.map(({ kind, name, type, because }) => `${kind} ${name} ${type}: ${because}`),
        },
        { kind: "evidence" as const, title: "Exactly what is sent", lines: lines(plan.batches) },
        { kind: "evidence" as const, title: "The way back", lines: lines(plan.undo) },
      ]),
];

export type PlanReplyOptions = Readonly<{
  now: number;
  ref: (name: string) => PersonRef;
  approvers: readonly PersonRef[];
  /** Why nothing can be applied from here, where that is so. */
  cannotApply?: string;
  /** What could not be learnt from the writer just now. */
  unanswered?: Text;
}>;

const progress = (each: BatchProgress): string => {
  if (each === "untried") return "not tried";
  if (each === "intended") return "sent, and no answer is written down";
  switch (each.state) {
    case "applied":
      return each.insync
        ? `in the zone (${each.changeId})`
        : `accepted (${each.changeId}), not at every server yet`;
    case "done-before":
      return "was in the zone already";
    case "moved":
      return `not sent: ${each.records.join(", ")} changed since`;
    case "refused":
      return `Route 53 refused it: ${each.messages.join("; ")}`;
    case "unknown":
      return `nobody knows: ${each.detail}`;
    case "not-tried":
      return "not tried";
  }
};

const landed = (each: BatchProgress): boolean =>
  typeof each === "object" && (each.state === "applied" || each.state === "done-before");

/** Batches that are in the zone: what a way back would take back. */
export const landedBatches = ({ plan, batches }: PlanState): readonly PlannedBatch[] =>
  plan.batches.filter((_, i) => landed(batches[i] ?? "untried"));

type Said = Readonly<{ word: string; outcome: Outcome; text: Text; why: Text; next: readonly Text[] }>;

function said(state: PlanState, stage: PlanStage, options: PlanReplyOptions): Said {
  const { id, plan, request, approvals, begun, refused, ended } = state;
  const { now, ref, approvers } = options;
  const zone = plan.zone.name;
  const what = `${id} · ${number(plan.items.length, "difference", "differences")} in ${zone}`;
  const who = (name: string): Text => [person(ref(name))];
  const asked = request === undefined ? text`` : text`Asked by ${who(request.requester)}`;
  const again = text`A fresh plan: ${code(`/dns plan ${zone}`)}`;
  const approval = approvals.find(({ digest }) => digest === plan.digest);
  const approved =
    approval === undefined ? text`` : text`, approved by ${who(approval.by)} at ${utcTime(approval.at)}`;
  switch (stage) {
    case "made":
      return {
        word: "PLAN",
        outcome: "info",
        text: text`${what}; nobody asked for it yet`,
        why: ["Nothing was changed."],
        next: [again],
      };
    case "waiting": {
      const others = approvers.filter(({ name }) => name !== request?.requester);
      const whom: Text =
        others.length === 0
          ? ["an approver, and there is none beside you"]
          : join(others.map(person), " or ");
      return {
        word: "PLAN",
        outcome: "info",
        text: text`${what} · waits for ${whom} until ${utcTime(request?.until ?? now)}`,
        why:
          options.cannotApply === undefined
            ? text`We will write ${number(changeCount(plan), "record set", "record sets")} in ${number(plan.batches.length, "batch", "batches")}, after somebody else approves. Nothing was changed yet.`
            : text`Nothing was changed, and we will not apply it: ${options.cannotApply}.`,
        next: [
          text`Way back: ${plan.reversibleWhile}`,
          text`Plan ${code(shortDigest(plan.digest))}. ${asked} at ${utcTime(request?.at ?? now)}`,
        ],
      };
    }
    case "expired":
      return {
        word: "EXPIRED",
        outcome: "info",
        text: text`${what} · nobody approved it until ${utcTime(request?.until ?? now)}`,
        why: ["Nothing was changed, and we will not apply it."],
        next: [again],
      };
    case "withdrawn":
      return {
        word: "WITHDRAWN",
        outcome: "info",
        text: text`${what}`,
        why: ["Nothing was changed, and we will not apply it."],
        next: [again],
      };
    case "approved":
      return {
        word: options.unanswered === undefined ? "APPROVED" : "UNKNOWN",
        outcome: options.unanswered === undefined ? "running" : "unknown",
        text: text`${what}${approved}`,
        why:
          options.unanswered === undefined
            ? text`We will apply it now.`
            : text`${options.unanswered} The ledger has no word that it began, so nothing is known to have changed.`,
        next:
          options.unanswered === undefined
            ? []
            : [text`Ask again, which does nothing twice: ${code(`/dns apply ${id}`)}`],
      };
    case "at-work": {
      const good = state.batches.filter(landed).length;
      return {
        word: options.unanswered === undefined ? "APPLYING" : "UNKNOWN",
        outcome: options.unanswered === undefined ? "running" : "unknown",
        text: text`${what} · ${good} of ${number(plan.batches.length, "batch", "batches")} in the zone${approved}`,
        why: text`${options.unanswered ?? []}${options.unanswered === undefined ? "" : " "}It began at ${utcTime(begun?.at ?? now)} and no end is written down yet.`,
        next: [text`Where it stands: ${code(`/dns plan ${id}`)}`],
      };
    }
    case "refused":
      return {
        word: "REFUSED",
        outcome: "denied",
        text: text`${what} · ${refused?.text ?? "the writer refused it"}`,
        why: text`The writer judged it by its own configuration. Nothing was changed. ${asked}${approved}.`,
        next: [again],
      };
    case "ended":
      return endedSaid(state, text`${asked}${approved}`, ended, what);
  }
}

function endedSaid(state: PlanState, who: Text, ended: PlanState["ended"], what: string): Said {
  const { id, plan } = state;
  const at = utcTime(ended?.at ?? 0);
  const wrong = (ended?.verified ?? []).filter(({ ok }) => !ok);
  const undo = text`Take it back: ${code(`/dns undo ${id}`)}; ${plan.reversibleWhile}`;
  const look = text`What stands now: ${code(`/dns check ${plan.zone.name}`)}`;
  switch (ended?.state) {
    case "applied":
      return {
        word: wrong.length === 0 ? "APPLIED" : "APPLIED, NOT SEEN",
        outcome: wrong.length === 0 ? "ok" : "failed",
        text: text`${what} · ${ended.text}, ${at}`,
        why:
          wrong.length === 0
            ? text`${who}.`
            : text`${number(wrong.length, "record is", "records are")} not yet as planned at the zone's own servers. ${who}.`,
        next: [undo, look],
      };
    case "partly":
      return {
        word: "PARTLY APPLIED",
        outcome: "failed",
        text: text`${what} · ${ended.text}`,
        why: text`What is in the zone stays; the rest was not sent. ${who}.`,
        next: [undo, look],
      };
    case "nothing":
      return {
        word: "NOT APPLIED",
        outcome: "failed",
        text: text`${what} · ${ended.text}`,
        why: text`The zone is as it was. ${who}.`,
        next: [text`A fresh plan: ${code(`/dns plan ${plan.zone.name}`)}`],
      };
    default:
      return {
        word: "UNKNOWN",
        outcome: "unknown",
        text: text`${what} · ${ended?.text ?? "no end is written down"}`,
        why: text`${who}.`,
        next: [look],
      };
  }
}

function actionsOf(state: PlanState, stage: PlanStage, { cannotApply }: PlanReplyOptions): readonly Action[] {
  const { id, plan } = state;
  if (stage === "waiting")
    return [
      ...(cannotApply === undefined
        ? [
            {
              id: "drift-approve",
              label: "Approve and apply",
              value: `${id} ${plan.digest}`,
              style: "primary" as const,
            },
          ]
        : []),
      { id: "drift-withdraw", label: "Withdraw", value: id },
    ];
  if (stage === "ended" && landedBatches(state).length > 0)
    return [{ id: "drift-undo", label: "Plan the way back", value: id }];
  return [];
}

const outcomeBlocks = (state: PlanState, stage: PlanStage): readonly Block[] => {
  if (stage !== "ended" && stage !== "at-work") return [];
  const verified = state.ended?.verified ?? [];
  return [
    {
      kind: "evidence",
      title: "Batches",
      lines: state.batches.map((each, i) => `batch ${i + 1} of ${state.batches.length}: ${progress(each)}`),
    },
    ...(stage === "ended"
      ? [
          {
            kind: "evidence" as const,
            title: "Asked at the zone's own servers",
            lines:
              verified.length === 0
                ? ["nobody could ask them from there"]
                : verified.map(
                    ({ record, ok, said: words }) =>
                      `${ok ? "as planned" : "NOT as planned"}  ${record}: ${words}`,
                  ),
          },
        ]
      : []),
  ];
};

/** The one message of a plan, edited through its life. */
export function planReply(state: PlanState, options: PlanReplyOptions): Reply {
  const stage = planStage(state, options.now);
  const { word, outcome, text: words, why, next } = said(state, stage, options);
  const { plan } = state;
  return {
    verdict: { word, outcome, text: words },
    ...(plan.cluster !== undefined && { cluster: plan.cluster }),
    why,
    findings: [],
    blocks: [...outcomeBlocks(state, stage), ...planDetails(plan)],
    next,
    actions: actionsOf(state, stage, options),
    data: {
      plan: planId(plan),
      digest: plan.digest,
      zone: plan.zone.name,
      stage,
      changes: changeCount(plan),
      withheld: plan.withheld.length,
    },
  };
}
