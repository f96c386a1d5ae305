import type { AuditEntry } from "../ledger/audit.ts";
import type { LedgerEvent } from "../ledger/ledger.ts";
import { eventWords } from "../runs/event-line.ts";
import { type Recorded, type RunEvent, readRunEvent } from "../runs/run-events.ts";
import { utcTime } from "../runs/utc-time.ts";
import { plain, type Text, text } from "../text.ts";
import { type Diagnosis, firstBroken } from "./diagnosis.ts";
import { alertmanager, type IncidentEvent, type RanCommands, readIncidentEvent } from "./incident-events.ts";
import { conclusionHead } from "./incident-reply.ts";
import type { Link } from "./link.ts";
import { type MeasuredOutage, measuredOutages } from "./outage.ts";

/** One thing that happened, at one time. */
export type TimelineEntry = Readonly<{
  /** Milliseconds since the epoch, by our clock unless `clock` says whose. */
  at: number;
  kind:
    | "incident"
    | "alert"
    | "look"
    | "checks"
    | "step"
    | "people"
    | "note"
    | "act"
    | "asked"
    | "unreadable";
  what: Text;
  /** Who did it, as the config calls them; absent for what we did by ourselves. */
  by?: string;
  /** Who has it from then on. */
  to?: string;
  clock?: string;
}>;

/** A program that was run, or something that was written, and where. */
export type TimelineCommand = Readonly<{ at: number; on: string; command: string; end: string }>;

export type TimelineEvidence = Readonly<{ at: number; title: string; lines: readonly string[] }>;

/** Everything an export tells, whatever it is drawn as. */
export type Timeline = Readonly<{
  id: string;
  title: string;
  cluster: string;
  from: number;
  /** Absent while it goes on. */
  until?: number;
  /** What it came to, in one sentence. */
  verdict: Text;
  entries: readonly TimelineEntry[];
  commands: readonly TimelineCommand[];
  /** Commands that were run and are not listed. */
  commandsCut: number;
  evidence: readonly TimelineEvidence[];
  people: readonly string[];
  runs: readonly string[];
  outages: readonly MeasuredOutage[];
  /** What could not be read, or was cut, and is therefore missing. */
  gaps: readonly string[];
}>;

type Part = Pick<Timeline, "entries" | "commands" | "commandsCut" | "evidence" | "outages" | "gaps">;

const nothing: Part = { entries: [], commands: [], commandsCut: 0, evidence: [], outages: [], gaps: [] };

const joined = (parts: readonly Part[]): Part => ({
  entries: parts.flatMap(({ entries }) => entries).toSorted((a, b) => a.at - b.at),
  commands: parts.flatMap(({ commands }) => commands).toSorted((a, b) => a.at - b.at),
  commandsCut: parts.reduce((sum, part) => sum + part.commandsCut, 0),
  evidence: parts.flatMap(({ evidence }) => evidence).toSorted((a, b) => a.at - b.at),
  outages: parts.flatMap(({ outages }) => outages),
  gaps: parts.flatMap(({ gaps }) => gaps),
});

/** Who did something, or had it handed over to them; what notes things by itself is nobody. */
const peopleOf = (entries: readonly TimelineEntry[]): readonly string[] =>
  [...new Set(entries.flatMap(({ by, to }) => [by, to]))]
    .filter((name): name is string => name !== undefined && name !== alertmanager)
    .toSorted();

const commandsOf = (commands: RanCommands | undefined): Pick<Part, "commands" | "commandsCut"> => ({
  commands: (commands?.ran ?? []).map(({ at, on, argv, exitCode, fault }) => ({
    at,
    on,
    command: argv,
    end: fault ?? (exitCode === null ? "ended by a signal" : `exit ${exitCode ?? "unknown"}`),
  })),
  commandsCut: commands?.more ?? 0,
});

const linkLine = ({ outcome, title, because, from }: Link): string =>
  `${outcome.padEnd(7)}  ${title}: ${plain(because)}${from === undefined ? "" : ` (${from})`}`;

function evidenceOf(at: number, number: number, diagnosis: Diagnosis): readonly TimelineEvidence[] {
  return [
    { at, title: `look ${number}: every link`, lines: diagnosis.links.map(linkLine) },
    ...diagnosis.links.flatMap(({ title, evidence }): readonly TimelineEvidence[] =>
      evidence === undefined
        ? []
        : [{ at, title: `look ${number}: ${title}: ${evidence.title}`, lines: evidence.lines }],
    ),
    ...(diagnosis.seen.length === 0
      ? []
      : [
          {
            at,
            title: `look ${number}: who saw what`,
            lines: diagnosis.seen.map(
              ({ vantage, place, clusterNode, text: said }) =>
                `${vantage} (${place}${clusterNode ? ", cluster node" : ""}): ${plain(said)}`,
            ),
          },
        ]),
    ...((diagnosis.changes ?? []).length === 0
      ? []
      : [
          {
            at,
            title: `look ${number}: what changed in the hour before`,
            lines: (diagnosis.changes ?? []).map(
              (change) =>
                `${utcTime(change.at)}  ${change.subject.kind} ${change.subject.name}  ${plain(change.what)}${change.by === undefined ? "" : `, by ${change.by}`}`,
            ),
          },
        ]),
  ];
}

