import type { Block, Reply } from "../reply.ts";
import type { VantagePlace } from "../site/site.ts";
import type { Migration } from "../steps/runbook.ts";
import { code, plain, type Text, text } from "../text.ts";
import type { NamesFelt } from "./names-felt.ts";
import { leftText, longestNameGap, namesBlocks, namesJson, worstNamePlace } from "./names-reply.ts";
import { placeNames, places, seconds } from "./places.ts";
import type { Announcers, Rehearsal, RehearsedStep } from "./rehearse.ts";

/** What a client of one place felt in one step. */
function feltText({ felt }: RehearsedStep, place: VantagePlace): string {
  const ms = felt.gapMs[place];
  if (ms === undefined) return "never served";
  if (felt.lost.some((each) => each.place === place)) return `lost, ${seconds(ms)} and on`;
  return ms === 0 ? "nothing" : `no new connection for ${seconds(ms)}`;
}

const longestGap = ({ felt }: RehearsedStep): number =>
  Math.max(0, ...places.map((place) => felt.gapMs[place] ?? 0));

const resetsText = ({ felt: { resets } }: RehearsedStep): string =>
  resets.connections === 0
    ? "none"
    : `${resets.addresses} ${resets.addresses === 1 ? "address" : "addresses"}, entered through ${resets.nodes} ${resets.nodes === 1 ? "node" : "nodes"}`;

const announcerText = ({ layer2, bgp }: Announcers): string =>
  [
    ...(layer2.length > 0 ? [`layer 2: ${layer2.join(", ")}`] : []),
    ...(bgp.length > 0 ? [`BGP: ${bgp.length <= 2 ? bgp.join(", ") : `${bgp.length} nodes`}`] : []),
  ].join("; ") || "nobody";

function verdictOf(migration: Migration, rehearsal: Rehearsal): Reply["verdict"] {
  const { steps } = rehearsal;
  const worst = steps.reduce<RehearsedStep | undefined>(
    (found, step) => (longestGap(step) > (found === undefined ? 0 : longestGap(found)) ? step : found),
    undefined,
  );
  if (worst !== undefined) {
    const place = places.find((each) => worst.felt.gapMs[each] === longestGap(worst)) ?? "behind-router";
    const stays = worst.felt.lost.length > 0;
    return {
      word: "OUTAGE",
      outcome: "failed",
      text: text`${migration.id} in this order: clients ${placeNames[place]} get no new connection in step ${worst.id}${stays ? ", and none until a later step brings the addresses back" : ` for ${seconds(longestGap(worst))}`}`,
    };
  }
  const nameless = [
    ...steps.map(({ id, names }) => ({ id: `step ${id}`, names })),
    { id: "the end", names: rehearsal.afterwards },
  ].reduce<Readonly<{ id: string; names: NamesFelt | undefined }> | undefined>(
    (found, each) => (longestNameGap(each.names) > longestNameGap(found?.names) ? each : found),
    undefined,
  );
  if (nameless !== undefined)
    return {
      word: "OUTAGE",
      outcome: "failed",
      text: text`${migration.id} in this order: clients ${placeNames[worstNamePlace(nameless.names)]} can use neither the old name of something nor the new one in ${nameless.id}, for ${seconds(longestNameGap(nameless.names))}`,
    };
  const left = leftText(rehearsal);
  const rest =
    left === undefined
      ? text`no new connection failed on the model`
      : text`no new connection failed on the model, but ${left}`;
  const halting = steps.find(({ outcome }) => outcome === "would-halt");
  if (halting !== undefined)
    return {
      word: "WOULD STOP",
      outcome: "failed",
      text: text`${migration.id}: the run would stop at step ${halting.id}; ${rest}`,
    };
  if (left !== undefined)
    return { word: "LEFT BEHIND", outcome: "failed", text: text`${migration.id} in this order: ${rest}` };
  const unknown = steps.filter(({ outcome }) => outcome === "unknown");
  if (unknown.length > 0)
    return {
      word: "UNKNOWN",
      outcome: "unknown",
      text: text`${migration.id}: what ${unknown.length} of ${steps.length} steps would come to is not known, ${unknown[0]?.id ?? ""} first; ${rest}`,
    };
  const resets = steps.flatMap(
    ({
      id,
      felt: {
        resets: { connections, addresses, nodes },
      },
    }) =>
      connections > 0
        ? [`${id}: ${addresses} ${addresses === 1 ? "address" : "addresses"}, ${nodes} nodes`]
        : [],
  );
  return {
    word: "REHEARSED",
    outcome: "ok",
    text:
      resets.length === 0
        ? text`${migration.id}: no new connection failed on the model, and no established one was reset`
        : text`${migration.id}: no new connection failed on the model; established connections that entered through other nodes reset once (${resets.join("; ")})`,
  };
}

const movedTable = ({ id, moved }: RehearsedStep): readonly Block[] =>
  moved.length === 0
    ? []
    : [
        {
          kind: "table",
          title: `Announcers before and after ${id}`,
          columns: [{ title: "address" }, { title: "before" }, { title: "after" }],
          rows: moved.map(({ ip, before, after }) => [[ip], [announcerText(before)], [announcerText(after)]]),
        },
      ];

