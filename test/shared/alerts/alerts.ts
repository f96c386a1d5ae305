import type { Alert, Delivery } from "#shared/alerts/alert.ts";
import type { Routed } from "#shared/alerts/routes.ts";

export const began = Date.UTC(2026, 10, 23, 3, 12, 0);

/** An alert about `what`; the same word is the same fingerprint. */
export const alertOf = (what: string, more: Partial<Alert> = {}): Alert => ({
  fingerprint: `f-${what}`,
  status: "firing",
  labels: { alertname: "ServiceDown", service: what, severity: "critical" },
  annotations: {},
  startsAt: began - 60_000,
  ...more,
});

export const deliveryOf = (alerts: readonly Alert[], more: Partial<Delivery> = {}): Delivery => ({
  receiver: "arpeggio",
  groupKey: '{}:{alertname="ServiceDown"}',
  truncated: 0,
  alerts,
  ...more,
});

/** Everything with a label `service` is about that service; the rest is mapped nowhere. */
export const byService = ({ labels }: Alert): Routed =>
  labels.service === undefined
    ? { kind: "unmapped", cluster: "goldentooth", why: ["No route of the config maps it to a runbook."] }
    : { kind: "mapped", cluster: "goldentooth", runbook: "service-unreachable", subject: labels.service };

export const calm = { over: 5, withinSeconds: 60, calmSeconds: 300 };
