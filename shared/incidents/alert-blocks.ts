import type { Block } from "../reply.ts";
import { counted } from "../report/wording.ts";
import { utcTime } from "../runs/utc-time.ts";
import { join, strike, strong, type Text, text } from "../text.ts";
import { type AlertOfIncident, firingAlerts, type IncidentState } from "./incident-state.ts";

const mostAlerts = 5;

/** Names and severities are whatever somebody wrote in a rule. */
const short = (words: string, most: number): string =>
  words.length > most ? `${words.slice(0, most)}…` : words;

const alertLine = ({ name, severity, startsAt, times }: AlertOfIncident): Text =>
  // What came without a readable start has none.
  text`${strong(short(name, 80))}${severity === "" ? "" : ` (${short(severity, 20)})`}${startsAt > 0 ? ` since ${utcTime(startsAt)}` : ""}${times > 1 ? `, reported ${times} times` : ""}`;

const endedLine = ({ name, endsAt, heardAt }: AlertOfIncident): Text =>
  text`${strike(short(name, 80))} until ${utcTime(endsAt ?? heardAt)}`;

const line = (words: string, lines: readonly Text[], more: number): Block => ({
  kind: "prose",
  text: text`${words} ${join(lines, "; ")}${more > 0 ? `; and ${more} more` : ""}`,
});

/** The alerts of an incident: what fires, and what no longer does, struck through. */
export function alertBlocks(state: Pick<IncidentState, "alerts">): readonly Block[] {
  if (state.alerts.length === 0) return [];
  const firing = firingAlerts(state as IncidentState);
  const over = state.alerts
    .filter((one) => !one.firing)
    .toSorted((a, b) => (b.endsAt ?? b.heardAt) - (a.endsAt ?? a.heardAt));
  const blocks: Block[] = [];
  if (firing.length > 0)
    blocks.push(
      line("Firing:", firing.slice(0, mostAlerts).map(alertLine), Math.max(0, firing.length - mostAlerts)),
    );
  const [last] = over;
  if (last !== undefined)
    blocks.push(
      line(
        firing.length === 0
          ? `No alert is firing, ${counted(over.length, "alert")} resolved:`
          : `${over.length} resolved:`,
        over.slice(0, mostAlerts).map(endedLine),
        Math.max(0, over.length - mostAlerts),
      ),
    );
  return blocks;
}
