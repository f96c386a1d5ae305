import { type Alert, alertName, type Delivery } from "./alert.ts";
import type { Opening, Received } from "./alert-events.ts";
import type { AlertsState, KnownAlert } from "./alert-state.ts";
import type { Routed } from "./routes.ts";

/** When new things are too many for a message each. */
export type StormLimits = Readonly<{
  /** So many within `withinSeconds` get messages of their own; what comes beyond is listed in one. */
  over: number;
  withinSeconds: number;
  /** A storm is over when nothing new came for so long. */
  calmSeconds: number;
}>;

export type DecideOptions = Readonly<{
  route: (alert: Alert) => Routed;
  limits: StormLimits;
  /** Milliseconds since the epoch. */
  now: number;
  /** Names new cases and storms: unique for the event that is going to be written. */
  idPrefix: string;
}>;

/** What became of the alerts of one decision, for the answer and for metrics. */
export type Counts = Readonly<{
  /** Fired for the first time, or again after they were resolved. */
  firing: number;
  resolved: number;
  /** Known as they are. */
  again: number;
  malformed: number;
  /** Cases that a storm took in. */
  folded: number;
  opened: number;
}>;

export type Decided = Readonly<{ event: Received; counts: Counts; isNews: boolean }>;

type Verdict = "again" | "join" | "resolve" | "nothing";

function judge(alert: Alert, known: Readonly<{ one: KnownAlert; isOpen: boolean }> | undefined): Verdict {
  if (alert.status === "resolved") {
    if (known === undefined || !known.one.firing || alert.startsAt < known.one.alert.startsAt)
      return "nothing";
    return "resolve";
  }
  if (known === undefined) return "join";
  const { one, isOpen } = known;
  // Told late, after what came of it.
  if (alert.startsAt < one.alert.startsAt) return "again";
  if (one.firing && alert.startsAt === one.alert.startsAt) return "again";
  // Somebody closed it while it fired: the same firing is no news, a later one is.
  if (!isOpen && one.firing) return alert.startsAt === one.alert.startsAt ? "again" : "join";
  return "join";
}

/** Length in JSON of what is kept of a group key in a title. */
const groupChars = 60;

function openingOf(alert: Alert, routed: Routed, groupKey: string): Omit<Opening, "id" | "storm"> {
  if (routed.kind === "mapped") {
    const { cluster, runbook, subject } = routed;
    return {
      key: JSON.stringify(["runbook", cluster, runbook, subject]),
      cluster,
      runbook,
      subject,
      title: subject === null ? runbook : `${runbook} ${subject}`,
    };
  }
  const name = alertName(alert);
  return {
    key: JSON.stringify(["group", routed.cluster, groupKey]),
    cluster: routed.cluster,
    runbook: null,
    subject: null,
    title: name.length > groupChars ? `${name.slice(0, groupChars)}…` : name,
    why: routed.why,
  };
}

/**
 * What a batch of deliveries changes: which alerts are new, resolved or known, what they are about, and whether a storm
 * takes that in. The state is only read. Nothing of a delivery is left out: what changes nothing is counted.
 */
