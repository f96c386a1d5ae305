import type { Block, Reply } from "../reply.ts";
import { counted } from "../report/wording.ts";
import { utcDateTime, utcTime } from "../runs/utc-time.ts";
import { code, type Inline, join, strike, type Text, text } from "../text.ts";
import { alertName } from "./alert.ts";
import { type AlertCase, firingOf, type Storm } from "./alert-state.ts";

/** `storm/S-…`: the message of a storm on the board. */
export const stormKey = (id: string): string => `storm/${id}`;

const mostNames = 5;

const isFiring = (one: AlertCase): boolean => firingOf(one).length > 0;

const since = (one: AlertCase): number =>
  Math.min(...[...one.alerts.values()].map(({ alert }) => alert.startsAt || one.openedAt), one.openedAt);

/** What a person types to look at one of them. */
const command = ({ runbook, subject }: AlertCase): string | undefined =>
  runbook === null ? undefined : `/runbook run ${runbook}${subject === null ? "" : ` ${subject}`}`;

/** These say how bad and where, or are counted by themselves: no cause. */
const noCause = new Set(["alertname", "severity", "cluster"]);

/** Labels that at least half of them share, the commonest first: a storm has a common cause more often than not. */
export function sharedLabels(
  cases: readonly AlertCase[],
): readonly Readonly<{ label: string; count: number }>[] {
  const counts = new Map<string, number>();
  for (const one of cases) {
    const labels = new Set(
      [...one.alerts.values()].flatMap(({ alert }) =>
        Object.entries(alert.labels).flatMap(([name, value]) =>
          noCause.has(name) ? [] : [`${name}=${value}`],
        ),
      ),
    );
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 1 && count * 2 >= cases.length)
    .map(([label, count]) => ({ label, count }))
    .toSorted((a, b) => b.count - a.count || a.label.localeCompare(b.label))
    .slice(0, 4);
}

function byName(
  cases: readonly AlertCase[],
): readonly (readonly [string, Readonly<{ firing: number; over: number }>])[] {
  const names = new Map<string, { firing: number; over: number }>();
  for (const one of cases) {
    const [first] = one.alerts.values();
    const name = first === undefined ? one.title : alertName(first.alert);
    const counts = names.get(name) ?? { firing: 0, over: 0 };
    counts[isFiring(one) ? "firing" : "over"] += 1;
    names.set(name, counts);
  }
  return [...names].toSorted(([, a], [, b]) => b.firing - a.firing || b.over - a.over);
}

const clusterOf = (cases: readonly AlertCase[]): string => {
  const names = [...new Set(cases.map(({ cluster }) => cluster))];
  return names.length <= 3 ? names.join(", ") : `${names.length} clusters`;
};

function verdictOf(storm: Storm, firing: number, all: number, calmSeconds: number): Reply["verdict"] {
  const began = utcDateTime(storm.since);
  if (firing === 0 && storm.calmedAt !== undefined)
    return {
      word: "OVER",
      outcome: "ok",
      text: text`storm of alerts · all ${all} things that fired since ${began} are resolved, calm since ${utcTime(storm.lastAt)}`,
    };
  return {
    word: "STORM",
    outcome: "failed",
    text: text`${counted(firing, "thing fires", "things fire")} of ${all} since ${began}; ${
      storm.calmedAt === undefined
        ? `new ones are listed here until none came for ${calmSeconds % 60 === 0 ? `${calmSeconds / 60} min` : `${calmSeconds} s`}`
        : `nothing new since ${utcTime(storm.lastAt)}`
    }`,
  };
}

/** The first of them by name; the rest is in the list. */
const named = (
  words: string,
  cases: readonly AlertCase[],
  shown: (one: AlertCase) => Text,
): readonly Block[] =>
  cases.length === 0
    ? []
    : [
        {
          kind: "prose",
          text: text`${words}: ${join(cases.slice(0, mostNames).map(shown), "; ")}${
            cases.length > mostNames ? `; and ${cases.length - mostNames} more` : ""
          }`,
        },
      ];

/** A storm's one message: how much, what it shares, the first of them; the whole list is in its thread. */
export function stormReply(
  storm: Storm,
  cases: readonly AlertCase[],
  options: Readonly<{ calmSeconds: number }>,
): Reply {
  const firing = cases.filter(isFiring);
  const over = cases.filter((one) => !isFiring(one));
  const shared = sharedLabels(firing.length > 0 ? firing : cases);
  const names = byName(cases);
  const example = firing.map(command).find((one) => one !== undefined);
  const own = cases.filter(({ incident }) => incident !== undefined).length;
  return {
    verdict: verdictOf(storm, firing.length, cases.length, options.calmSeconds),
    cluster: clusterOf(cases),
    why:
      shared.length === 0
        ? ["They share no label beyond name and severity: look at the worst first."]
        : text`What they share: ${shared.flatMap(({ label, count }, i): Inline[] => [
            ...(i === 0 ? [] : [", "]),
            code(label),
            ` (${count} of ${firing.length > 0 ? firing.length : cases.length})`,
          ])}.`,
    findings: [],
    blocks: [
      {
        kind: "table",
        title: names.length > mostNames ? `alerts, ${mostNames} of ${names.length} names` : "alerts",
        columns: [
          { title: "alert" },
          { title: "firing", align: "right" },
          { title: "resolved", align: "right" },
        ],
        rows: names
          .slice(0, mostNames)
          .map(([name, counts]) => [[name], [String(counts.firing)], [String(counts.over)]]),
      },
      ...named("Firing", firing, (one) => text`${one.title} since ${utcTime(since(one))}`),
      ...named("Resolved", over, (one) => [strike(one.title)]),
      ...(own > 0
        ? [
            {
              kind: "prose" as const,
              text: text`${own} of them ${own === 1 ? "has" : "have"} a message of ${own === 1 ? "its" : "their"} own by now.`,
            },
          ]
        : []),
    ],
    next: [
      ...(example === undefined ? [] : [text`To open one of them: ${code(example)}`]),
      ["All of them: the newest list in this thread."],
    ],
    actions: [],
    data: { storm: storm.id, firing: firing.length, all: cases.length, calmedAt: storm.calmedAt ?? null },
  };
}

const stamp = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

/** Every one of them with its labels, as a file of the thread. */
export function stormList(storm: Storm, cases: readonly AlertCase[], at: number): string {
  const lines = cases.flatMap((one, i) => [
    `${String(i + 1).padStart(4)}  ${isFiring(one) ? "firing  " : "resolved"}  ${stamp(since(one))}  ${one.cluster}  ${one.title}${one.incident === undefined ? "" : `  ${one.incident}`}`,
    ...[...one.alerts.values()].map(
      ({ alert, firing, times }) =>
        `      ${firing ? "firing  " : "resolved"}  ${alertName(alert)}  told ${times <= 1 ? "once" : `${times} times`}  ${Object.entries(
          alert.labels,
        )
          .filter(([name]) => name !== "alertname")
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
          .join(" ")}`,
    ),
    ...(one.truncated > 0 ? [`      ${one.truncated} more were left out by Alertmanager (max_alerts)`] : []),
  ]);
  return `${storm.id}: ${cases.length} things, as of ${stamp(at)}\n\n${lines.join("\n")}\n`;
}
