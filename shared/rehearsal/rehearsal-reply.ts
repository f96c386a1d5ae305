import type { Block, Reply } from "../reply.ts";
import type { VantagePlace } from "../site/site.ts";
import type { Migration } from "../steps/runbook.ts";
import { code, plain, type Text, text } from "../text.ts";
import type { Announcers, Rehearsal, RehearsedStep } from "./rehearse.ts";

const placeNames: Readonly<Record<VantagePlace, string>> = {
  "lan-wired": "on the LAN",
  "lan-wifi": "on Wi-Fi",
  "behind-router": "behind the router",
};
const places = Object.keys(placeNames) as readonly VantagePlace[];

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

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
  resets.connections === 0 ? "none" : `${resets.addresses} addresses, entered through ${resets.nodes} nodes`;

const announcerText = ({ layer2, bgp }: Announcers): string =>
  [
    ...(layer2.length > 0 ? [`layer 2: ${layer2.join(", ")}`] : []),
    ...(bgp.length > 0 ? [`BGP: ${bgp.length <= 2 ? bgp.join(", ") : `${bgp.length} nodes`}`] : []),
  ].join("; ") || "nobody";

function verdictOf(migration: Migration, { steps }: Rehearsal): Reply["verdict"] {
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
  const halting = steps.find(({ outcome }) => outcome === "would-halt");
  if (halting !== undefined)
    return {
      word: "WOULD STOP",
      outcome: "failed",
      text: text`${migration.id}: the run would stop at step ${halting.id}; no new connection failed on the model`,
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
  step.outcome === "would-halt" ? text`would stop here: ${step.text}` : step.text;

/** What people read of a rehearsal. */
export function rehearsalReply(
  cluster: string,
  migration: Migration,
  rehearsal: Rehearsal,
  assumed: readonly Text[],
): Reply {
  const { steps, addresses } = rehearsal;
  const halts = steps.filter(({ outcome }) => outcome === "would-halt");
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
          state: step.outcome === "passed" ? "done" : step.outcome === "unneeded" ? "skipped" : "failed",
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
        rows: steps
          .filter(({ outcome }) => outcome !== "unneeded")
          .map((step) => [
            [step.id],
            ...places.map((place): Text => [feltText(step, place)]),
            [resetsText(step)],
          ]),
      },
      ...steps.flatMap(movedTable),
      ...halts.flatMap(({ id, halts: findings }): readonly Block[] =>
        findings.length === 0
          ? []
          : [
              {
                kind: "evidence",
                title: `What would stop ${id}`,
                lines: findings.map(({ code: name, text: words }) => `${name}: ${plain(words)}`),
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
      assumed: assumed.map(plain),
      steps: steps.map(({ id, kind, outcome, text: words, halts: findings, felt, moved, tookMs }) => ({
        id,
        kind,
        outcome,
        text: plain(words),
        halts: [...new Set(findings.map(({ code: name }) => name))],
        gapMs: Object.fromEntries(places.map((place) => [place, felt.gapMs[place] ?? null])),
        resolutionMs: felt.resolutionMs,
        lost: [...new Set(felt.lost.map(({ ip }) => ip))],
        resets: { ...felt.resets },
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
