import type { Action, Block, Outcome, Reply, StepState } from "../reply.ts";
import { counted } from "../report/wording.ts";
import { elapsed, utcDateTime, utcTime } from "../runs/utc-time.ts";
import { code, type PersonRef, person, plain, strong, type Text, text } from "../text.ts";
import { actsOf } from "./acts.ts";
import { alertBlocks } from "./alert-blocks.ts";
import { type Conclusion, type Diagnosis, firstBroken } from "./diagnosis.ts";
import {
  canDiagnose,
  currentIncidentStep,
  firingAlerts,
  type IncidentState,
  nextIncidentMove,
  type StepProgress,
} from "./incident-state.ts";

export type IncidentReplyOptions = Readonly<{
  /** How a name of the config is mentioned. */
  ref: (name: string) => PersonRef;
  /** What a look that is under way last said of itself. */
  doing?: Text;
}>;

type Head = Readonly<{ word: string; outcome: Outcome; text: Text }>;

/** "service-unreachable httpbin". */
export const incidentName = ({ runbook, subject }: Pick<IncidentState, "runbook" | "subject">): string =>
  subject === null ? runbook : `${runbook} ${subject}`;

/** The verdict of a conclusion: the first word says how bad, the sentence what. */
export function conclusionHead(conclusion: Conclusion): Head {
  switch (conclusion.kind) {
    case "healthy":
      return { word: "OK", outcome: "ok", text: conclusion.text };
    case "cause": {
      const more = conclusion.also.length;
      return {
        word: "BROKEN",
        outcome: "failed",
        text:
          more === 0
            ? conclusion.cause.text
            : text`${conclusion.cause.text}; and ${counted(more, "further cause")} beside it`,
      };
    }
    case "candidates": {
      const [first, second] = conclusion.causes;
      const more = conclusion.causes.length - 2;
      return {
        word: "UNDECIDED",
        outcome: "failed",
        text: text`either ${first.text}; or ${second.text}${more > 0 ? `; or ${counted(more, "less likely cause")}` : ""}`,
      };
    }
    case "unknown":
      return { word: "UNKNOWN", outcome: "unknown", text: conclusion.text };
  }
}

/** "httpbin 10.4.11.1": what was looked at, as the first line names it. */
export const subjectOf = ({ title }: Diagnosis): string => title.split(" · ").slice(0, 2).join(" ");

/** What a conclusion says to do, safest first. */
export const nextOf = (conclusion: Conclusion): readonly Text[] =>
  conclusion.kind === "cause"
    ? [...conclusion.cause.next.slice(0, 2), ...conclusion.also.flatMap(({ next }) => next.slice(0, 1))]
    : conclusion.kind === "candidates"
      ? conclusion.causes.flatMap(({ next }) => next.slice(0, 1))
      : [];

const ranked = ["failed", "unknown", "ok"];

/** The worst of what checks found, the newest of those. */
function checkedHead(state: IncidentState): Head | undefined {
  const [worst] = state.steps
    .flatMap(({ title, checked }) =>
      checked === undefined ? [] : [{ title, checked, ...checkedVerdict(checked) }],
    )
    .toReversed()
    .toSorted((a, b) => ranked.indexOf(a.outcome) - ranked.indexOf(b.outcome));
  if (worst === undefined) return undefined;
  const { word, outcome, title, checked } = worst;
  return { word, outcome, text: text`${incidentName(state)} · ${title}: ${checkedCounts(checked)}` };
}

/** Of a runbook that has come to no diagnosis, or has none: what its checks found, or who is to do what. */
function undiagnosedHead(state: IncidentState): Head {
  const name = incidentName(state);
  const move = nextIncidentMove(state);
  const step = currentIncidentStep(state);
  const at = step === undefined ? "" : `step ${state.steps.indexOf(step) + 1} of ${state.steps.length}`;
  if (move.do === "diagnose")
    return { word: "LOOKING", outcome: "running", text: text`${name} · the diagnosis begins` };
  if (move.do === "check")
    return { word: "LOOKING", outcome: "running", text: text`${name} · ${at}, ${step?.title ?? ""}` };
  const checked = checkedHead(state);
  if (checked !== undefined) return checked;
  // Without a look of its own, that something fires is the worst that is known.
  const fires = state.looked === undefined && firingAlerts(state).length > 0;
  return {
    word: fires ? "FIRING" : "WAITS",
    outcome: fires ? "failed" : "info",
    text:
      step === undefined
        ? text`${name} · every step is done or left out`
        : text`${name} · ${at} waits for a person: ${step.title}`,
  };
}

