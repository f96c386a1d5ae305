import { actsOf } from "#shared/incidents/acts.ts";
import { incidentKey, readIncident } from "#shared/incidents/incident-log.ts";
import type { IncidentState } from "#shared/incidents/incident-state.ts";
import { code, text } from "#shared/text.ts";
import { clusterOf } from "../about.ts";
import { quoteWords } from "../quote-words.ts";
import { splitWords } from "../words.ts";
import type { Action, PressOutcome } from "./action.ts";
import { olderMessage } from "./older-message.ts";

/** `I-7`, or `I-7 3 1`: of the third look the first act. Never words that were typed by anybody. */
const valueShape = /^(I-\d+)(?: (\d+) (\d+))?$/;

const older = (next = "/runbook status"): PressOutcome => ({
  reply: olderMessage(text`Where things stand: ${code(next)}`),
});

type Asked = Readonly<{ look: number; act: number }>;

/** A press becomes the words anybody could have typed, with the rights of whoever pressed. */
const button = (
  id: string,
  words: (state: IncidentState, asked: Asked) => readonly string[] | undefined,
): Action => ({
  id,
  press: async ({ pressed, deps }) => {
    const [, incident, look, act] = valueShape.exec(pressed.value) ?? [];
    if (incident === undefined || deps.ledger === undefined) return older();
    const state = await readIncident(deps.ledger, incident);
    const asked = state && words(state, { look: Number(look), act: Number(act) });
    if (state === undefined || asked === undefined) return older(`/runbook status ${incident}`);
    const about = incidentKey(incident);
    const cluster = (await clusterOf(deps, about)) ?? state.cluster;
    return { words: quoteWords([...asked, "--cluster", cluster]), about };
  },
});

export const incidentButtons: readonly Action[] = [
  button("incident-diagnose", ({ id }) => ["runbook", "diagnose", id]),
  button("incident-take", ({ id }) => ["runbook", "take", id]),
  button("incident-close", ({ id }) => ["runbook", "close", id, "--reason", "by the button"]),
  button("incident-reopen", ({ id }) => ["runbook", "reopen", id]),
  // What one diagnosis proposed is not done on behalf of a newer one.
  button("incident-act", (state, { look, act }) => {
    const proposed = state.looks === look ? actsOf(state).find(({ number }) => number === act) : undefined;
    const split = proposed === undefined ? undefined : splitWords(proposed.words);
    return split?.ok ? split.words : undefined;
  }),
];
