import type { Clock } from "../clock.ts";
import { type Fault, FaultError } from "../fault.ts";
import { isFailure } from "../finding.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Reply } from "../reply.ts";
import { canonicalDigest } from "./canonical-digest.ts";
import { type DriftReport, driftKey, toldDrifts } from "./drift-report.ts";
import { fingerprint, resolvedOf } from "./fingerprint.ts";
import { planId } from "./plan-stream.ts";
import type { Plan } from "./plan-value.ts";
import type { PostMessage } from "./post-message.ts";
import { dailyDigest, driftReply, type ReportMessage } from "./report.ts";
import { snoozesOf } from "./scan-memory.ts";
import { quietBy, type Snooze } from "./snooze.ts";
import { reportJson } from "./stored-report.ts";
import { appendTold, readTold, type Told } from "./told-stream.ts";

export type TellPorts = Readonly<{
  ledger: Ledger;
  clock: Clock;
  messages: PostMessage;
  /** Unique for this run: who holds the claim on a message. */
  holder: string;
}>;

export type TellRequest = Readonly<{
  report: DriftReport;
  plan: Plan | undefined;
  buttons: ReportMessage["buttons"];
}>;

/**
 * A report's buttons name its zone, and which plan was on offer: a press reads and plans afresh, so that a scan keeps no
 * plan and needs no right to the streams that requests and approvals stand in.
 */
export const reportButtons = (
  { zone }: Pick<DriftReport, "zone">,
  plan: Plan | undefined,
): ReportMessage["buttons"] => ({
  report: zone.id,
  ...(plan !== undefined && plan.batches.length > 0 && { plan: `${zone.id} ${planId(plan)}` }),
});

type Done = "posted" | "edited" | "unchanged" | "nothing-to-tell" | "claimed-by-another";

export type TellResult =
  | Readonly<{ state: Done }>
  | Readonly<{ state: "snoozed"; snooze: Snooze }>
  /** Nobody was told: the next scan tells it. */
  | Readonly<{ state: "not-told"; fault: Fault }>;

/** Longer than any posting takes; when it runs out, whoever looks next posts. */
const claimMs = 120_000;

const isNews = (report: DriftReport): boolean =>
  toldDrifts(report).length > 0 ||
  report.findings.some((finding) => isFailure(finding) || finding.severity === "unknown");

function newTo(standing: DriftReport["drifts"], report: DriftReport): DriftReport["drifts"] {
  const known = new Set(standing.map(driftKey));
  return toldDrifts(report).filter((drift) => !known.has(driftKey(drift)));
}

const idOf = (zoneId: string, version: number): string => `drift-${zoneId}-${version}`;

type Telling = TellRequest & Readonly<{ snooze: Snooze | undefined; quiet: string; print: string }>;

const replyOf = (telling: Telling, resolved: DriftReport["drifts"]): Reply =>
  driftReply({
    report: telling.report,
    shown: toldDrifts(telling.report),
    resolved,
    plan: telling.plan,
    snooze: telling.snooze,
    buttons: telling.buttons,
  });

async function post(ports: TellPorts, telling: Telling, state: Told): Promise<Done> {
  const { ledger, messages } = ports;
  const { report, print } = telling;
  const zoneId = report.zone.id;
  let version = state.version;
  let id = idOf(zoneId, version + 1);
  if (state.message !== undefined) {
    // Somebody meant to post it and never said that it stands there: look before it is said again.
    id = state.message.id;
    const found = await messages.find(id, state.message.intendedAt - 60_000);
    if (found !== undefined) {
      await appendTold(ledger, zoneId, version, { type: "posted", id, ...found });
      return edit(ports, telling, await readTold(ledger, zoneId));
    }
    id = idOf(zoneId, version + 1);
  }
  const intent = { type: "intended", id, fingerprint: print, report: reportJson(report) } as const;
  if (!(await appendTold(ledger, zoneId, version, intent))) return "claimed-by-another";
  version += 1;
  const at = await messages.post(id, replyOf(telling, []));
  await appendTold(ledger, zoneId, version, { type: "posted", id, ...at });
  return "posted";
}

