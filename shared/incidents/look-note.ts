import type { Reply } from "../reply.ts";
import { utcTime } from "../runs/utc-time.ts";
import { text } from "../text.ts";
import { diagnosisReply } from "./diagnosis-reply.ts";
import { checkedCounts, checkedVerdict, incidentName } from "./incident-reply.ts";
import type { IncidentState, Looked, StepProgress } from "./incident-state.ts";

/** The thread's record of one look. */
export function lookNote(state: IncidentState, looked: Looked): Reply {
  const name = incidentName(state);
  const bare = { cluster: state.cluster, findings: [], blocks: [], actions: [] };
  if ("fault" in looked)
    return {
      ...bare,
      verdict: {
        word: "UNKNOWN",
        outcome: "unknown",
        text: text`look ${looked.number} at ${name}, ${utcTime(looked.at)}: ${looked.fault.what}: ${looked.fault.detail}`,
      },
    };
  const { diagnosis, cut } = looked;
  const { data: _, ...reply } = diagnosisReply(diagnosis, { cluster: state.cluster });
  return {
    ...reply,
    why: text`Look ${looked.number}, ${utcTime(looked.at)}. ${reply.why ?? []}${cut === undefined ? "" : ` Not all is kept: ${cut}.`}`,
  };
}

/** The thread's record of a step of checks. */
export function checksNote(state: Pick<IncidentState, "cluster">, step: StepProgress): Reply {
  const { checked } = step;
  const results = checked?.results ?? [];
  return {
    verdict: {
      ...(checked === undefined ? { word: "UNKNOWN", outcome: "unknown" } : checkedVerdict(checked)),
      text: text`${step.title}: ${checked === undefined ? "" : checkedCounts(checked)}`,
    },
    cluster: state.cluster,
    ...(checked?.fault !== undefined && { why: [`${checked.fault.what}: ${checked.fault.detail}`] }),
    findings: [],
    blocks:
      results.length === 0
        ? []
        : [
            {
              kind: "table",
              columns: [{ title: "is" }, { title: "check" }, { title: "about" }, { title: "because" }],
              rows: results.map(({ outcome, check, subject, because }) => [
                [outcome],
                [check],
                [subject.name],
                because,
              ]),
            },
          ],
    actions: [],
  };
}
