import { isFault } from "#shared/fault.ts";

export type LogEntry = Readonly<{ event: string; level?: "info" | "warn" | "error" }> &
  Readonly<Record<string, unknown>>;
export type Log = (entry: LogEntry) => void;

const told = (_: string, value: unknown): unknown =>
  value instanceof Error ? { name: value.name, message: value.message } : value;

/** One JSON document a line, as metric filters read them. */
export const createLog =
  (name: string, requestId: string, write: (line: string) => void): Log =>
  ({ level = "info", ...entry }) =>
    write(`${JSON.stringify({ level, function: name, requestId, ...entry }, told)}\n`);

/** What went wrong, for a log. */
export const why = (value: unknown): string =>
  isFault(value) ? `${value.what}: ${value.detail}` : value instanceof Error ? value.message : String(value);
