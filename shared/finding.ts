import type { Json } from "./json.ts";
import type { Text } from "./text.ts";

/** `unknown` means "we could not look" and is never ranked as fine; `warning` and worse make a command exit with 1. */
export type Severity = "info" | "unknown" | "warning" | "error" | "critical";

export type Subject = Readonly<{
  kind:
    | "cluster"
    | "node"
    | "nic"
    | "address"
    | "service"
    | "pool"
    | "name"
    | "zone"
    | "record"
    | "vantage"
    | "config"
    | "person";
  /** For a NIC `karstark/wlan0`, for a Service `namespace/name`. */
  name: string;
}>;

/** Something worth telling a person. Codes are stable, documented under `docs/`, and never reused. */
export type Finding = Readonly<{
  code: string;
  severity: Severity;
  subject: Subject;
  facts: Readonly<Record<string, Json>>;
  text: Text;
  remedy?: Text;
}>;

export type NonEmpty<T> = readonly [T, ...T[]];

const order: readonly Severity[] = ["info", "unknown", "warning", "error", "critical"];

/** Worst first: failures before what we could not look at, and that before remarks. */
export const bySeverity = (a: Finding, b: Finding): number =>
  order.indexOf(b.severity) - order.indexOf(a.severity);

export const isFailure = (finding: Finding): boolean =>
  order.indexOf(finding.severity) >= order.indexOf("warning");