const noteOf = (step: RehearsedStep): Text =>
  step.outcome === "would-halt"
    ? text`would stop here: ${step.text}`
    : step.outcome === "unknown"
      ? text`not known: ${step.text}`
      : step.text;

/** The rest of what stops a step for one reason is the same with other names. */
const linesOfACode = 2;

/** Every reason once, with the first few it is true of. */
function haltLines(findings: RehearsedStep["halts"]): readonly string[] {
  const byCode = new Map<string, Set<string>>();
  for (const { code: name, text: words } of findings)
    byCode.set(name, (byCode.get(name) ?? new Set()).add(plain(words)));
  return [...byCode].flatMap(([name, lines]) => [
    ...[...lines].slice(0, linesOfACode).map((line) => `${name}: ${line}`),
    ...(lines.size > linesOfACode ? [`${name}: and ${lines.size - linesOfACode} more`] : []),
  ]);
}

const states = { passed: "done", unneeded: "skipped", "would-halt": "failed", unknown: "unknown" } as const;

/** Steps of which clients feel the same, one after the other, in one row. */
function feltRows(steps: readonly RehearsedStep[]): readonly (readonly Text[])[] {
  const rows: { first: string; last: string; cells: readonly string[] }[] = [];
  for (const step of steps.filter(({ outcome }) => outcome !== "unneeded")) {
    const cells = [...places.map((place) => feltText(step, place)), resetsText(step)];
    const before = rows.at(-1);
    if (before?.cells.join("|") === cells.join("|")) before.last = step.id;
    else rows.push({ first: step.id, last: step.id, cells });
  }
  return rows.map(({ first, last, cells }) => [
    [first === last ? first : `${first} to ${last}`],
    ...cells.map((cell): Text => [cell]),
  ]);
}

/** What people read of a rehearsal. */
export function rehearsalReply(
  cluster: string,
  migration: Migration,
  rehearsal: Rehearsal,
  assumed: readonly Text[],
): Reply {
  const { steps, addresses } = rehearsal;
  const halts = steps.filter(({ outcome }) => outcome === "would-halt" || outcome === "unknown");
  return {
    verdict: verdictOf(migration, rehearsal),
    cluster,
    why: text`A model was changed, nothing else: it proves nothing about this network. ${addresses} addresses were reached by a client of the model before the first step; new connections were tried every 0.2 s around each change.`,
    findings: [],
    blocks: [
      {
        kind: "steps",
        steps: steps.map((step) => ({
          title: step.title,
          state: states[step.outcome],
          note: noteOf(step),
        })),
      },
      {
        kind: "table",
        title: "What clients feel",
        columns: [
          { title: "step" },
          ...places.map((place) => ({ title: placeNames[place] })),
          { title: "established connections reset" },
        ],
        rows: feltRows(steps),
      },
      ...namesBlocks(rehearsal),
      ...steps.flatMap(movedTable),
      ...halts.flatMap(({ id, outcome, halts: findings }): readonly Block[] =>
        findings.length === 0
          ? []
          : [
              {
                kind: "evidence",
                title: outcome === "unknown" ? `What is not known of ${id}` : `What would stop ${id}`,
                lines: haltLines(findings),
              },
            ],
      ),
      { kind: "evidence", title: "Taken for true", lines: assumed.map(plain) },
    ],
    next: [text`What it would do to the cluster: ${code(`/migrate plan ${migration.id}`)}`],
    actions: [],
    data: {
      runbook: migration.id,
      addresses,
      names: namesJson(rehearsal.names),
      afterwards: namesJson(rehearsal.afterwards),
      assumed: assumed.map(plain),
      steps: steps.map(({ id, kind, outcome, text: words, halts: findings, felt, names, moved, tookMs }) => ({
        id,
        kind,
        outcome,
        text: plain(words),
        halts: [...new Set(findings.map(({ code: name }) => name))],
        gapMs: Object.fromEntries(places.map((place) => [place, felt.gapMs[place] ?? null])),
        resolutionMs: felt.resolutionMs,
        lost: [...new Set(felt.lost.map(({ ip }) => ip))],
        resets: { ...felt.resets },
        names: namesJson(names),
        moved: moved.map(({ ip, before, after }) => ({
          ip,
          before: { layer2: [...before.layer2], bgp: [...before.bgp] },
          after: { layer2: [...after.layer2], bgp: [...after.bgp] },
        })),
        tookMs,
      })),
    },
  };
}

/** Without these nobody can tell what clients would feel. */
export const cannotRehearse = (cluster: string, migration: Migration, missing: readonly string[]): Reply => ({
  verdict: {
    word: "UNKNOWN",
    outcome: "unknown",
    text: text`${migration.id} cannot be rehearsed: ${missing.length === 1 ? text`${missing[0] ?? ""} is not known` : text`${missing.length} things are not known`}`,
  },
  cluster,
  why: text`What clients behind the router feel depends on what the router takes for its LAN.`,
  findings: [],
  blocks: [{ kind: "evidence", title: "Not known", lines: missing }],
  next: [text`Write it into the config of the cluster, then again.`],
  actions: [],
  data: { runbook: migration.id, missing: [...missing] },
});
