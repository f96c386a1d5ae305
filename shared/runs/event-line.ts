import { plain, type Text } from "../text.ts";
import type { Recorded } from "./run-events.ts";
import { utcDateTime } from "./utc-time.ts";

/** What happened, and who did it, without its time: "approved  canary  by approver". */
export function eventWords({ event }: Pick<Recorded, "event">): string {
  const facts = Object.entries(event).flatMap(([key, value]) => {
    if (key === "type" || key === "plan" || key === "token" || key === "steps" || key === "findings")
      return [];
    if (key === "digest" && typeof value === "string") return [`digest ${value.slice(0, 12)}`];
    if (key === "until" || key === "recheckAt") return [`${key} ${utcDateTime(Number(value))}`];
    if (key === "text" || key === "because" || key === "next")
      return [
        `${key === "text" ? "" : `${key}: `}${Array.isArray(value) ? plain(value as Text) : String(value)}`,
      ];
    if (key === "facts" || key === "notes" || key === "inputs" || key === "replaces")
      return [`${key} ${JSON.stringify(value)}`];
    return value === null
      ? []
      : [key === "step" || key === "deed" ? String(value) : `${key} ${String(value)}`];
  });
  return `${event.type}  ${facts.join("  ")}`.trimEnd();
}

/** One event as a line of the record. */
export const eventLine = (recorded: Recorded): string =>
  `${new Date(recorded.at).toISOString().slice(0, 19)}Z  ${eventWords(recorded)}`;
