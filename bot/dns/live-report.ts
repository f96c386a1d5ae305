import { driftKinds } from "#shared/drift/all.ts";
import type { Drift } from "#shared/drift/drift.ts";
import { type DriftReport, driftKey, toldDrifts } from "#shared/drift/drift-report.ts";
import { resolvedSince } from "#shared/drift/fingerprint.ts";
import type { ZoneLook } from "#shared/drift/look-at-zone.ts";
import { addSnooze, lastHeartbeat, lastReport, snoozesOf } from "#shared/drift/scan-memory.ts";
import { quietBy, type Snooze } from "#shared/drift/snooze.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { utcDateTime } from "#shared/runs/utc-time.ts";
import { code, person, plain, strong, text } from "#shared/text.ts";
import type { Context } from "../commands/command.ts";
import { noSuchZone, noZones, type ZoneOrName, zonesFor } from "./dns-words.ts";
import { lookFor } from "./live-check.ts";
import { zonesReply } from "./zone-messages.ts";

const number = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const noLedger = (cluster: string): Reply => ({
  verdict: {
    word: "UNKNOWN",
    outcome: "unknown",
    text: text`reports and snoozes are kept by the bot, and there is no ledger here`,
  },
  cluster,
  findings: [],
  blocks: [],
  next: [text`What differs now: ${code("/dns check")}`],
  actions: [],
});

/** Every kind among the differences: what it means, who puts it right, and why we say so of each record. */
function explanations(drifts: readonly Drift[]): readonly Block[] {
  const kinds = [...Map.groupBy(drifts, ({ kind }) => kind)];
  return kinds.flatMap(([kind, of]): readonly Block[] => {
    const title = driftKinds.find(({ id }) => id === kind)?.title ?? kind;
    return [
      {
        kind: "prose",
        text: text`${strong(title)} (${number(of.length, "record", "records")}): ${of[0]?.outlook ?? []}`,
      },
      {
        kind: "evidence",
        title: `Why: ${kind}`,
        lines: of.map(({ name, type, because }) => `${name} ${type}: ${plain(because)}`),
      },
    ];
  });
}

const newSince = (before: DriftReport, now: DriftReport): readonly Drift[] => {
  const known = new Set(toldDrifts(before).map(driftKey));
  return toldDrifts(now).filter((drift) => !known.has(driftKey(drift)));
};

type Compared = Readonly<{
  look: ZoneLook;
  before: DriftReport | undefined;
  added: readonly Drift[];
  resolved: readonly Drift[];
  snooze: Snooze | undefined;
}>;

async function compared(ledger: Ledger, look: ZoneLook, now: number): Promise<Compared> {
  const { report } = look;
  const kept = await lastReport(ledger, report.zone.id);
  const added = kept === undefined ? [] : newSince(kept.report, report);
  return {
    look,
    before: kept?.report,
    added,
    resolved: kept === undefined ? [] : resolvedSince(kept.report, report),
    // What came since is told by the next scan: no snooze covers it.
    snooze:
      kept === undefined || added.length > 0
        ? undefined
        : quietBy(await snoozesOf(ledger, report.zone.id), kept.fingerprint, now),
  };
}

/** The report of each zone as it is now, and what changed since the last scan told it. */
export async function reportLive(
  context: Context<unknown>,
  wanted: ZoneOrName | undefined,
  isExplained: boolean,
): Promise<Reply> {
  const { deps, cluster } = context;
  const name = cluster?.config.name ?? "";
  const { ledger, clock } = deps;
  if (ledger === undefined) return noLedger(name);
  const look = await lookFor(context, wanted);
  if ("verdict" in look) return look;
  const zones: Compared[] = [];
  for (const each of look.zones) zones.push(await compared(ledger, each, clock.now()));
  const beat = await lastHeartbeat(ledger);
  const reply = zonesReply(
    name,
    zones.map(({ look: each, resolved, snooze }) => ({
      look: each,
      shown: toldDrifts(each.report),
      resolved,
      snooze,
    })),
    undefined,
  );
  const changes = zones.map(({ look: each, before, added, resolved, snooze: quiet }) => {
    const silence = quiet === undefined ? "" : `, quiet until ${utcDateTime(quiet.until)} (${quiet.reason})`;
    const zone = `${each.report.zone.name}${silence}`;
    return before === undefined
      ? `${zone}: no scan has kept a report yet`
      : `${zone}: ${added.length} new and ${resolved.length} gone since ${utcDateTime(before.at)}`;
  });
  const drifts = zones.flatMap(({ look: each }) => toldDrifts(each.report));
  return {
    ...reply,
    why: text`${changes.join("; ")}. ${beat === undefined ? "No scan has ended yet." : `The last scan ended ${utcDateTime(beat.at)}.`}`,
    blocks: isExplained
      ? [...reply.blocks.filter(({ kind }) => kind === "table"), ...explanations(drifts)]
      : reply.blocks,
    ...(reply.json === undefined
      ? {}
      : {
          json: {
            report: reply.json,
            since: zones.map(({ look: each, before, added, resolved }) => ({
              zone: each.report.zone.name,
              at: before?.at ?? null,
              new: added.length,
              resolved: resolved.length,
            })),
          },
        }),
  };
}