/** What came without a readable start has none. */
const sinceOf = ({ startsAt }: Readonly<{ startsAt: number }>): string =>
  startsAt > 0
    ? ` since ${utcTime(startsAt)} (Alertmanager's clock)`
    : ", Alertmanager gave no time that can be read";

/** What one event of an incident adds. `looks` counts those that came to an end, this one included. */
function ofIncidentEvent(event: IncidentEvent, at: number, looks: number): Part {
  const entry = (kind: TimelineEntry["kind"], what: Text, by?: string | null): Part => ({
    ...nothing,
    entries: [{ at, kind, what, ...(by != null && { by }) }],
  });
  switch (event.type) {
    case "opened": {
      const name = event.subject === null ? event.runbook : `${event.runbook} ${event.subject}`;
      return "person" in event.by
        ? entry("incident", text`opened: ${name}`, event.by.person)
        : entry("incident", text`opened by alert group ${event.by.alertGroup}: ${name}`);
    }
    case "alert-firing":
      return entry(
        "alert",
        text`${event.name}${event.severity === "" ? "" : ` (${event.severity})`} is firing${sinceOf(event)}${event.times > 1 ? `, reported ${event.times} times` : ""}: ${event.annotations.summary ?? ""}`,
      );
    case "alert-resolved":
      return entry(
        "alert",
        text`${event.name} is resolved${event.startsAt > 0 ? `, ${utcTime(event.startsAt)} to` : " since"} ${utcTime(event.endsAt)} (Alertmanager's clock)`,
      );
    case "diagnosis-asked":
      return entry("people", text`asked for another look`, event.by);
    case "diagnosing":
      return entry("look", text`began to look`, event.by);
    case "diagnosed": {
      const head = conclusionHead(event.diagnosis.conclusion);
      const first = firstBroken(event.diagnosis);
      return {
        ...entry(
          "look",
          text`look ${looks}: ${head.word}: ${head.text}${first === undefined ? "" : `; first broken link: ${first.title}`}`,
        ),
        ...commandsOf(event.commands),
        evidence: evidenceOf(at, looks, event.diagnosis),
        gaps: event.cut === undefined ? [] : [`look ${looks}: ${event.cut}`],
      };
    }
    case "could-not-diagnose":
      return {
        ...entry(
          "look",
          text`look ${looks}: UNKNOWN, could not look: ${event.fault.what}: ${event.fault.detail}`,
        ),
        ...commandsOf(event.commands),
      };
    case "checking":
      return entry("checks", text`began the checks of step ${event.step}`);
    case "checks-run":
      return {
        ...entry(
          "checks",
          text`checks of step ${event.step}: ${event.passed} passed, ${event.results.length} others${event.fault === undefined ? "" : `; ${event.fault.what}: ${event.fault.detail}`}`,
        ),
        ...commandsOf(event.commands),
        evidence:
          event.results.length === 0
            ? []
            : [
                {
                  at,
                  title: `checks of step ${event.step}`,
                  lines: event.results.map(
                    ({ outcome, check, subject, because }) =>
                      `${outcome.padEnd(7)}  ${check}  ${subject.name}: ${plain(because)}`,
                  ),
                },
              ],
      };
    case "step-done":
      return entry("step", text`step ${event.step} is done: ${event.said}`, event.by);
    case "step-skipped":
      return entry("step", text`step ${event.step} is left out: ${event.reason}`, event.by);
    case "nudged":
      return entry("step", text`asked in the thread whether anybody is at step ${event.step}`);
    case "noted":
      return {
        ...nothing,
        entries: [
          event.source === undefined
            ? { at, kind: "note", what: [event.text], by: event.by }
            : {
                at: event.source.at,
                kind: "note",
                what: text`${event.source.author} wrote: ${event.text} (added ${utcTime(at)})`,
                by: event.by,
                clock: "Slack",
              },
        ],
      };
    case "taken":
      return entry("people", text`took it`, event.by);
    case "handed-over":
      return {
        ...nothing,
        entries: [
          { at, kind: "people", what: text`handed it over to ${event.to}`, by: event.by, to: event.to },
        ],
      };
    case "run-linked":
      return entry("act", text`began ${event.run}, or put it beside this`, event.by);
    case "closed":
      return entry("incident", text`closed: ${event.reason}`, event.by);
    case "reopened":
      return entry("incident", text`opened again: ${event.reason}`, event.by);
  }
}

function ofIncident(events: readonly LedgerEvent[]): Part {
  let looks = 0;
  const tokens = new Set<string>();
  let current: string | undefined;
  const parts = events.map((each): Part => {
    const { event, type, version, at } = readIncidentEvent(each);
    if (event === undefined)
      return {
        ...nothing,
        entries: [{ at, kind: "unreadable", what: text`an entry of another release (${type})` }],
        gaps: [`entry ${version} (${type}) was written by another release and cannot be read here`],
      };
    if (event.type === "diagnosing") current = event.token;
    if (event.type === "diagnosed" || event.type === "could-not-diagnose") {
      // A look that was made again by another process counts once.
      if (event.token !== current || tokens.has(event.token)) return nothing;
      tokens.add(event.token);
      looks += 1;
    }
    return ofIncidentEvent(event, at, looks);
  });
  return joined(parts);
}

