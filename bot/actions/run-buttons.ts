import { readRun } from "#shared/runs/run-log.ts";
import { code, text } from "#shared/text.ts";
import { quoteWords } from "../quote-words.ts";
import type { Action, PressOutcome } from "./action.ts";
import { olderMessage } from "./older-message.ts";

/** `R-17`, or `R-17` and one more word: a digest or a step. Never words that were typed by anybody. */
const valueShape = /^(R-\d+)(?: ([a-z0-9-]+))?$/;

const older: PressOutcome = { reply: olderMessage(text`Where things stand: ${code("/migrate status")}`) };

/** A press becomes the words anybody could have typed, with the rights of whoever pressed. */
const button = (
  id: string,
  words: (run: string, other: string | undefined) => readonly string[] | undefined,
): Action => ({
  id,
  press: async ({ pressed, deps }) => {
    const [, run, other] = valueShape.exec(pressed.value) ?? [];
    const asked = run === undefined ? undefined : words(run, other);
    if (run === undefined || asked === undefined || deps.ledger === undefined) return older;
    const state = await readRun(deps.ledger, run);
    if (state === undefined) return older;
    return { words: quoteWords(["migrate", ...asked, "--cluster", state.cluster]) };
  },
});

export const runButtons: readonly Action[] = [
  button("run-approve", (run, digest) => (digest === undefined ? undefined : ["approve", run, digest])),
  button("run-hold", (run) => ["hold", run]),
  button("run-abort", (run) => ["abort", run]),
  button("run-retry", (run) => ["retry", run]),
  button("run-next", (run) => ["next", run]),
  button("run-done", (run) => ["done", run]),
  button("run-go-back", (run, step) =>
    step === undefined ? ["rollback", "--run", run] : ["rollback", step, "--run", run],
  ),
  button("run-evidence", (run) => ["status", run, "--evidence"]),
];