/** Keeps a zone's report quiet about exactly what it tells; anything that changes it is told again. */
export async function snooze(
  context: Context<unknown>,
  wanted: ZoneOrName,
  forMs: number,
  reason: string,
): Promise<Reply> {
  const { deps, cluster, caller } = context;
  if (cluster === undefined) throw new Error("a snooze needs a cluster");
  const { name, dns } = cluster.config;
  const { ledger, clock, people } = deps;
  if (dns === undefined) return noZones(cluster.config);
  if (ledger === undefined) return noLedger(name);
  const chosen = zonesFor(dns, wanted);
  if (chosen.length === 0) return noSuchZone(name, dns, wanted);
  const at = clock.now();
  const by = caller.person?.name ?? caller.account;
  const kept = (await Promise.all(chosen.map(({ id }) => lastReport(ledger, id)))).filter(
    (each) => each !== undefined,
  );
  const standing = kept.filter(
    ({ report }) =>
      toldDrifts(report).length > 0 || report.findings.some(({ severity }) => severity !== "info"),
  );
  if (standing.length === 0)
    return {
      verdict: {
        word: kept.length === 0 ? "UNKNOWN" : "OK",
        outcome: kept.length === 0 ? "unknown" : "ok",
        text:
          kept.length === 0
            ? text`no scan has kept a report of ${chosen.map((zone) => zone.name).join(", ")} yet, so there is nothing to keep quiet`
            : text`nothing is told about ${chosen.map((zone) => zone.name).join(", ")}, so there is nothing to keep quiet`,
      },
      cluster: name,
      findings: [],
      blocks: [],
      next: [text`What differs: ${code("/dns check")}`],
      actions: [],
    };
  const until = at + forMs;
  for (const { report, fingerprint } of standing)
    await addSnooze(ledger, report.zone.id, { fingerprint, reason, by, at, until });
  const told = standing.flatMap(({ report }) => toldDrifts(report));
  const slack = people?.find((one) => one.name === by)?.slack;
  const zones = standing.map(({ report }) => report.zone.name).join(", ");
  return {
    verdict: {
      word: "SNOOZED",
      outcome: "info",
      text:
        told.length === 0
          ? text`what could not be read of ${zones}, until ${utcDateTime(until)}`
          : text`${number(told.length, "difference", "differences")} in ${zones}, until ${utcDateTime(until)}`,
    },
    cluster: name,
    why: text`Reason: ${reason}. By ${person({ name: by, ...(slack !== undefined && { slack }) })}. We will tell it again when anything in it changes, or then.`,
    findings: [],
    blocks:
      told.length === 0
        ? []
        : [
            {
              kind: "evidence",
              title: "Kept quiet",
              lines: told.map(({ kind, name: record, type }) => `${kind} ${record} ${type}`),
            },
          ],
    next: [
      text`A snooze repairs nothing; who will: ${code("/dns check")}`,
      text`Another time, with a reason: ${code(`/dns snooze ${standing[0]?.report.zone.id ?? ""} --for 7d --reason TEXT`)}`,
    ],
    actions: [],
    data: { until, by, reason, zones: standing.map(({ report }) => report.zone.id) },
  };
}
