import { shortDigest } from "../policy/approval.ts";
import type { Action, Block, Outcome, Reply, StepState } from "../reply.ts";
import { code, join, type PersonRef, person, plain, strong, type Text, text } from "../text.ts";
import { handedOver, noWayBack, numbers } from "./left-behind.ts";
import { currentStep, nextMove } from "./next-move.ts";
import { stepNumber } from "./run-notes.ts";
import { changesWorld, currentAct, type RunState, type StepRun } from "./run-state.ts";
import { doubtfulDeeds, pendingCleanUp, standingActs, standingSteps } from "./standing.ts";
import { worldUndo } from "./undo-deed.ts";
import { elapsed, utcDateTime, utcTime } from "./utc-time.ts";

export type RunReplyOptions = Readonly<{
  now: number;
  /** Who may approve on this cluster. */
  approvers: readonly PersonRef[];
  /** How a name of the config is mentioned. */
  ref: (name: string) => PersonRef;
  /** What the step at work last said of itself. */
  doing?: Text;
  /** Where plans, proofs and files are, seen from this message. Default: in its thread. */
  notes?: "in the thread" | "on this screen" | "below";
}>;

const notesAt = ({ notes = "in the thread" }: RunReplyOptions): string => notes;

type Head = Readonly<{
  word: string;
  outcome: Outcome;
  text: Text;
  why?: Text;
  next: Text;
  actions: readonly Action[];
}>;

const action = (id: string, label: string, value: string, more: Partial<Action> = {}): Action => ({
  id,
  label,
  value,
  ...more,
});

/** What was begun and may be done: said wherever it is said what was changed. */
function doubts(state: RunState): readonly string[] {
  const titles = state.steps.flatMap(doubtfulDeeds).map(({ title }) => title);
  const more = titles.length > 2 ? ` and ${titles.length - 2} more` : "";
  return titles.length === 0
    ? []
    : [`It is not known whether this was done: ${titles.slice(0, 2).join("; ")}${more}.`];
}

const abortButton = (state: RunState): Action => {
  const stays = standingSteps(state);
  const first = state.aborting === undefined ? pendingCleanUp(state) : undefined;
  const kept =
    first !== undefined
      ? [`First step ${stepNumber(state, first.id)} is done: ${first.title}.`]
      : stays.length > 0
        ? [`What ${numbers(state, stays)} changed stays as it is; go back first if it should not.`]
        : [];
  const said = [...kept, ...doubts(state)];
  return action("run-abort", "Abort", state.id, {
    style: "danger",
    confirm: `Ends ${state.id}. ${said.length === 0 ? "Nothing was changed." : said.join(" ")}`,
  });
};
const holdButton = (state: RunState): Action => action("run-hold", "Hold", state.id);
const evidenceButton = (state: RunState): Action => action("run-evidence", "Show evidence", state.id);
const backButton = (state: RunState, step: string, label = "Go back"): Action =>
  action("run-go-back", label, `${state.id} ${step}`, {
    confirm: `Takes back what step ${stepNumber(state, step)} of ${state.id} changed.`,
  });

const named = (refs: readonly PersonRef[]): Text =>
  refs.length === 0
    ? ["an approver (the config names nobody else)"]
    : join(refs.slice(0, 4).map(person), " or ");

/** What was changed, and how long it can be taken back. */
function truth(state: RunState): Text {
  const steps = standingSteps(state);
  const last = steps.at(-1);
  const open = doubts(state);
  if (last === undefined)
    return [
      open.length > 0
        ? open.join(" ")
        : state.steps.some((step) => step.undoneAt !== undefined || standingActs(step).length > 0)
          ? "Nothing that it changed is left."
          : "Nothing is changed yet.",
    ];
  // It may have become another since: told with its time, never as what is so now.
  const seen =
    last.note === undefined || last.seenAt === undefined
      ? []
      : text` Seen at ${utcTime(last.seenAt)}: ${last.note}.`;
  const unknown = open.map((said) => ` ${said}`).join("");
  const isAlways = plain(last.reversibleWhile).startsWith("always");
  return text`Changed by ${numbers(state, steps)}.${seen}${unknown} Way back: open ${isAlways ? [] : "while "}${last.reversibleWhile}.`;
}

