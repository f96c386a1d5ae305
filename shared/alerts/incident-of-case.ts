import { aboutKey } from "../incidents/about-key.ts";
import {
  alertmanager,
  type AlertEvent as IncidentAlertEvent,
  type IncidentEvent,
} from "../incidents/incident-events.ts";
import type { NewIncident } from "../incidents/incident-log.ts";
import { type AlertOfIncident, firingAlerts, type IncidentState } from "../incidents/incident-state.ts";
import type { IncidentRunbook } from "../incidents/runbook.ts";
import { counted } from "../report/wording.ts";
import { code, join, type Text, text } from "../text.ts";
import { alertName } from "./alert.ts";
import { type AlertCase, firingOf, type KnownAlert } from "./alert-state.ts";

/** The runbook of what no route maps: a person looks. */
export const unmappedRunbook = "unmapped-alert";

const yamlWord = (value: string): string =>
  /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(value) ? value : JSON.stringify(value);

/** Labels that say what an alert is about, likeliest first. */
const likelySubjects = ["service", "node", "zone", "name", "hostname", "instance"];

/** The lines to put into the config so that such an alert starts a runbook. */
export function mappingLines(
  alert: Readonly<{ labels: Readonly<Record<string, string>> }>,
  runbooks: readonly string[],
): readonly string[] {
  const subject =
    likelySubjects.find((label) => alert.labels[label] !== undefined) ??
    Object.keys(alert.labels).find((label) => !["alertname", "severity", "cluster"].includes(label));
  return [
    "alerts:",
    "  routes:",
    `    - match: { alertname: ${yamlWord(alert.labels.alertname ?? "NAME")} }`,
    `      runbook: RUNBOOK    # ${runbooks.join(", ")}`,
    `      subject: ${subject ?? "LABEL"}`,
  ];
}

const unmappedSteps = (one: AlertCase): NewIncident["steps"] => {
  const [first] = one.alerts.values();
  const summary = first?.alert.annotations.summary ?? first?.alert.annotations.description;
  const instruction: Text = text`${one.why ?? ["No route of the config maps it to a runbook."]} ${
    summary === undefined ? [] : text`It says: ${summary.slice(0, 300)}. `
  }Look at it yourselves; its labels and how to map it are in the thread.`;
  return [{ id: "look", title: "Look at what fired", kind: "manual", instruction: [...instruction] }];
};

/** The incident that a case becomes. */
export function newIncidentOf(
  one: AlertCase,
  runbooks: readonly IncidentRunbook[],
  channel: string | undefined,
): NewIncident {
  const [first] = one.alerts.values();
  const runbook = runbooks.find(({ id }) => id === one.runbook);
  const steps =
    runbook === undefined
      ? unmappedSteps(one)
      : runbook.steps.map((step) => JSON.parse(JSON.stringify(step)) as NewIncident["steps"][number]);
  return {
    cluster: one.cluster,
    runbook: runbook?.id ?? unmappedRunbook,
    subject: runbook === undefined ? one.title : one.subject,
    title: runbook?.title ?? one.title,
    by: { alertGroup: first?.groupKey.slice(0, 500) || "alerts" },
    key: runbook === undefined ? `case/${one.id}` : aboutKey(runbook.id, one.subject),
    ...(channel !== undefined && { channel }),
    steps,
  };
}

const said = ({ alert, groupKey, times }: KnownAlert): Omit<IncidentAlertEvent, "type" | "endsAt"> => ({
  group: groupKey.slice(0, 500) || "alerts",
  fingerprint: alert.fingerprint,
  name: alertName(alert),
  severity: alert.labels.severity ?? "",
  labels: { ...alert.labels },
  annotations: { ...alert.annotations },
  startsAt: alert.startsAt,
  times: Math.max(1, times),
});

const lasted = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;

const isSame = (known: KnownAlert, there: AlertOfIncident): boolean =>
  there.firing === known.firing &&
  there.startsAt === known.alert.startsAt &&
  there.times === Math.max(1, known.times);

/**
 * Whether something fires that nobody meant by closing the incident: it was closed because other alerts were over, or by
 * a person before this was in it.
 */
export const firesBeyond = (one: AlertCase, { closed, alerts }: IncidentState): boolean =>
  firingOf(one).some(
    ({ alert }) =>
      closed?.by === undefined ||
      !alerts.some(
        ({ fingerprint, startsAt }) => fingerprint === alert.fingerprint && startsAt === alert.startsAt,
      ),
  );

/** The next event that the incident lacks of what its case knows; undefined when it has everything. */
export function nextForIncident(one: AlertCase, incident: IncidentState): IncidentEvent | undefined {
  if (incident.closed !== undefined) return undefined;
  for (const known of one.alerts.values()) {
    const there = incident.alerts.find(({ fingerprint }) => fingerprint === known.alert.fingerprint);
    // What fired anew belongs to a later case, which may have told it here first.
    if (there !== undefined && (isSame(known, there) || there.startsAt > known.alert.startsAt)) continue;
    return known.firing
      ? { type: "alert-firing", ...said(known) }
      : { type: "alert-resolved", ...said(known), endsAt: known.alert.endsAt ?? known.lastAt };
  }
  if (one.truncated > 0) {
    const left = `${counted(one.truncated, "further alert")} of this group ${one.truncated === 1 ? "was" : "were"} left out (max_alerts); Alertmanager's own page lists them`;
    if (!incident.notes.some((note) => note.by === alertmanager && note.text === left))
      return { type: "noted", by: alertmanager, text: left };
  }
  const { reopened } = incident;
  const isBefore = reopened !== undefined && one.closed !== undefined && one.closed.at <= reopened.at;
  if (one.closed?.why === "resolved" && !isBefore && firingAlerts(incident).length === 0) {
    const over = `${one.alerts.size === 1 ? "its alert is" : `all ${one.alerts.size} alerts are`} resolved, and nothing fired for ${lasted(one.closed.at - (one.quietSince ?? one.closed.at))}`;
    const by = reopened?.by ?? ("person" in incident.openedBy ? incident.openedBy.person : undefined);
    if (by === undefined) return { type: "closed", reason: over };
    // Whoever opened it by hand had a reason that alerts know nothing of.
    const stays = `${over}; it stays open, for ${by} opened it`;
    if (!incident.notes.some((note) => note.by === alertmanager && note.text === stays))
      return { type: "noted", by: alertmanager, text: stays };
  }
  return undefined;
}

/** The note in the thread that says what fired, word by word. */
export function firedBlocks(one: AlertCase, runbooks: readonly string[]) {
  const shown = [...one.alerts.values()].slice(0, 3);
  const more = one.alerts.size - shown.length;
  const lines = (words: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(words).map(([name, value]) => `${name}: ${value}`);
  const first = shown[0];
  return {
    blocks: [
      ...shown.map(({ alert }) => ({
        kind: "evidence" as const,
        title: `${alertName(alert)}, its labels and annotations`,
        lines: [
          ...lines(alert.labels),
          ...lines(alert.annotations),
          ...(alert.generatorUrl ? [alert.generatorUrl] : []),
        ],
      })),
      ...(one.runbook === null && first !== undefined
        ? [
            {
              kind: "evidence" as const,
              title: "to map it, in the config",
              lines: mappingLines(first.alert, runbooks),
            },
          ]
        : []),
    ],
    said: text`${join(
      shown.map(({ alert }) => code(alertName(alert))),
      ", ",
    )}${more > 0 ? ` and ${counted(more, "further alert")}` : ""}`,
  };
}
