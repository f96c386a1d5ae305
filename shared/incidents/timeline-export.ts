import type { Json } from "../json.ts";
import { handOverText } from "../migration/hand-over-gap.ts";
import type { Block, Reply } from "../reply.ts";
import { renderMarkdown } from "../report/markdown.ts";
import { counted } from "../report/wording.ts";
import { elapsed } from "../runs/utc-time.ts";
import { code, plain, type Text, text } from "../text.ts";
import type { MeasuredOutage } from "./outage.ts";
import { siteTime, utcSeconds } from "./site-time.ts";
import type { Timeline } from "./timeline.ts";

export type ExportOptions = Readonly<{
  /** IANA name; undefined: nobody configured one, and UTC stands for it. */
  timeZone: string | undefined;
  now: number;
}>;

const outageText = (outage: MeasuredOutage): Text =>
  text`${outage.address}, ${outage.run} step ${outage.step}: ${handOverText(outage)} (${outage.failed} of ${outage.tried} connections failed)`;

/** Nothing but what was measured; where nothing was, that is said. */
const outageBlocks = ({ outages }: Timeline): readonly Block[] =>
  outages.length === 0
    ? [
        {
          kind: "prose",
          text: text`Outage: not measured. How long alerts fired or a person waited is no measurement of what clients felt.`,
        },
      ]
    : [
        {
          kind: "table",
          title: "Measured outage, by probes that opened new connections all the time",
          columns: [{ title: "what was felt" }],
          rows: outages.map((outage) => [outageText(outage)]),
        },
      ];

const zoneText = (timeZone: string | undefined): Text =>
  timeZone === undefined
    ? text`Times are UTC: the config names no time zone of the site (${code("site.timeZone")}).`
    : text`Times are UTC and those of the site (${timeZone}).`;

/** The timeline as a message without an end: rendered as Markdown it is the file, in a terminal the answer. */
export function timelineReply(timeline: Timeline, { timeZone, now }: ExportOptions): Reply {
  const local = (at: number): readonly Text[] => (timeZone === undefined ? [] : [[siteTime(at, timeZone)]]);
  const localColumn = timeZone === undefined ? [] : [{ title: timeZone }];
  const { entries, commands, commandsCut, evidence, people, runs, gaps } = timeline;
  const until = timeline.until ?? now;
  const prose = (said: Text): Block => ({ kind: "prose", text: said });
  return {
    verdict: { word: timeline.id, outcome: "info", text: text`${timeline.title}: ${timeline.verdict}` },
    cluster: timeline.cluster,
    why: text`From ${utcSeconds(timeline.from)} ${timeline.until === undefined ? text`on; it is open, and this is as of ${utcSeconds(now)}` : text`to ${utcSeconds(until)}`}, ${elapsed(until - timeline.from)}. ${zoneText(timeZone)}`,
    findings: [],
    blocks: [
      prose(text`People: ${people.length === 0 ? "nobody" : people.join(", ")}`),
      prose(text`Acts: ${runs.length === 0 ? "none on record" : runs.join(", ")}`),
      ...outageBlocks(timeline),
      ...gaps.map((gap) => prose(text`Missing here: ${gap}`)),
      {
        kind: "table",
        title: `Timeline (${counted(entries.length, "entry", "entries")})`,
        columns: [{ title: "UTC" }, ...localColumn, { title: "who" }, { title: "what" }],
        rows: entries.map(({ at, by, what, clock }): readonly Text[] => [
          [`${utcSeconds(at)}${clock === undefined ? "" : ` (${clock})`}`],
          ...local(at),
          [by ?? "-"],
          what,
        ]),
      },
      ...(commands.length === 0
        ? [prose(text`No program was run on a node or vantage, as far as is on record.`)]
        : [
            {
              kind: "table" as const,
              title: `Commands that were run (${commands.length}${commandsCut === 0 ? "" : `, and ${commandsCut} more that were not kept`})`,
              columns: [
                { title: "UTC" },
                ...localColumn,
                { title: "from" },
                { title: "argv" },
                { title: "end" },
              ],
              rows: commands.map(({ at, on, command, end }): readonly Text[] => [
                [utcSeconds(at)],
                ...local(at),
                [on],
                [code(command)],
                [end],
              ]),
            },
          ]),
      ...evidence.map(
        ({ at, title, lines }): Block => ({ kind: "evidence", title: `${utcSeconds(at)} ${title}`, lines }),
      ),
    ],
    actions: [],
    data: timelineJson(timeline, { timeZone, now }),
  };
}

/** The file for people: tickets, post-mortems. What hosts and people wrote stays text, whatever is in it. */
export const timelineMarkdown = (timeline: Timeline, options: ExportOptions): string =>
  renderMarkdown(timelineReply(timeline, options));

/** The file for programs. */
export function timelineJson(timeline: Timeline, { timeZone, now }: ExportOptions): Json {
  const times = (at: number) => ({
    utc: new Date(at).toISOString(),
    site: timeZone === undefined ? null : siteTime(at, timeZone),
  });
  return {
    id: timeline.id,
    title: timeline.title,
    cluster: timeline.cluster,
    verdict: plain(timeline.verdict),
    timeZone: timeZone ?? null,
    from: times(timeline.from),
    until: timeline.until === undefined ? null : times(timeline.until),
    exportedAt: times(now),
    people: timeline.people,
    runs: timeline.runs,
    outage: timeline.outages.length === 0 ? "not measured" : timeline.outages.map((one) => ({ ...one })),
    missing: timeline.gaps,
    entries: timeline.entries.map(({ at, kind, by, what, clock }) => ({
      ...times(at),
      kind,
      by: by ?? null,
      what: plain(what),
      clock: clock ?? null,
    })),
    commands: timeline.commands.map(({ at, on, command, end }) => ({ ...times(at), on, command, end })),
    commandsNotKept: timeline.commandsCut,
    evidence: timeline.evidence.map(({ at, title, lines }) => ({ ...times(at), title, lines })),
  };
}