function waitsForPerson(state: RunState, step: StepRun, why: string, options: RunReplyOptions): Head {
  const at = text`${state.runbook} · step ${stepNumber(state, step.id)} of ${state.steps.length}`;
  const { id } = state;
  if (why === "approval" && step.planned !== undefined) {
    const { digest } = step.planned;
    const mayAsker = state.approvals === "self";
    const who = options.approvers.filter(({ name }) => mayAsker || name !== step.asked?.requester);
    return {
      word: "WAITS",
      outcome: "info",
      text: text`${at} waits for ${named(who)} until ${utcTime(step.asked?.until ?? options.now)}`,
      why: truth(state),
      next: text`Read the plan ${notesAt(options)}, then: ${code(`/migrate approve ${id} ${shortDigest(digest)}`)}`,
      actions: [
        action("run-approve", "Approve and run", `${id} ${digest}`, { style: "primary" }),
        holdButton(state),
        abortButton(state),
      ],
    };
  }
  if (why === "manual")
    return {
      word: "WAITS",
      outcome: "info",
      text: text`${at} waits for a person: ${step.title}`,
      why: truth(state),
      next: text`When it is done: ${code(`/migrate done ${id} --said "what you did"`)}`,
      actions: [action("run-done", "It is done", id), holdButton(state), abortButton(state)],
    };
  if (why === "lapsed")
    return {
      word: "WAITS",
      outcome: "info",
      text: text`${at}: the request for approval ran out at ${utcTime(step.asked?.until ?? options.now)}`,
      why: truth(state),
      next: text`To ask again with what is true then: ${code(`/migrate next ${id}`)}`,
      actions: [action("run-next", "Ask again", id), abortButton(state)],
    };
  const { held } = state;
  if (state.back !== undefined)
    return {
      word: "HELD",
      outcome: "info",
      text: text`${state.runbook} · on the way back: held by ${person(options.ref(held?.by ?? state.operator))} since ${utcTime(held?.at ?? options.now)}`,
      why: truth(state),
      next: text`To go on going back: ${code(`/migrate next ${id}`)}`,
      actions: [action("run-next", "Go on going back", id), abortButton(state)],
    };
  if (step.undoneAt !== undefined)
    return {
      word: "WENT BACK",
      outcome: "info",
      text: text`${at} and what came after it are taken back, asked by ${person(options.ref(held?.by ?? state.operator))}; it stands since ${utcTime(held?.at ?? options.now)}`,
      why: truth(state),
      next: text`To do it again: ${code(`/migrate next ${id}`)}; to take back more: ${code(`/migrate rollback --run ${id}`)}`,
      actions: [action("run-next", "Go on", id), abortButton(state)],
    };
  return {
    word: "HELD",
    outcome: "info",
    text: text`${at}: held by ${person(options.ref(held?.by ?? state.operator))} since ${utcTime(held?.at ?? options.now)}`,
    why: truth(state),
    next: text`To go on: ${code(`/migrate next ${id}`)}`,
    actions: [action("run-next", "Go on", id), abortButton(state)],
  };
}

function stopped(state: RunState, halted: NonNullable<RunState["halted"]>): Head {
  const step = state.steps.find(({ id }) => id === halted.step);
  const standing = step !== undefined && standingActs(step).length > 0;
  const retry = action("run-retry", `Retry step ${stepNumber(state, halted.step)}`, state.id);
  return {
    word: "STOPPED",
    outcome:
      halted.code === "could-not-look" || halted.code === "unseen" || halted.code === "unproven"
        ? "unknown"
        : "failed",
    text: text`${state.runbook} · ${state.back === undefined ? "" : "on the way back, "}step ${stepNumber(state, halted.step)} of ${state.steps.length}, ${step?.title ?? halted.step}`,
    why: text`${truth(state)} Stopped at ${utcTime(halted.at)}: ${halted.because}.`,
    next:
      state.aborting === undefined
        ? halted.next
        : text`${halted.next} To end it as it is: ${code(`/migrate abort ${state.id}`)}`,
    actions: [
      retry,
      ...(standing && state.back === undefined && state.aborting === undefined
        ? [backButton(state, halted.step)]
        : [abortButton(state)]),
      evidenceButton(state),
    ],
  };
}

