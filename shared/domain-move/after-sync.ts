import { recheckAfterSync } from "../migration/define-step.ts";
import type { RunFacts, Verified } from "../steps/step.ts";
import type { DnsView } from "./dns-view.ts";
import { syncNotes } from "./notes.ts";

/** From a changed pod template to the first round of the new pod, and to change and servers. */
const rolloutMs = 60_000;

/** How long until every ExternalDNS that moves had a round, milliseconds. */
export const roundMs = ({ movers }: DnsView): number =>
  Math.max(60, ...movers.map(({ intervalSeconds }) => intervalSeconds)) * 1_000 + rolloutMs;

/** Looked at once more when ExternalDNS had its round, and whoever syncs theirs. */
export const recheckAfterRound = (
  view: DnsView,
  notes: RunFacts["notes"],
): Pick<Verified, "recheckAfterMs"> => ({
  recheckAfterMs: Math.max(roundMs(view), recheckAfterSync(syncNotes(notes)).recheckAfterMs ?? 0),
});