const byOf = (event: RunEvent): string | undefined =>
  "by" in event && typeof event.by === "string"
    ? event.by
    : "requester" in event && typeof event.requester === "string"
      ? event.requester
      : undefined;

type Deeds = ReadonlyMap<string, Readonly<{ on: string; command: string }>>;

/** What a deed runs or writes, by its id; the newest plan of a run says. */
function deedsOf(recorded: readonly Recorded[]): Deeds {
  const found = new Map<string, Readonly<{ on: string; command: string }>>();
  for (const { event } of recorded)
    if (event.type === "step-planned" || event.type === "act-begun")
      for (const deed of [...event.plan.deeds, ...event.plan.undo])
        found.set(
          `${event.step}/${deed.id}`,
          deed.kind === "shell"
            ? { on: `${deed.target.kind} ${deed.target.name}`, command: deed.argv.join(" ") }
            : {
                on:
                  deed.kind === "kube"
                    ? "Kubernetes API"
                    : deed.kind === "git"
                      ? `git ${deed.tree}`
                      : "thread",
                command: deed.title,
              },
        );
  return found;
}

/** What a run did, event by event. Throws FaultError when it holds what this release cannot read. */
function ofRun(id: string, events: readonly LedgerEvent[], prefix: string): Part {
  const recorded = events.map(readRunEvent);
  const deeds = deedsOf(recorded);
  return {
    ...nothing,
    entries: recorded
      .filter(({ event }) => event.type !== "deed-intended")
      .map((each): TimelineEntry => {
        const by = byOf(each.event);
        return {
          at: each.at,
          kind: "act",
          what: [`${prefix}${eventWords(each)}`],
          ...(by !== undefined && { by }),
        };
      }),
    commands: recorded.flatMap(({ event, at }): readonly TimelineCommand[] => {
      if (event.type !== "deed-done" && event.type !== "deed-refused") return [];
      const deed = deeds.get(`${event.step}/${event.deed}`);
      if (deed === undefined) return [];
      const way = event.way === "back" ? "taken back, " : "";
      return [
        {
          at,
          ...deed,
          end: `${way}${event.type === "deed-done" ? "done" : `refused: ${event.because}`} (${prefix === "" ? id : prefix.trim()})`,
        },
      ];
    }),
    outages: measuredOutages(id, events),
    evidence: recorded.flatMap(({ event, at }): readonly TimelineEvidence[] =>
      event.type === "verified" || event.type === "observed"
        ? [
            {
              at,
              title: `${prefix}${event.step} ${event.type}`,
              lines:
                event.type === "verified"
                  ? [plain(event.text), ...event.findings.map(({ text: said }) => plain(said))]
                  : [JSON.stringify(event.facts), ...event.findings.map(({ text: said }) => plain(said))],
            },
          ]
        : [],
    ),
  };
}

/** What people asked of this cluster meanwhile. */
const ofAsked = (asked: readonly AuditEntry[]): Part => ({
  ...nothing,
  entries: asked.map(
    ({ at, name, account, door, words, outcome }): TimelineEntry => ({
      at,
      kind: "asked",
      what: text`asked ${{ code: `/${words.replace(/^\//, "")}` }} (${door}): ${outcome}`,
      by: name ?? account,
    }),
  ),
});

export type TimelineSources = Readonly<{
  id: string;
  title: string;
  cluster: string;
  from: number;
  until?: number;
  verdict: Text;
  /** Of the incident; empty for a run. */
  incident: readonly LedgerEvent[];
  /** Of the run itself, or of those that belong to the incident. */
  runs: readonly Readonly<{ id: string; events: readonly LedgerEvent[]; words?: string }>[];
  asked: readonly AuditEntry[];
  gaps: readonly string[];
}>;

/**
 * Everything that is on record of an incident or of a run, in the order in which it happened. Pure. Throws FaultError
 * for a run that holds what this release cannot read.
 */
export function timelineOf(sources: TimelineSources): Timeline {
  const { id, title, cluster, from, until, verdict } = sources;
  const parts = joined([
    ofIncident(sources.incident),
    ...sources.runs.map((run) =>
      run.events.length === 0
        ? { ...nothing, gaps: [`${run.id}: ${run.words ?? "nothing is on record of it"}`] }
        : ofRun(run.id, run.events, run.id === id ? "" : `${run.id} `),
    ),
    ofAsked(sources.asked),
  ]);
  return {
    id,
    title,
    cluster,
    from,
    ...(until !== undefined && { until }),
    verdict,
    ...parts,
    people: peopleOf(parts.entries),
    runs: sources.runs.map((run) => run.id).filter((run) => run !== id),
    gaps: [...sources.gaps, ...parts.gaps],
  };
}
