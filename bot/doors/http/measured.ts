import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { App, Asking } from "../../asking.ts";
import type { Command } from "../../commands/command.ts";
import { parseCommand, verbName } from "../../parse.ts";
import { splitWords } from "../../words.ts";
import type { Metrics } from "./metrics.ts";

/** The verb that words ask for: one of the command table's, or what became of words that name none. */
function verbOf(
  words: string,
  commands: readonly Command[],
  door: Parameters<typeof parseCommand>[2],
): string {
  const split = splitWords(words);
  if (!split.ok) return "not-understood";
  const parsed = parseCommand(split.words, commands, door);
  if ("verb" in parsed) return verbName(parsed.command, parsed.verb);
  return parsed.kind === "help" ? "help" : "not-understood";
}

/** The same app, counted: every answer once, when it is final. */
export function measuredApp<T extends App>(
  app: T,
  options: Readonly<{
    metrics: Pick<Metrics, "asked">;
    clock: Clock;
    commands: readonly Command[];
    /** Ids of the buttons there are. */
    actions: readonly string[];
  }>,
): T {
  const { metrics, clock, commands } = options;
  const counted = async (command: string, door: string, asking: Promise<Asking>): Promise<Asking> => {
    const began = clock.now();
    const end = (outcome: Parameters<Metrics["asked"]>[2]): void =>
      metrics.asked(command, door, outcome, clock.now() - began);
    const answer = await asking;
    if (answer.kind === "answer") {
      end(answer.reply.verdict.outcome);
      return answer;
    }
    const { job } = answer;
    return {
      kind: "job",
      job: {
        ...job,
        run: async (show, signal) => {
          const reply = await job.run(show, signal);
          end(reply.verdict.outcome);
          return reply;
        },
      },
    };
  };
  return {
    ...app,
    ask: (asked) => counted(verbOf(asked.words, commands, asked.door), asked.door, app.ask(asked)),
    press: (pressed) =>
      counted(
        options.actions.includes(pressed.action) ? `button ${pressed.action}` : "button of an older message",
        pressed.door,
        app.press(pressed),
      ),
  };
}

/** The same ledger; calls that fail are counted. */
export function measuredLedger(ledger: Ledger, failed: (operation: string) => void): Ledger {
  const counting =
    <A extends readonly unknown[], R>(operation: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await call(...args);
      } catch (error) {
        if (error instanceof FaultError) failed(operation);
        throw error;
      }
    };
  return {
    ...ledger,
    read: counting("read", ledger.read),
    append: counting("append", ledger.append),
    list: counting("list", ledger.list),
    lease: counting("lease", ledger.lease),
    release: counting("release", ledger.release),
  };
}