function whatStays(state: RunState, stays: readonly StepRun[], options: RunReplyOptions): string {
  const open = doubts(state);
  const kept =
    stays.length > 0
      ? [`What ${numbers(state, stays)} changed stays as it is. The way back is listed ${notesAt(options)}.`]
      : open.length > 0
        ? []
        : state.steps.some((step) => standingActs(step).length > 0)
          ? ["Nothing that it changed is left."]
          : ["Nothing was changed."];
  return [...kept, ...handedOver(state), ...open].join(" ");
}

function ended(state: RunState, options: RunReplyOptions): Head {
  const { how, by, at } = state.ended ?? { how: "finished" as const, at: options.now };
  const took = elapsed(at - state.startedAt);
  const who = by === undefined ? [] : text` by ${person(options.ref(by))}`;
  const skipped = state.steps.filter(({ status }) => status === "skipped");
  const stays = standingSteps(state);
  const again = text`To start again: ${code(`/migrate start ${state.runbook}`)}`;
  const unproven = skipped.flatMap(({ proof }) => (proof === undefined ? [] : [proof]));
  if (how === "finished")
    return {
      word: "DONE",
      outcome: skipped.length === 0 ? "ok" : "info",
      text: text`${state.runbook} · all ${state.steps.length} steps ended at ${utcTime(at)}, ${took} after the start${skipped.length === 0 ? "" : `; skipped: ${numbers(state, skipped)}`}`,
      ...(unproven.length > 0 && { why: text`Left out, so not proven: ${join(unproven, "; ")}.` }),
      next: text`The record: ${code(`/migrate history ${state.id}`)}`,
      actions: [],
    };
  if (how === "went-back") {
    const left = [...noWayBack(state), ...handedOver(state), ...doubts(state)].join(" ");
    return {
      word: "WENT BACK",
      outcome: "info",
      text: text`${state.runbook} · ${left === "" ? "everything it changed was" : "what could be was"} taken back${who} at ${utcTime(at)}`,
      ...(left !== "" && { why: [left] }),
      next: again,
      actions: [],
    };
  }
  return {
    word: "ABORTED",
    outcome: "info",
    text: text`${state.runbook} · ended${who} at ${utcTime(at)}`,
    why: [whatStays(state, stays, options)],
    next: again,
    actions: [],
  };
}

function atWork(state: RunState, options: RunReplyOptions): Head {
  const step = currentStep(state);
  const at = step === undefined ? "" : ` · step ${stepNumber(state, step.id)} of ${state.steps.length}`;
  const cleaning = pendingCleanUp(state);
  const what =
    state.aborting !== undefined
      ? text`${state.runbook} · ending, asked by ${person(options.ref(state.aborting.by))}${cleaning === undefined ? "" : `; first step ${stepNumber(state, cleaning.id)}, ${cleaning.title}`}`
      : state.held !== undefined && cleaning !== undefined
        ? text`${state.runbook} · held by ${person(options.ref(state.held.by))}; first step ${stepNumber(state, cleaning.id)}, ${cleaning.title}`
        : state.back !== undefined
          ? text`${state.runbook} · going back, asked by ${person(options.ref(state.back.by))}`
          : text`${state.runbook}${at}${step === undefined ? "" : `, ${step.title}`}`;
  return {
    word: "AT WORK",
    outcome: "running",
    text: what,
    why: truth(state),
    next: text`To stop before the next act: ${code(`/migrate hold ${state.id}`)}`,
    actions: [holdButton(state), abortButton(state)],
  };
}

