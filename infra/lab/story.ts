import type { Asking } from "#bot/asking.ts";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { createConsoleBoard } from "#bot/doors/console-board.ts";
import { tendOnce } from "#bot/runs/resume-runs.ts";
import type { Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { nextMove } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";
import { twoPeople, twoPeopleOn } from "./two-people.ts";

export type Who = "operator" | "approver";

/** What people do in a run, and what they then read; on a clock that stands still between. */
export type Story = Readonly<{
  twin: Twin;
  clock: VirtualClock;
  /** The answer to the one who typed. */
  type: (who: Who, words: string) => Promise<Reply>;
  /** Presses a button of the run's message by its label. */
  press: (who: Who, label: string) => Promise<Reply>;
  /** Lets the bot go on by itself for as long as only time is waited for. */
  wait: () => Promise<void>;
  /** The run's message as it stands. */
  message: () => Reply;
  /** What came into the thread since it was asked last. */
  thread: () => readonly Reply[];
  run: () => Promise<RunState>;
}>;

const minutesToRead = 2;

export async function tellStory(
  spec: SiteSpec,
  began: number,
  around?: (ports: ClusterPorts) => ClusterPorts,
): Promise<Story> {
  // A visit to a node is a long chain of awaits: all of it runs before time moves on.
  const clock = createVirtualClock(began, () => new Promise((resolve) => setImmediate(resolve)));
  const board = createConsoleBoard();
  const messages = new Map<string, Reply>();
  let fresh: Reply[] = [];
  board.watch((news) => {
    if (news.kind === "message") messages.set(news.key, news.reply);
    else fresh.push(news.reply);
  });
  const { twin, app, deps, ledger } = twoPeopleOn(spec, clock, () => board, around);
  await clock.advance(60_000);
  const { signal } = new AbortController();
  const settle = async (asking: Asking): Promise<Reply> =>
    asking.kind === "answer" ? asking.reply : asking.job.run(() => {}, signal);
  const as = (name: Who) => {
    const person = twoPeople.find((one) => one.name === name);
    return { door: "slack" as const, person, account: person?.slack ?? name, channel: "C0PLATFORM" };
  };
  const patiently = <T>(work: Promise<T>): Promise<T> => clock.runUntil(work, 24 * 3_600_000);
  const run = async (): Promise<RunState> => {
    const state = await lastRun(ledger, "goldentooth");
    if (state === undefined) throw new Error("nothing ran");
    return state;
  };
  const message = (): Reply => {
    const standing = [...messages].findLast(([key]) => key.startsWith("run/"));
    if (standing === undefined) throw new Error("no message of a run");
    return standing[1];
  };
  return {
    twin,
    clock,
    run,
    message,
    type: async (who, words) => {
      await clock.advance(minutesToRead * 60_000);
      return patiently(app.ask({ ...as(who), words }).then(settle));
    },
    press: async (who, label) => {
      await clock.advance(minutesToRead * 60_000);
      const button = message().actions.find((one) => one.label === label);
      if (button === undefined)
        throw new Error(`no button ${label}: ${renderTerminal(message(), { columns: 100, colour: false })}`);
      return patiently(app.press({ ...as(who), action: button.id, value: button.value }).then(settle));
    },
    wait: async () => {
      for (let turn = 0; turn < 50; turn++) {
        const move = nextMove(await run(), clock.now());
        if (move.do !== "wait-for-time") return;
        await clock.advance(move.until - clock.now() + 1);
        await patiently(tendOnce(deps, { signal, log: () => {} }));
      }
      throw new Error("time alone does not bring it on");
    },
    thread: () => {
      const news = fresh;
      fresh = [];
      return news;
    },
  };
}
