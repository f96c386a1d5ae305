import type { AlertLog } from "#shared/alerts/alert-log.ts";
import {
  type AlertCase,
  type AlertsState,
  firingOf,
  openCases,
  type Storm,
} from "#shared/alerts/alert-state.ts";
import { firedBlocks, firesBeyond, newIncidentOf, nextForIncident } from "#shared/alerts/incident-of-case.ts";
import { stormKey, stormList, stormReply } from "#shared/alerts/storm-reply.ts";
import { findOrOpenIncident, readIncident, updateIncident } from "#shared/incidents/incident-log.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { text } from "#shared/text.ts";
import type { Deps } from "../commands/command.ts";
import type { AlertsConfig } from "../config-alerts.ts";
import { driveIncident } from "../incidents/drive.ts";
import { tellingIncident } from "../incidents/telling.ts";
import { faultWords } from "../runs/desk.ts";

export const tendAlertsEveryMs = 2_000;
/** How often it is looked whether somebody closed an incident of which nothing new was heard. */
const lookEveryMs = 5_000;
/** A storm's message changes no more often than this. */
const stormEveryMs = 5_000;
/** The list of a storm goes into its thread when it has so many, whenever they have doubled, and when it settles. */
const firstList = 20;
const settledMs = 15_000;
/** Diagnoses that run at once: each asks nodes and vantages. */
const atOnce = 3;

type Log = (entry: Readonly<Record<string, unknown>>) => void;

export type AlertTender = Readonly<{
  /** One round. Never rejects. */
  once: (signal: AbortSignal) => Promise<void>;
  /** Resolves when the diagnoses that it began have ended. */
  settled: () => Promise<void>;
}>;

/** Everything of a case that its incident has to hear of, as one word that changes when that does. */
const signature = (one: AlertCase): string =>
  `${one.closed?.why ?? ""} ${one.truncated} ${[...one.alerts.values()].map(({ alert, firing, times }) => `${alert.startsAt}${firing ? "+" : "-"}${times}`).join(" ")}`;

/**
 * Makes incidents of what alerts are about, keeps them up to date, closes what is over, and tells storms. It goes by the
 * ledger alone, so it takes up whatever another process left, and two at once open exactly one incident.
 */
