import { slackCommands } from "#bot/commands/all.ts";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { createWishes, type Wishes } from "#bot/doors/slack/board.ts";
import { usualPace } from "#bot/doors/slack/pace.ts";
import { threadWords } from "#bot/doors/slack/thread-words.ts";
import { startSlackDoor } from "#bot/doors/slack.ts";
import { secret } from "#bot/environment.ts";
import { tendOnce } from "#bot/runs/resume-runs.ts";
import { nextMove } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";
import { watchLoopback } from "./loopback-traffic.ts";
import type { Message } from "./slack/message.ts";
import { type SlackWorkspace, startSlackWorkspace } from "./slack/workspace.ts";
import { twoPeople, twoPeopleOn } from "./two-people.ts";

/** Two people of the config, and somebody of the channel who is not in it. */
export type Who = "operator" | "approver" | "viewer";

/** What two people do in Slack, and what they then read there; nothing but their doings takes time of the machine. */
export type SlackStory = Readonly<{
  twin: Twin;
  clock: VirtualClock;
  workspace: SlackWorkspace;
  run: () => Promise<RunState>;
  /** Each comes to rest before it resolves: what goes on by itself has gone on, and Slack shows it. */
  type: (who: Who, words: string) => Promise<void>;
  mention: (who: Who, words: string) => Promise<void>;
  /** A button of the run's message, as it stands or as somebody still has it on the screen. */
  press: (who: Who, label: string, on?: Message) => Promise<void>;
  /** The run's message as it stands. */
  message: () => Message;
  /** What came into the run's thread since it was asked last. */
  thread: () => readonly Message[];
  /** What else was said since it was asked last: to one person alone, or in the channel. */
  said: () => readonly Message[];
  read: (message: Message) => string;
  close: () => Promise<void>;
}>;

const channel = "C0PLATFORM";
const minutesToRead = 2;
const dayMs = 24 * 3_600_000;

/** Signed HTTP on loopback, a strict workspace, two people and the bot, on a clock that stands still between. */
export async function tellInSlack(
  spec: SiteSpec,
  began: number,
  around?: (ports: ClusterPorts) => ClusterPorts,
): Promise<SlackStory> {
  let botPort: number | undefined;
  const traffic = watchLoopback(() => botPort);
  const clock = createVirtualClock(began, traffic.settle);
  const patiently = <T>(work: Promise<T>): Promise<T> => clock.runUntil(work, dayMs);
  const workspace = await startSlackWorkspace({ clock });
  let wishes: Wishes | undefined;
  const { twin, app, deps, ledger } = twoPeopleOn(
    spec,
    clock,
    (kept) => {
      wishes = createWishes({ ledger: kept, clock, log: () => {} });
      return wishes.board;
    },
    around,
  );
  await clock.advance(60_000);
  const { app: slackApp, team } = workspace.spec;
  // Libraries are loaded here, which takes the machine's time and none of the clock's.
  const door = await startSlackDoor({
    app,
    slack: {
      botToken: secret(slackApp.botToken),
      signingSecret: secret(slackApp.signingSecret),
      port: 0,
      host: "127.0.0.1",
      apiUrl: workspace.apiUrl,
      team: team.id,
      prefix: "",
      commands: slackCommands().map(({ name }) => name),
      groups: [],
      channels: [],
      reportChannel: channel,
    },
    ledger,
    ...(wishes === undefined ? {} : { wishes }),
    threads: threadWords(slackCommands()),
    people: (id) => twoPeople.find(({ slack }) => slack === id),
    clock,
    log: () => {},
    owner: "bot",
    pace: usualPace,
  });
  if (door.requestUrl === undefined) throw new Error("the door has no request URL");
  botPort = Number(new URL(door.requestUrl).port);
  workspace.setRequestUrl(door.requestUrl);
  const { signal } = new AbortController();

  const run = async (): Promise<RunState> => {
    const state = await lastRun(ledger, "goldentooth");
    if (state === undefined) throw new Error("nothing ran");
    return state;
  };
  const rest = async (): Promise<void> => {
    for (let turn = 0; turn < 10_000; turn++) {
      const state = await lastRun(ledger, "goldentooth");
      const move = state && nextMove(state, clock.now());
      const waitsForPerson =
        move === undefined || move.do === "wait-for-person" || state?.ended !== undefined;
      if (waitsForPerson) return clock.advance(minutesToRead * 60_000);
      await clock.advance(move.do === "wait-for-time" ? Math.max(1, move.until - clock.now() + 1) : 5_000);
      // A bot looks every few seconds; only the look after the time matters, and looking costs the machine's.
      if (move.do === "wait-for-time") await patiently(tendOnce(deps, { signal, log: () => {} }));
    }
    throw new Error("it never rests");
  };
  const read = (message: Message): string => workspace.renderText(message);
  const isRun = (message: Message): boolean =>
    message.botId !== undefined && message.threadTs === undefined && /^R-\d+ · /m.test(read(message));
  const message = (): Message => {
    const found = workspace.messages(channel).findLast(isRun);
    if (found === undefined) throw new Error("no message of a run");
    return found;
  };
  const user = (who: Who): string =>
    workspace.spec.users.find(({ name }) => name === who)?.id ?? `U0${who.toUpperCase()}`;
  /** Signatures are judged by the machine's time. */
  const by = (who: Who) => ({ user: user(who), channel, stampSkewMs: Date.now() - clock.now() });
  const after = async (act: Promise<unknown>): Promise<void> => {
    await patiently(act);
    await rest();
  };
  const heard = new Set<Message["ts"]>();
  const fresh = (all: readonly Message[]): readonly Message[] => {
    const news = all.filter(({ ts }) => !heard.has(ts));
    for (const { ts } of news) heard.add(ts);
    return news;
  };
  return {
    twin,
    clock,
    workspace,
    run,
    message,
    read,
    type: (who, words) => {
      const [command = "", ...rest] = words.split(" ");
      return after(workspace.command({ ...by(who), command: `/${command}`, text: rest.join(" ") }));
    },
    mention: (who, words) => after(workspace.mention({ ...by(who), threadTs: message().ts, text: words })),
    press: (who, label, on = message()) => after(workspace.click({ ...by(who), message: on, label })),
    thread: () =>
      fresh(workspace.thread(channel, message().ts).filter(({ ts, botId }) => ts !== message().ts && botId)),
    said: () =>
      fresh([
        ...(["operator", "approver", "viewer"] as const).flatMap((who) => workspace.ephemerals(user(who))),
        ...workspace.messages(channel).filter((each) => each.threadTs === undefined && !isRun(each)),
      ]),
    close: async () => {
      await patiently(door.stop());
      twin.stop();
      await workspace.close();
      traffic.stop();
    },
  };
}
