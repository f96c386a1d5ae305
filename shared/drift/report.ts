import { isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import type { Action, Block, Outcome, Reply } from "../reply.ts";
import { code, join, plain, strike, type Text, text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { type DriftReport, isUnwatchedZone, toldDrifts } from "./drift-report.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Plan } from "./plan-value.ts";
import type { Snooze } from "./snooze.ts";
import { reportJson } from "./stored-report.ts";

/** What a report's message is made of besides the report. */
export type ReportMessage = Readonly<{
  report: DriftReport;
  /** What is listed: all differences when asked, only what is told unasked in a standing message. */
  shown: readonly Drift[];
  /** What stood in the message before and is gone. */
  resolved: readonly Drift[];
  plan: Plan | undefined;
  snooze: Snooze | undefined;
  /** Opaque ids for the buttons; without one there is no button. */
  buttons: Readonly<{ report?: string; plan?: string }>;
}>;

export type Counts = Readonly<{ we: number; externalDns: number; nobody: number }>;

export const countsOf = (drifts: readonly Drift[]): Counts => ({
  we: drifts.filter(({ repair }) => repair === "we").length,
  externalDns: drifts.filter(({ repair }) => repair === "external-dns").length,
  nobody: drifts.filter(({ repair }) => repair === "nobody").length,
});

/** Ownership texts are long and look alike; the evidence has them whole. */
const brief = (value: string): string =>
  value.startsWith('"heritage=')
    ? `owned by ${/external-dns\/owner=([^,"]*)/.exec(value)?.[1] ?? "nobody"}`
    : value;

const list = (given: readonly string[]): Text => {
  const values = given.map(brief);
  return values.length === 0
    ? ["(none)"]
    : values.length > 3
      ? [`${values.slice(0, 3).join(", ")}, … (${values.length})`]
      : [values.join(", ")];
};

const ownerOf = ({ ownership, owner }: Drift): Text =>
  ownership === "ours" || ownership === "foreign"
    ? [owner ?? "(none)"]
    : [`${owner ?? "(none)"}, ${ownership}`];

const row = (drift: Drift): readonly Text[] => [
  [drift.setIdentifier === undefined ? drift.name : `${drift.name} (${drift.setIdentifier})`],
  [drift.type],
  list(drift.want),
  list(drift.have),
  ownerOf(drift),
  drift.outlook,
];

const table = (drifts: readonly Drift[]): readonly Block[] =>
  drifts.length === 0
    ? []
    : [
        {
          kind: "table",
          columns: [
            { title: "record" },
            { title: "type" },
            { title: "want" },
            { title: "have" },
            { title: "owner" },
            { title: "then" },
          ],
          rows: drifts.map(row),
        },
      ];

type At = Readonly<{ name: string; type: string; setIdentifier?: string }>;

/** As the table names it: of several record sets of one name and type, which. */
const place = ({ name, type, setIdentifier }: At): string =>
  `${name}${setIdentifier === undefined ? "" : ` (${setIdentifier})`} ${type}`;

/** Lines of what is resolved; beyond that they are counted. */
const mostResolved = 20;

const resolvedLines = (drifts: readonly Drift[]): readonly Block[] => {
  if (drifts.length === 0) return [];
  const lines = drifts
    .slice(0, mostResolved)
    .map((drift) => text`${strike(place(drift))} resolved: ${drift.kind}`);
  const more = drifts.length - lines.length;
  return [
    {
      kind: "prose",
      text: join(more === 0 ? lines : [...lines, [`and ${more} more that are resolved`]], "\n"),
    },
  ];
};

const planBlocks = (plan: Plan | undefined): readonly Block[] =>
  plan === undefined || plan.withheld.length === 0
    ? []
    : [
        {
          kind: "evidence",
          title: "Left out of the plan, and why",
          lines: plan.withheld.map((each) => `${place(each)}: ${each.why}`),
        },
      ];

const evidence = ({ report, shown }: ReportMessage): readonly Block[] => [
  ...(shown.length === 0
    ? []
    : [
        {
          kind: "evidence" as const,
          title: "Why we say so",
          lines: shown.map((drift) => `${drift.kind} ${place(drift)}: ${plain(drift.because)}`),
        },
      ]),
  {
    kind: "evidence",
    title: "Compared",
    lines: [
      report.recordSets === undefined
        ? `${report.zone.name}: not listed`
        : `${report.recordSets} record sets of ${report.zone.name} at ${new Date(report.at).toISOString().slice(0, 16)}Z`,
      `wanted endpoints of ${new Date(report.snapshot.takenAt).toISOString().slice(0, 16)}Z, snapshot ${report.snapshot.hash.slice(0, 8)}`,
      ...report.controllers.map(
        ({ name, release, policy, owner }) =>
          `ExternalDNS ${release} ${name}, policy ${policy}, owner ${JSON.stringify(owner)}`,
      ),
    ],
  },
];

const number = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** "3 differences · goldentooth.net (412 records) · 1 is ours to fix, 1 ExternalDNS will fix, 1 nobody will". */
function headline({
  report,
  shown,
  snooze,
}: ReportMessage): Readonly<{ word: string; outcome: Outcome; text: Text }> {
  const zone = `${report.zone.name} (${report.recordSets === undefined ? "not listed" : `${report.recordSets} record sets`})`;
  const { we, externalDns, nobody } = countsOf(shown);
  const quiet =
    snooze === undefined
      ? ""
      : ` · quiet until ${new Date(snooze.until).toISOString().slice(0, 16)}Z: ${snooze.reason}`;
  if (shown.length === 0 && isUnwatchedZone(report))
    return {
      word: "WARN",
      outcome: "failed",
      text: [`nobody will repair ${zone}: no ExternalDNS looks at it${quiet}`],
    };
  if (shown.length === 0 && !report.complete)
    return {
      word: "UNKNOWN",
      outcome: "unknown",
      text: [`${zone} could not be compared whole: nothing is said about what is absent${quiet}`],
    };
  if (shown.length === 0)
    return {
      word: report.findings.some(isFailure) ? "FAIL" : "OK",
      outcome: report.findings.some(isFailure) ? "failed" : "ok",
      text: [`no difference in ${zone}${quiet}`],
    };
  const parts = [
    ...(we > 0 ? [`${we} ${we === 1 ? "is" : "are"} ours to fix`] : []),
    ...(externalDns > 0 ? [`${externalDns} ExternalDNS will fix`] : []),
    ...(nobody > 0 ? [`${nobody} nobody will`] : []),
  ];
  const [doubt] = report.deletesBlocked;
  const lost = shown.filter(
    ({ kind, repair }) => kind === "record-orphaned" && repair === "external-dns",
  ).length;
  const losing =
    doubt === undefined || lost === 0
      ? ""
      : `ExternalDNS deletes ${number(lost, "record", "records")} of ${report.zone.name}, and ${doubt} · `;
  return {
    word: losing === "" ? "DRIFT" : "FAIL",
    outcome: "failed",
    text: [
      `${losing}${number(shown.length, "difference", "differences")} · ${zone} · ${parts.join(", ")}${report.complete ? "" : " · not everything could be read"}${quiet}`,
    ],
  };
}

const buttonsOf = ({ plan, buttons, shown }: ReportMessage): readonly Action[] => [
  ...(plan !== undefined && plan.batches.length > 0 && buttons.plan !== undefined
    ? [{ id: "drift-plan", label: `Review plan ${plan.digest.slice(0, 4)}`, value: buttons.plan }]
    : []),
  ...(shown.length > 0 && buttons.report !== undefined
    ? [
        { id: "drift-explain", label: "Explain", value: buttons.report },
        { id: "drift-snooze", label: "Snooze", value: buttons.report },
      ]
    : []),
];

const next = ({ report, shown, plan }: ReportMessage): readonly Text[] => [
  ...(plan === undefined || plan.batches.length === 0
    ? []
    : [
        text`${number(plan.items.length, "difference", "differences")} in plan ${code(plan.digest.slice(0, 4))}; way back: ${plan.reversibleWhile}`,
      ]),
  ...(shown.length === 0 ? [] : [text`What a kind means: ${code(`docs/drift/${shown[0]?.kind}.md`)}`]),
  ...(report.deletesBlocked.length === 0
    ? []
    : [text`We delete nothing meanwhile: ${report.deletesBlocked[0] ?? ""}`]),
];

/** The message of a report, for every surface. Worst first; a long table goes into a file by the renderer. */
export function driftReply(message: ReportMessage): Reply {
  const { report, shown, resolved, plan } = message;
  return {
    verdict: headline(message),
    ...(report.cluster !== undefined && { cluster: report.cluster }),
    findings: report.findings,
    blocks: [...table(shown), ...resolvedLines(resolved), ...planBlocks(plan), ...evidence(message)],
    next: next(message),
    actions: buttonsOf(message),
    data: { fingerprint: fingerprint(report), report: reportJson(report) },
  };
}

/** What `arpeggio dns check --json` prints beside the findings. */
export const checkJson = (report: DriftReport): { readonly [key: string]: Json | undefined } => {
  const whole = reportJson(report) as { readonly [key: string]: Json };
  const { we, externalDns, nobody } = countsOf(report.drifts);
  return {
    zone: report.zone.name,
    complete: report.complete,
    counts: { we, externalDns, nobody },
    drifts: (whole.drifts as readonly { readonly [key: string]: Json }[]).map(({ zoneId: _, ...drift }) => ({
      ...drift,
      outlook: textOf(drift.outlook),
      because: textOf(drift.because),
    })),
    findings: report.findings.map(({ code: id, severity, facts, text: words }) => ({
      code: id,
      severity,
      facts,
      text: plain(words),
    })),
    deletesBlocked: [...report.deletesBlocked],
    unknown: report.findings
      .filter(({ severity }) => severity === "unknown")
      .map(({ text: words }) => plain(words)),
  };
};

const textOf = (value: Json | undefined): string => plain((value ?? []) as Text);

/** Once a day: what stands over all zones, so that silence is never taken for health. */
export function dailyDigest(
  cluster: string,
  reports: readonly DriftReport[],
  snoozes: readonly Snooze[],
  now: number,
): Reply {
  const rows = reports.map((report): readonly Text[] => {
    const { we, nobody } = countsOf(toldDrifts(report));
    const late = report.notReconciling.length;
    const quiet = snoozes.some((each) => each.fingerprint === fingerprint(report) && now < each.until);
    return [
      [report.zone.name],
      [report.complete ? String(toldDrifts(report).length) : "not known"],
      [String(we)],
      [String(nobody)],
      [String(late)],
      [`${Math.round((now - report.at) / 60_000)} min ago${quiet ? ", snoozed" : ""}`],
    ];
  });
  const standing = reports.reduce((sum, report) => sum + toldDrifts(report).length, 0);
  const unknown = reports.filter(({ complete }) => !complete).length;
  return {
    verdict: {
      word: standing > 0 ? "DRIFT" : unknown > 0 || reports.length === 0 ? "UNKNOWN" : "OK",
      outcome: standing > 0 ? "failed" : unknown > 0 || reports.length === 0 ? "unknown" : "ok",
      text: [
        `DNS of the day: ${number(standing, "difference stands", "differences stand")} in ${number(reports.length, "zone", "zones")}${unknown === 0 ? "" : `; ${number(unknown, "zone", "zones")} could not be read whole`}`,
      ],
    },
    cluster,
    findings: [],
    blocks:
      rows.length === 0
        ? []
        : [
            {
              kind: "table",
              columns: ["zone", "told", "ours to fix", "nobody will", "overdue", "looked"].map((title) => ({
                title,
              })),
              rows,
            },
          ],
    actions: [],
  };
}
