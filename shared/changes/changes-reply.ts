import type { Finding } from "../finding.ts";
import type { Block, Reply } from "../reply.ts";
import { counted } from "../report/wording.ts";
import { code, plain, type Text, text } from "../text.ts";
import type { Change, Window } from "./change.ts";
import { type Folded, fold } from "./fold.ts";
import type { Gaps } from "./gaps.ts";
import { sinceWords } from "./since.ts";
import { utcTime } from "./utc-time.ts";

const namesShown = 3;

function whatText({ change, names, times, first }: Folded, now: number): Text {
  const { subject, what, atLatest } = change;
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
  const who =
    names.length > 1
      ? text`${names.length} ${subject.kind}s: ${what} (${names.slice(0, namesShown).join(", ")}${more})`
      : text`${subject.kind} ${subject.name}: ${what}`;
  const often =
    times > names.length
      ? text`, ${times} times${first < change.at ? ` since ${utcTime(first, now)}` : ""}`
      : [];
  return text`${who}${often}${atLatest ? ", at the latest" : ""}`;
}

const table = (title: string, lines: readonly Folded[], now: number): Block => ({
  kind: "table",
  title,
  columns: [{ title: "time" }, { title: "what" }, { title: "by" }, { title: "source" }],
  rows: lines.map((line) => [
    [utcTime(line.change.at, now)],
    whatText(line, now),
    [line.change.by ?? ""],
    [line.change.source],
  ]),
});

/** What changed, newest first; or, in plain words, that nothing did, and what nobody could have seen. */
export function changesReply(
  given: Readonly<{
    cluster: string;
    window: Window;
    /** Of the site. */
    changes: readonly Change[];
    /** Our own, which only look as long as no command changes anything. */
    runs: readonly Change[];
    gaps: Gaps;
    /** Nothing of the cluster could be listed. */
    blind: boolean;
  }>,
): Reply {
  const { cluster, window, changes, runs, gaps, blind } = given;
  const now = window.until;
  const span = sinceWords(window.until - window.since);
  const lines = fold(changes);
  const own = fold(runs);
  const findings: Finding[] = gaps.faults.map((fault) => ({
    code: `fault-${fault.kind}`,
    severity: "unknown",
    subject: { kind: "cluster", name: cluster },
    facts: { what: fault.what, detail: fault.detail },
    text: text`${fault.what}: ${fault.detail}`,
  }));
  const isDark = findings.length > 0;
  const newest = lines[0]?.change;
  const ours = runs.length > 0 ? `, and ${counted(runs.length, "run")} of ours` : "";
  const verdict: Reply["verdict"] = blind
    ? {
        word: "UNKNOWN",
        outcome: "unknown",
        text: text`what changed in the last ${span}: nothing of the cluster could be read`,
      }
    : newest !== undefined
      ? {
          word: "CHANGED",
          outcome: "info",
          text: text`${counted(lines.length, "change")} in the last ${span}${ours}, the newest at ${utcTime(newest.at, now)}`,
        }
      : isDark
        ? {
            word: "UNKNOWN",
            outcome: "unknown",
            text: text`nothing seen to change in the last ${span}, but ${counted(findings.length, "list")} could not be read`,
          }
        : { word: "OK", outcome: "ok", text: text`nothing changed in the last ${span}${ours}` };
  return {
    verdict,
    cluster,
    ...(newest === undefined
      ? {}
      : { why: text`Newest: ${whatText(lines[0] as Folded, now)} (${newest.source}).` }),
    findings,
    blocks: [
      ...(lines.length > 0 ? [table("What changed, newest first", lines, now)] : []),
      ...(own.length > 0 ? [table("Runs of ours", own, now)] : []),
      { kind: "evidence", title: "What this cannot see", lines: gaps.silent },
    ],
    next: blind
      ? [text`What works and what does not: ${code("/arpeggio doctor")}`]
      : newest === undefined
        ? [text`Further back: ${code("/arpeggio changes --since 1d")}`]
        : [text`Who answers now: ${code("/arping all")}`],
    actions: [],
    data: {
      since: new Date(window.since).toISOString(),
      until: new Date(window.until).toISOString(),
      changes: [...changes, ...runs]
        .toSorted((a, b) => b.at - a.at)
        .map(({ at, atLatest, subject, what, by, source, times }) => ({
          at: new Date(at).toISOString(),
          ...(atLatest ? { atLatest } : {}),
          kind: subject.kind,
          name: subject.name,
          what: plain(what),
          by: by ?? null,
          source,
          times: times ?? 1,
        })),
      silent: gaps.silent,
    },
  };
}