function headOf(state: IncidentState): Head {
  const { closed, looked, diagnosing } = state;
  if (closed !== undefined)
    return {
      word: "CLOSED",
      outcome: "info",
      text: text`${incidentName(state)} · open for ${elapsed(closed.at - state.openedAt)}, until ${utcDateTime(closed.at)}`,
    };
  if (diagnosing !== undefined && looked === undefined)
    return {
      word: "LOOKING",
      outcome: "running",
      text: text`${incidentName(state)} · diagnosing since ${utcTime(diagnosing.at)}`,
    };
  if (looked === undefined) return undiagnosedHead(state);
  if ("fault" in looked)
    return {
      word: "UNKNOWN",
      outcome: "unknown",
      text: text`${incidentName(state)} could not be diagnosed: ${looked.fault.what}: ${looked.fault.detail}`,
    };
  const head = conclusionHead(looked.diagnosis.conclusion);
  // What the site's own checks found is no less true because the path holds.
  if (head.outcome === "ok" && !areChecksWell(state)) return checkedHead(state) ?? head;
  return { ...head, text: text`${subjectOf(looked.diagnosis)} · ${head.text}` };
}

/** What it came to, for headings. */
export function incidentVerdict(state: IncidentState): Text {
  const { closed: _, ...open } = state;
  const { word, text: said } = headOf(open);
  return state.closed === undefined
    ? text`${word}: ${said}`
    : text`${state.closed.reason}; last seen ${word}: ${said}`;
}

function whoHasIt({ owner, closed }: IncidentState, { ref }: IncidentReplyOptions): Text {
  if (closed !== undefined)
    return text`Closed${closed.by === undefined ? "" : text` by ${person(ref(closed.by))}`}: ${closed.reason}.`;
  if (owner === undefined) return text`${strong("Nobody has it.")}`;
  const from = owner.from === undefined ? [] : text`, from ${person(ref(owner.from))}`;
  return text`${person(ref(owner.name))} has it since ${utcTime(owner.at)}${from}.`;
}

function lookLine({ looked, diagnosing, asked, closed }: IncidentState, options: IncidentReplyOptions): Text {
  const seen =
    looked === undefined
      ? []
      : text` Seen at ${utcTime(looked.at)}${looked.number > 1 ? `, look ${looked.number}` : ""}.`;
  if (closed !== undefined || looked === undefined) return seen;
  const by = diagnosing?.by ?? asked?.by;
  const again =
    diagnosing !== undefined || asked !== undefined
      ? text` Looking again since ${utcTime(diagnosing?.at ?? asked?.at ?? 0)}${by == null ? "" : text`, asked by ${person(options.ref(by))}`}.`
      : [];
  return [...seen, ...again];
}

/** Failed before unknown before fine; where nothing passed, nothing is fine. */
export function checkedVerdict({
  results,
  passed,
  fault,
}: NonNullable<StepProgress["checked"]>): Readonly<{ word: string; outcome: "failed" | "unknown" | "ok" }> {
  if (results.some(({ outcome }) => outcome === "failed")) return { word: "FOUND", outcome: "failed" };
  return fault !== undefined || passed === 0 || results.some(({ outcome }) => outcome === "unknown")
    ? { word: "UNKNOWN", outcome: "unknown" }
    : { word: "OK", outcome: "ok" };
}

function stepState(state: IncidentState, step: StepProgress): StepState {
  if (step.status === "skipped") return "skipped";
  if (step.checked !== undefined) {
    const { outcome } = checkedVerdict(step.checked);
    return outcome === "ok" ? "done" : outcome;
  }
  if (state.diagnosing?.step === step.id || step.status === "running") return "running";
  if (step.status === "done")
    return step.kind === "diagnose" && state.looked?.step === step.id && "fault" in state.looked
      ? "unknown"
      : "done";
  return currentIncidentStep(state)?.id === step.id && step.kind === "manual" && state.closed === undefined
    ? "waiting"
    : "pending";
}