async function edit(ports: TellPorts, telling: Telling, state: Told): Promise<Done> {
  const { ledger, messages } = ports;
  const { report, print, quiet } = telling;
  const { message, version } = state;
  if (message?.at === undefined) return "unchanged";
  if (message.fingerprint === print && message.quiet === quiet) return "unchanged";
  const closed = report.complete && !isNews(report);
  const edited = { type: "edited", fingerprint: print, quiet, report: reportJson(report), closed } as const;
  const done = await messages.update(
    message.at,
    message.id,
    replyOf(telling, resolvedOf(message.seen, report)),
  );
  if (done === "gone") {
    await appendTold(ledger, report.zone.id, version, { type: "lost" });
    return isNews(report) && telling.snooze === undefined
      ? post(ports, telling, await readTold(ledger, report.zone.id))
      : "nothing-to-tell";
  }
  const added = newTo(message.standing, report);
  if (added.length > 0 && telling.snooze === undefined) {
    // An edit rings no bell: what is new is also said in the thread.
    // The version tells what comes back after it was gone from what is told again after a crash.
    const id = `${message.id}-${version}-${print.slice(0, 12)}`;
    if ((await messages.find(id, message.intendedAt - 60_000, message.at)) === undefined)
      await messages.post(
        id,
        driftReply({
          report,
          shown: added,
          resolved: [],
          plan: undefined,
          snooze: undefined,
          buttons: {},
        }),
        message.at,
      );
  }
  await appendTold(ledger, report.zone.id, version, edited);
  return "edited";
}

/**
 * Tells a report where people read, only when it says something else than they can read already. Whoever holds the
 * lease on the fingerprint tells it; one that runs out without a message is taken by the next scan, which first looks
 * whether the message is there. Nothing is lost while nobody can be told: the ledger says what was told last, not what
 * was seen last.
 */
export async function tellReport(ports: TellPorts, request: TellRequest): Promise<TellResult> {
  const { ledger, clock } = ports;
  const { report } = request;
  const zoneId = report.zone.id;
  const print = fingerprint(report);
  const snooze = quietBy(await snoozesOf(ledger, zoneId), print, clock.now());
  const telling: Telling = {
    ...request,
    snooze,
    quiet: snooze === undefined ? "" : canonicalDigest(snooze),
    print,
  };
  const needed = (state: Told): "post" | "edit" | TellResult => {
    if (state.message?.at !== undefined)
      return state.message.fingerprint === print && state.message.quiet === telling.quiet
        ? { state: "unchanged" }
        : "edit";
    if (snooze !== undefined) return { state: "snoozed", snooze };
    return isNews(report) ? "post" : { state: "nothing-to-tell" };
  };
  const before = needed(await readTold(ledger, zoneId));
  if (typeof before === "object") return before;
  const claim = await ledger.lease(`drift-post/${zoneId}/${print}`, ports.holder, claimMs);
  if (!claim.ok) return { state: "claimed-by-another" };
  try {
    // Another may have told it between the look and the claim.
    const state = await readTold(ledger, zoneId);
    const what = needed(state);
    if (typeof what === "object") return what;
    return { state: await (what === "post" ? post : edit)(ports, telling, state) };
  } catch (error) {
    if (error instanceof FaultError) return { state: "not-told", fault: error.fault };
    throw error;
  } finally {
    await ledger.release(claim.lease.cluster, claim.lease.token);
  }
}

/**
 * Once a UTC day, from `hour` on: what stands over all zones. A digest whose posting was not confirmed is looked for and
 * posted again by the next scan of the day.
 */
export async function tellDigest(
  ports: TellPorts,
  digest: Readonly<{ cluster: string; reports: readonly DriftReport[]; hour: number }>,
): Promise<TellResult> {
  const { ledger, clock, messages, holder } = ports;
  const now = clock.now();
  if (new Date(now).getUTCHours() < digest.hour) return { state: "nothing-to-tell" };
  const day = new Date(now).toISOString().slice(0, 10);
  const stream = `digest/${digest.cluster}/${day}`;
  const posted = async (): Promise<number | "posted"> => {
    const events = await ledger.read(stream);
    return events.some(({ type }) => type === "posted") ? "posted" : events.length;
  };
  if ((await posted()) === "posted") return { state: "unchanged" };
  const claim = await ledger.lease(stream, holder, claimMs);
  if (!claim.ok) return { state: "claimed-by-another" };
  try {
    const version = await posted();
    if (version === "posted") return { state: "unchanged" };
    const id = `drift-digest-${digest.cluster}-${day}`;
    let at = version > 0 ? await messages.find(id, now - 86_400_000) : undefined;
    if (version === 0) await ledger.append(stream, 0, { type: "intended", data: { id } });
    const snoozes = (await Promise.all(digest.reports.map(({ zone }) => snoozesOf(ledger, zone.id)))).flat();
    at ??= await messages.post(id, dailyDigest(digest.cluster, digest.reports, snoozes, now));
    await ledger.append(stream, Math.max(1, version), { type: "posted", data: { ...at } });
    return { state: "posted" };
  } catch (error) {
    if (error instanceof FaultError) return { state: "not-told", fault: error.fault };
    throw error;
  } finally {
    await ledger.release(claim.lease.cluster, claim.lease.token);
  }
}