function headOf(state: RunState, options: RunReplyOptions): Head {
  const move = nextMove(state, options.now);
  if (state.ended !== undefined) return ended(state, options);
  if (state.halted !== undefined) return stopped(state, state.halted);
  const step = currentStep(state);
  if (move.do === "wait-for-person" && step !== undefined)
    return waitsForPerson(state, step, move.why, options);
  const timed = move.do === "wait-for-time" ? state.steps.find(({ id }) => id === move.step) : undefined;
  if (move.do === "wait-for-time" && timed !== undefined)
    return {
      word: "WAITS",
      outcome: "info",
      text: text`${state.runbook} · ${state.back === undefined ? "" : "on the way back, "}step ${stepNumber(state, timed.id)} of ${state.steps.length} waits until ${utcDateTime(move.until)}`,
      why: text`${truth(state)} ${timed.waiting?.why === "recheck" ? text`It is looked at again then, when everybody who reconciles had their turn.` : (timed.waiting?.text ?? [])}`,
      next: text`It goes on by itself. To stop it: ${code(`/migrate hold ${state.id}`)}`,
      actions: [holdButton(state), abortButton(state)],
    };
  return atWork(state, options);
}

function stepBlock(state: RunState, options: RunReplyOptions): Block {
  const here = currentStep(state);
  const move = nextMove(state, options.now);
  const isWaiting = move.do === "wait-for-person" || move.do === "wait-for-time";
  const stateOf = (step: StepRun): StepState => {
    if (state.halted?.step === step.id)
      return state.halted.code === "could-not-look" || state.halted.code === "unseen" ? "unknown" : "failed";
    if (step.status === "done") return "done";
    if (step.status === "skipped" || step.status === "unneeded") return "skipped";
    if (step.id !== here?.id || state.ended !== undefined) return "pending";
    return isWaiting ? "waiting" : "running";
  };
  const noteOf = (step: StepRun): Text | undefined => {
    if (step.undoneAt !== undefined)
      return step.acts.length > 0 && step.acts.every((act) => worldUndo(act).length === 0)
        ? step.note
        : text`taken back at ${utcTime(step.undoneAt)}`;
    if (step.status === "unneeded") return text`not needed: ${step.note ?? []}`;
    if (step.status === "skipped") return step.note;
    if (step.status === "done") {
      const said =
        step.manual === undefined
          ? []
          : text`; ${person(options.ref(step.manual.by))} said: ${step.manual.said}`;
      return text`${elapsed((step.endedAt ?? options.now) - (step.begunAt ?? options.now))}  ${step.note ?? []}${said}`;
    }
    if (step.id !== here?.id || state.ended !== undefined) return undefined;
    if (!isWaiting && options.doing !== undefined) return options.doing;
    return partOf(step);
  };
  return {
    kind: "steps",
    steps: state.steps.map((step) => {
      const note = noteOf(step);
      return { title: step.title, state: stateOf(step), ...(note !== undefined && { note }) };
    }),
  };
}

/** How far a step that is being done has come, or what it would do. */
function partOf(step: StepRun): Text | undefined {
  const act = currentAct(step);
  if (act !== undefined && changesWorld(act.plan)) {
    const all = Object.values(act.deeds);
    const done = all.filter(({ status }) => status === "done").length;
    const by =
      act.approvedBy === undefined
        ? []
        : text`, approved by ${person({ name: act.approvedBy })} ${utcTime(step.approved?.at ?? act.begunAt)}`;
    return text`${done} of ${all.length} parts done${by}`;
  }
  const titles = step.planned?.plan.deeds.map(({ title }) => title) ?? [];
  if (titles.length === 0) return undefined;
  return text`will ${titles.slice(0, 2).join("; ")}${titles.length > 2 ? `; and ${titles.length - 2} more` : ""}`;
}