const countOf = (step: NonNullable<StepProgress["checked"]>, outcome: string): number =>
  step.results.filter((each) => each.outcome === outcome).length;

/** "2 failed, 1 unknown, 40 passed". */
export function checkedCounts(checked: NonNullable<StepProgress["checked"]>): string {
  const parts = (["failed", "unknown", "skipped"] as const).flatMap((outcome) => {
    const n = countOf(checked, outcome);
    return n === 0 ? [] : [`${n} ${outcome}`];
  });
  return [...parts, `${checked.passed} passed`].join(", ");
}

function stepNote(state: IncidentState, step: StepProgress, options: IncidentReplyOptions): Text | undefined {
  const { ended, checked } = step;
  const who = (name: string): Text => [person(options.ref(name))];
  if (step.status === "skipped" && ended !== undefined)
    return text`left out by ${who(ended.by ?? "")} ${utcTime(ended.at)}: ${ended.said ?? ""}`;
  if (checked !== undefined)
    return text`${checked.fault === undefined ? "" : `${checked.fault.what}: ${checked.fault.detail}; `}${checkedCounts(checked)}`;
  if (stepState(state, step) === "running") return options.doing;
  if (ended !== undefined)
    return step.kind === "manual"
      ? text`${who(ended.by ?? "")} ${utcTime(ended.at)}: ${ended.said ?? ""}`
      : [utcTime(ended.at)];
  if (stepState(state, step) === "waiting" && step.kind === "manual")
    return step.nudged === undefined
      ? text`since ${utcTime(step.since ?? state.updatedAt)}`
      : text`since ${utcTime(step.since ?? state.updatedAt)}; asked in the thread at ${utcTime(step.nudged.at)}`;
  return undefined;
}

const stepBlock = (state: IncidentState, options: IncidentReplyOptions): Block => ({
  kind: "steps",
  steps: state.steps.map((step) => {
    const note = stepNote(state, step, options);
    return { title: step.title, state: stepState(state, step), ...(note !== undefined && { note }) };
  }),
});

function footer(state: IncidentState, { ref }: IncidentReplyOptions): Block {
  const by =
    "person" in state.openedBy
      ? text`opened by ${person(ref(state.openedBy.person))}`
      : text`opened by an alert`;
  const runs = state.runs.length === 0 ? "" : ` · acts ${state.runs.map(({ run }) => run).join(", ")}`;
  const unread =
    state.unread.length === 0
      ? ""
      : ` · ${counted(state.unread.length, "entry", "entries")} of another release cannot be read here`;
  return {
    kind: "prose",
    text: text`${state.id} · ${incidentName(state)} · ${by} ${utcDateTime(state.openedAt)}${runs} · evidence in thread${unread}`,
  };
}

const button = (id: string, label: string, value: string, more: Partial<Action> = {}): Action => ({
  id,
  label,
  value,
  ...more,
});

/** Three at most, the safe one first; closing comes forward when nothing is left to do. */
function buttonsOf(state: IncidentState): readonly Action[] {
  const { id, closed, diagnosing, owner } = state;
  if (closed !== undefined) return [button("incident-reopen", "Open again", id)];
  const again =
    diagnosing === undefined && state.asked === undefined && state.looked !== undefined
      ? [button("incident-diagnose", "Diagnose again", id)]
      : [];
  const take = owner === undefined ? [button("incident-take", "Take it", id)] : [];
  const [act] = actsOf(state);
  const acts =
    act === undefined ? [] : [button("incident-act", act.label, `${id} ${state.looks} ${act.number}`)];
  const firing = firingAlerts(state).length;
  const close = button("incident-close", "Close", id, {
    confirm: `Closes ${id}. ${firing === 0 ? "No alert of it is firing." : `${counted(firing, "alert")} of it ${firing === 1 ? "is" : "are"} still firing.`} It can be opened again.`,
  });
  return [...again, ...take, ...acts, close].slice(0, 3);
}

