/** One alert as Alertmanager tells it; times in milliseconds since the epoch, by Alertmanager's clock. */
export type Alert = Readonly<{
  /** Alertmanager's hash of the labels: the same thing has the same one, whenever it fires. */
  fingerprint: string;
  status: "firing" | "resolved";
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  startsAt: number;
  /** Of a resolved one, when Alertmanager gave a time. */
  endsAt?: number;
  generatorUrl?: string;
  /** What is wrong with it; it then holds what could be read. Such a one never counts as resolved. */
  malformed?: string;
}>;

/** What one POST of Alertmanager's webhook says. */
export type Delivery = Readonly<{
  receiver: string;
  /** Identifies the group in Alertmanager: the route and the labels it groups by. */
  groupKey: string;
  externalUrl?: string;
  /** Alerts of the group that Alertmanager left out (`max_alerts`). */
  truncated: number;
  alerts: readonly Alert[];
}>;

export const alertName = ({ labels }: Pick<Alert, "labels">): string =>
  labels.alertname ?? "alert without a name";

/** The field's convention is the label `severity`. */
export const alertSeverity = ({ labels }: Pick<Alert, "labels">): string => labels.severity ?? "none";