/** What is asked for now: prediction, instructions, and what has changed since somebody last read it. */
function askedBlocks(state: RunState, options: RunReplyOptions): readonly Block[] {
  const step = currentStep(state);
  const move = nextMove(state, options.now);
  if (step?.planned === undefined || move.do !== "wait-for-person") return [];
  const { plan, replaces } = step.planned;
  const prose = (said: Text): Block => ({ kind: "prose", text: said });
  const seen = plan.prediction.slice(0, 3).map((said) => prose(text`Prediction: ${said}`));
  const more =
    plan.prediction.length > 3
      ? [prose(text`${plan.prediction.length - 3} more predictions ${notesAt(options)}`)]
      : [];
  return [
    ...(move.why !== "approval" || replaces === undefined
      ? []
      : [
          prose(
            text`Changed since plan ${code(shortDigest(replaces.digest))}: ${replaces.changed.join("; ")}. Nothing of that plan was done.`,
          ),
        ]),
    ...(move.why === "approval" ? [...seen, ...more] : []),
    ...(move.why === "manual" ? plan.instructions.map(prose) : []),
  ];
}

/** What has to be said in every message of a run: rules that were softened, and by whom. */
function shouted(state: RunState): readonly Block[] {
  const broken = state.steps.flatMap((step) =>
    step.approved?.how === "break-glass"
      ? [
          text`${strong("BREAK-GLASS")} step ${stepNumber(state, step.id)} was let through without a second person by ${person({ name: step.approved.by })}: ${step.approved.reason ?? ""}`,
        ]
      : [],
  );
  const self =
    state.approvals === "self"
      ? [text`Approvals: ${code("self")}: this cluster's config lets the one who asks approve.`]
      : [];
  return [...broken, ...self].map((said): Block => ({ kind: "prose", text: said }));
}

function footer(state: RunState, options: RunReplyOptions): Block {
  const { asked } = currentStep(state) ?? {};
  const said =
    asked === undefined || state.ended !== undefined
      ? text`started by ${person(options.ref(state.by))} ${utcDateTime(state.startedAt)}`
      : text`plan ${code(shortDigest(asked.digest))} · asked by ${person(options.ref(asked.requester))} ${utcTime(asked.at)}`;
  return {
    kind: "prose",
    text: text`${state.id} · ${said} · evidence ${notesAt(options) === "in the thread" ? "in thread" : notesAt(options)}`,
  };
}

/** The run's standing message: where it is, who has to do what until when, every step, the way back, the next safe move. */
export function runReply(state: RunState, options: RunReplyOptions): Reply {
  const { word, outcome, text: said, why, next, actions } = headOf(state, options);
  return {
    verdict: { word, outcome, text: said },
    cluster: state.cluster,
    ...(why !== undefined && { why }),
    findings: state.ended === undefined ? (state.halted?.findings ?? []) : [],
    blocks: [
      ...shouted(state),
      stepBlock(state, options),
      ...askedBlocks(state, options),
      footer(state, options),
    ],
    next: [next],
    actions,
    data: runJson(state),
  };
}

/** The short answer of a command about a run that has a message of its own. */
export function shortReply(state: RunState, options: RunReplyOptions): Reply {
  const { findings: _, ...reply } = runReply(state, options);
  return { ...reply, findings: [], blocks: [], actions: [] };
}

/** For `--json`. */
export const runJson = (state: RunState) => ({
  run: state.id,
  runbook: state.runbook,
  startedBy: state.by,
  startedAt: new Date(state.startedAt).toISOString(),
  ended: state.ended?.how ?? null,
  halted: state.halted === undefined ? null : { step: state.halted.step, code: state.halted.code },
  held: state.held?.by ?? null,
  steps: state.steps.map(({ id, status, planned, asked }) => ({
    id,
    status,
    digest: planned?.digest ?? null,
    until: asked === undefined || asked.lapsed ? null : new Date(asked.until).toISOString(),
  })),
});