/** What is to be done when no step is left. Nothing, only where nothing that was looked at is broken or unseen, and nothing fires. */
function endText(state: IncidentState): Text {
  const { id } = state;
  const firing = firingAlerts(state).length;
  const fires = `${counted(firing, "alert")} of it still ${firing === 1 ? "fires" : "fire"}`;
  const again = code(`/runbook diagnose ${id}`);
  const close = code(`/runbook close ${id}`);
  if (isWell(state) && firing === 0) return text`Nothing is left to do: ${close}`;
  if (!canDiagnose(state))
    return firing === 0
      ? text`When that is done, look again: ${code("/nodes check")}; then ${close}`
      : text`${fires}: look where ${firing === 1 ? "it comes" : "they come"} from before ${close}`;
  return isWell(state)
    ? text`${fires} although all that was looked at holds: ${again}, or look where ${firing === 1 ? "it comes" : "they come"} from`
    : text`When that is done, look again: ${again}`;
}

/** Nothing that was looked at is known to be broken, or unseen. */
const isWell = ({ looked, steps }: IncidentState): boolean =>
  (looked === undefined || ("diagnosis" in looked && looked.diagnosis.conclusion.kind === "healthy")) &&
  areChecksWell({ steps });

const areChecksWell = ({ steps }: Pick<IncidentState, "steps">): boolean =>
  steps.every(({ checked }) => checked === undefined || checkedVerdict(checked).outcome === "ok");

function nextTexts(state: IncidentState): readonly Text[] {
  const { id, closed, looked } = state;
  if (closed !== undefined)
    return [
      text`The record: ${code(`/runbook export ${id}`)}`,
      text`To open it again: ${code(`/runbook reopen ${id}`)}`,
    ];
  const move = nextIncidentMove(state);
  const step = currentIncidentStep(state);
  const instruction =
    move.do === "wait-for-person" && step?.kind === "manual" ? [text`Now: ${step.instruction}`] : [];
  const said =
    looked !== undefined && "diagnosis" in looked
      ? nextOf(looked.diagnosis.conclusion).slice(0, 3 - instruction.length)
      : [];
  const own =
    move.do === "wait-for-person"
      ? [text`When that is done: ${code(`/runbook next ${id}`)}`]
      : move.do === "wait-for-end"
        ? [endText(state)]
        : [];
  return [...said, ...instruction, ...own];
}

/** The incident's standing message: verdict of the newest look, who has it, steps, alerts, next safe move. */
export function incidentReply(state: IncidentState, options: IncidentReplyOptions): Reply {
  const { word, outcome, text: said } = headOf(state);
  return {
    verdict: { word, outcome, text: said },
    cluster: state.cluster,
    why: text`${strong(state.id)} ${whoHasIt(state, options)}${lookLine(state, options)}`,
    findings: [],
    blocks: [...alertBlocks(state), stepBlock(state, options), footer(state, options)],
    next: nextTexts(state),
    actions: buttonsOf(state),
    data: incidentJson(state),
  };
}

/**
 * The answer of a command about an incident that has a message of its own: what was asked came to, in one line. The
 * verdict stands in the message and its evidence in the thread; a third time nobody needs it.
 */
export function shortIncidentReply(state: IncidentState, said: Text | undefined): Reply {
  const { word, outcome } = headOf(state);
  return {
    verdict: { word, outcome, text: text`${state.id} · ${said ?? [incidentName(state)]}` },
    cluster: state.cluster,
    findings: [],
    blocks: [],
    actions: [],
    data: incidentJson(state),
  };
}

const iso = (at: number): string => new Date(at).toISOString();

/** For `--json`. */
export const incidentJson = (state: IncidentState) => ({
  incident: state.id,
  runbook: state.runbook,
  subject: state.subject,
  openedAt: iso(state.openedAt),
  closedAt: state.closed === undefined ? null : iso(state.closed.at),
  owner: state.owner?.name ?? null,
  conclusion:
    state.looked === undefined
      ? null
      : "diagnosis" in state.looked
        ? state.looked.diagnosis.conclusion.kind
        : "could-not-look",
  firstBroken:
    state.looked !== undefined && "diagnosis" in state.looked
      ? (firstBroken(state.looked.diagnosis)?.id ?? null)
      : null,
  verdict: plain(headOf(state).text),
  steps: state.steps.map(({ id, kind, status }) => ({ id, kind, status })),
  alerts: state.alerts.map(({ name, fingerprint, firing }) => ({ name, fingerprint, firing })),
  runs: state.runs.map(({ run }) => run),
});