export function decideReceived(
  state: AlertsState,
  deliveries: readonly Delivery[],
  options: DecideOptions,
): Decided {
  const { route, limits, now, idPrefix } = options;
  const opened: Opening[] = [];
  const alerts: Received["alerts"] = [];
  const again: string[] = [];
  const truncated = new Map<string, number>();
  const counts = { firing: 0, resolved: 0, again: 0, malformed: 0, folded: 0, opened: 0 };

  // What this very event does, before it is written.
  const newest = new Map<string, KnownAlert & Readonly<{ id: string | null }>>();
  const openNow = new Map<string, string>();
  let storm = state.storm;
  const since = now - limits.withinSeconds * 1_000;
  const recent = state.openings.filter((at) => at > since);

  const knownOf = (fingerprint: string) => {
    const mine = newest.get(fingerprint);
    if (mine !== undefined) return { one: mine, isOpen: mine.id !== null };
    const id = state.byFingerprint.get(fingerprint);
    const one = state.cases.get(id ?? "");
    const known = one?.alerts.get(fingerprint);
    return one === undefined || known === undefined
      ? undefined
      : { one: known, isOpen: one.closed === undefined };
  };
  const caseOf = (fingerprint: string): string | undefined =>
    newest.get(fingerprint)?.id ?? state.byFingerprint.get(fingerprint);

  const openCase = (wanted: Omit<Opening, "id" | "storm">): string => {
    const known = openNow.get(wanted.key) ?? state.open.get(wanted.key);
    if (known !== undefined) return known;
    const id = `${idPrefix}.${opened.length + 1}`;
    if (storm === undefined && recent.length >= limits.over) storm = `S-${idPrefix}`;
    if (storm === undefined) recent.push(now);
    else counts.folded += 1;
    opened.push({ id, ...wanted, ...(storm !== undefined && { storm }) });
    openNow.set(wanted.key, id);
    counts.opened += 1;
    return id;
  };

  /** The case that the alert goes on with: its own while that is open, else the open one about the same thing. */
  const joined = (alert: Alert, groupKey: string): string => {
    const own = newest.get(alert.fingerprint)?.id ?? state.byFingerprint.get(alert.fingerprint);
    const isOpen = own !== undefined && state.cases.get(own)?.closed === undefined;
    if (own !== undefined && isOpen) return own;
    return openCase(openingOf(alert, route(alert), groupKey));
  };

  for (const { groupKey, alerts: told, truncated: left } of deliveries) {
    let last: string | undefined;
    for (const alert of told) {
      const verdict = judge(alert, knownOf(alert.fingerprint));
      if (alert.malformed !== undefined) counts.malformed += 1;
      if (verdict === "again") {
        again.push(alert.fingerprint);
        counts.again += 1;
        last = caseOf(alert.fingerprint) ?? last;
        continue;
      }
      if (verdict === "nothing") {
        const isKnown = knownOf(alert.fingerprint) !== undefined;
        counts.again += 1;
        // The end of something that we never heard of is written down once, and told to nobody.
        if (isKnown) continue;
        newest.set(alert.fingerprint, {
          alert,
          groupKey,
          firing: false,
          times: 0,
          firstAt: now,
          lastAt: now,
          id: null,
        });
        alerts.push({ alert, groupKey, case: null });
        continue;
      }
      const id = verdict === "resolve" ? (caseOf(alert.fingerprint) ?? null) : joined(alert, groupKey);
      counts[verdict === "resolve" ? "resolved" : "firing"] += 1;
      newest.set(alert.fingerprint, {
        alert,
        groupKey,
        firing: alert.status === "firing",
        times: 1,
        firstAt: now,
        lastAt: now,
        id,
      });
      alerts.push({ alert, groupKey, case: id });
      if (id !== null) last = id;
    }
    if (left > 0) {
      const id = last ?? openCase(openingOf(groupAlert, groupLeft(groupKey), groupKey));
      truncated.set(id, Math.max(truncated.get(id) ?? 0, left));
    }
  }
  const event: Received = {
    type: "received",
    opened,
    alerts,
    again,
    truncated: [...truncated].map(([id, count]) => ({ case: id, count })),
    ...(storm !== undefined && opened.some((one) => one.storm === storm) && { storm }),
  };
  return { event, counts, isNews: alerts.length + again.length + truncated.size > 0 };
}

/** Stands for a group of which every alert was left out. */
const groupAlert: Alert = {
  fingerprint: "left-out",
  status: "firing",
  labels: { alertname: "alerts that were left out" },
  annotations: {},
  startsAt: 0,
};

const groupLeft = (groupKey: string): Routed => ({
  kind: "unmapped",
  cluster: "unnamed cluster",
  why: [`Alertmanager left out every alert of the group ${groupKey.slice(0, 200)}.`],
});