export function createAlertTender(
  deps: Deps,
  ledger: Ledger,
  options: Readonly<{ alerts: AlertLog; config: AlertsConfig; log: Log }>,
): AlertTender {
  const { alerts, config, log } = options;
  const { clock, board } = deps;
  const place = config.channel === undefined ? undefined : { channel: config.channel };
  const heard = new Map<string, Readonly<{ at: number; incident: string; signature: string }>>();
  const shown = new Map<string, Readonly<{ at: number; said: string }>>();
  /** How many things the newest list of a storm has. */
  const listed = new Map<string, number>();
  const waiting: (() => Promise<unknown>)[] = [];
  const driving = new Set<Promise<unknown>>();

  const drive = (id: string, signal: AbortSignal): void => {
    waiting.push(() => driveIncident(deps, id, { signal, log }));
    const next = (): void => {
      const work = driving.size < atOnce ? waiting.shift() : undefined;
      if (work === undefined || signal.aborted) return;
      const done = work()
        .catch((error: unknown) => {
          log({
            level: "error",
            msg: "an incident of an alert could not be gone on with",
            id,
            error: faultWords(error),
          });
        })
        .finally(() => {
          driving.delete(done);
          next();
        });
      driving.add(done);
    };
    next();
  };

  const tellFired = async (one: AlertCase, incident: string, runbooks: readonly IncidentRunbook[]) => {
    const { blocks, said } = firedBlocks(
      one,
      runbooks.map(({ id }) => id),
    );
    await board?.note(`incident/${incident}`, `fired/${one.id}`, {
      verdict: { word: "FIRED", outcome: "info", text: said },
      cluster: one.cluster,
      findings: [],
      blocks,
      actions: [],
    });
  };

  /** Gives a case its incident: a new one, or the open one about the same thing; another one than it had. */
  const bind = async (one: AlertCase, runbooks: readonly IncidentRunbook[]): Promise<void> => {
    const { state } = await findOrOpenIncident(ledger, newIncidentOf(one, runbooks, config.channel));
    await alerts.change((now) => {
      const newest = now.cases.get(one.id);
      return newest === undefined || newest.incident !== one.incident
        ? undefined
        : { type: "bound", case: one.id, incident: state.id };
    });
  };

  /** Brings an incident up to what its case knows. */
  const hear = async (
    one: AlertCase,
    runbooks: readonly IncidentRunbook[],
    signal: AbortSignal,
  ): Promise<void> => {
    const { incident: id } = one;
    const now = signature(one);
    if (id === undefined) return;
    const last = heard.get(one.id);
    const before = last?.incident === id ? last : undefined;
    const isKnown = before?.signature === now;
    if (isKnown && (one.closed !== undefined || clock.now() - before.at < lookEveryMs)) return;
    const isFirst = before === undefined;
    const incident = await readIncident(ledger, id);
    if (incident === undefined) return;
    if (incident.closed !== undefined && one.closed === undefined) {
      if (firesBeyond(one, incident)) return bind(one, runbooks);
      await alerts.change((state) =>
        state.cases.get(one.id)?.closed === undefined
          ? { type: "closed", case: one.id, why: "person" }
          : undefined,
      );
      return;
    }
    heard.set(one.id, { at: clock.now(), incident: id, signature: before?.signature ?? "" });
    if (isKnown) return;
    let newest = incident;
    let changed = false;
    for (;;) {
      const updated = await updateIncident(ledger, id, clock.now, (state) => nextForIncident(one, state));
      newest = updated.state;
      if (!updated.written) break;
      changed = true;
      if (signal.aborted) return;
    }
    heard.set(one.id, { at: clock.now(), incident: id, signature: now });
    if (changed || (isFirst && one.closed === undefined)) await tellingIncident(deps).all(newest);
    if (isFirst && one.closed === undefined) {
      await tellFired(one, id, runbooks);
      drive(id, signal);
    }
  };

  /** What is over for long enough, or all of a storm that is calm. */
  const close = async (state: AlertsState): Promise<void> => {
    const isOver = (one: AlertCase | undefined): boolean =>
      one !== undefined &&
      one.closed === undefined &&
      one.quietSince !== undefined &&
      clock.now() - one.quietSince >= config.quietSeconds * 1_000;
    for (const { id } of openCases(state).filter(isOver))
      await alerts.change((now) =>
        isOver(now.cases.get(id)) ? { type: "closed", case: id, why: "resolved" } : undefined,
      );
  };

  const calm = async (state: AlertsState): Promise<void> => {
    const isCalm = ({ storm, storms }: AlertsState): string | undefined => {
      const one = storms.get(storm ?? "");
      return one !== undefined && clock.now() - one.lastAt >= config.storm.calmSeconds * 1_000
        ? one.id
        : undefined;
    };
    if (isCalm(state) === undefined) return;
    await alerts.change((now) => {
      const id = isCalm(now);
      if (id === undefined) return undefined;
      const firing = (now.storms.get(id)?.cases ?? []).filter((each) => {
        const one = now.cases.get(each);
        return one !== undefined && one.closed === undefined && firingOf(one).length > 0;
      });
      // So few that each can have its message after all.
      return { type: "calmed", storm: id, released: firing.length <= config.storm.over ? firing : [] };
    });
  };

  const tellStorm = async (storm: Storm, state: AlertsState): Promise<void> => {
    const cases = storm.cases.flatMap((id) => state.cases.get(id) ?? []);
    const last = shown.get(storm.id);
    if (cases.length === 0 || (last !== undefined && clock.now() - last.at < stormEveryMs)) return;
    const reply = stormReply(storm, cases, { calmSeconds: config.storm.calmSeconds });
    const said = JSON.stringify(reply);
    if (last?.said !== said) {
      shown.set(storm.id, { at: clock.now(), said });
      await board?.put(stormKey(storm.id), reply, place);
    }
    const before = listed.get(storm.id) ?? 0;
    const isSettled = clock.now() - storm.lastAt >= settledMs;
    const isDue = cases.length >= Math.max(firstList, before * 2) || (isSettled && cases.length > before);
    if (storm.calmedAt === undefined && !isDue) return;
    const list = storm.calmedAt === undefined ? String(cases.length) : "calm";
    listed.set(storm.id, cases.length);
    await board?.note(
      stormKey(storm.id),
      `list/${list}`,
      {
        verdict: {
          word: "LIST",
          outcome: "info",
          text: text`all ${cases.length} things of this storm${storm.calmedAt === undefined ? " so far" : ""}, with their labels`,
        },
        cluster: reply.cluster ?? "",
        findings: [],
        blocks: [],
        actions: [],
      },
      [{ name: `${storm.id}.txt`, text: stormList(storm, cases, clock.now()) }],
    );
  };

  /** An ended storm is told once a process; the board keeps it from being posted twice. */
  const isTold = ({ id, calmedAt }: Storm): boolean =>
    calmedAt !== undefined && shown.get(id)?.said.includes('"word":"OVER"') === true;

  /** What is wrong with one case is no reason to leave the others. */
  const safely = async (one: AlertCase, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log({
        level: "error",
        msg: "an alert could not be gone on with",
        case: one.id,
        title: one.title,
        error: faultWords(error),
      });
    }
  };

  const round = async (signal: AbortSignal): Promise<void> => {
    const state = await alerts.read();
    await calm(state);
    await close(state);
    for (const storm of [...state.storms.values()]) if (!isTold(storm)) await tellStorm(storm, state);
    const runbooks = (await deps.incidentRunbooks?.()) ?? [];
    for (const one of openCases(state)) {
      if (signal.aborted) return;
      if (one.storm === undefined && one.incident === undefined) await safely(one, () => bind(one, runbooks));
    }
    for (const one of [...state.cases.values()]) {
      if (signal.aborted) return;
      if (one.incident !== undefined) await safely(one, () => hear(one, runbooks, signal));
    }
  };

  return {
    once: async (signal) => {
      try {
        await round(signal);
      } catch (error) {
        log({ level: "error", msg: "alerts could not be gone on with", error: faultWords(error) });
      }
    },
    settled: async () => {
      while (driving.size > 0) await Promise.all(driving);
    },
  };
}
