import type { IncidentState } from "#shared/incidents/incident-state.ts";

/** What people type, and what it must have come to, whatever they had to type again. */
export const goals: readonly Readonly<{ words: string; isDone: (state: IncidentState) => boolean }>[] = [
  { words: "runbook run toy-unreachable httpbin", isDone: ({ looks }) => looks > 0 },
  {
    words: 'runbook done I-1 --said "restarted the pods"',
    isDone: ({ steps }) => steps.every(({ status }) => status === "done"),
  },
  { words: "runbook handover I-1 @oscar", isDone: ({ owner }) => owner?.name === "oscar" },
  { words: 'runbook close I-1 --reason "pods are back"', isDone: ({ closed }) => closed !== undefined },
];
