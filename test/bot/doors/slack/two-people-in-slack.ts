import type { App } from "#bot/asking.ts";
import { slackCommands } from "#bot/commands/all.ts";
import type { ClusterPorts, Deps } from "#bot/commands/command.ts";
import { createWishes, type Wishes } from "#bot/doors/slack/board.ts";
import { threadWords } from "#bot/doors/slack/thread-words.ts";
import { startSlackDoor } from "#bot/doors/slack.ts";
import { secret } from "#bot/environment.ts";
import { tendRuns } from "#bot/runs/resume-runs.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { twoPeople, twoPeopleOn } from "#infra/lab/two-people.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { nextMove } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { bgpSite } from "../../../shared/steps/bgp-sites.ts";
import { leapingClock } from "./leaping-clock.ts";
import { quick } from "./open-door.ts";

/** Everybody's time, Slack's too, runs faster than the machine's: a minute of watching the canary takes 1.5 s. */
const factor = 40;
export const clock = leapingClock(factor);
/** Signatures are judged by the machine's time. */
export const stamped = () => ({ stampSkewMs: Date.now() - clock.now() });
export const channel = "C0PLATFORM";
export const operator = { user: "U0OPERATOR", channel } as const;
export const approver = { user: "U0APPROVER", channel } as const;

const closing: (() => Promise<void> | void)[] = [];

export async function closeSlack(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}

type Bot = Readonly<{ requestUrl: string | undefined }>;

export async function openBot(
  workspace: SlackWorkspace,
  on: Readonly<{
    app: App;
    deps: Deps;
    ledger: Ledger;
    wishes: Wishes;
    name: string;
    via: "http" | "socket";
  }>,
): Promise<Bot> {
  const { spec } = workspace;
  const door = await startSlackDoor({
    app: on.app,
    slack: {
      botToken: secret(spec.app.botToken),
      ...(on.via === "socket"
        ? { appToken: secret(spec.app.appToken) }
        : { signingSecret: secret(spec.app.signingSecret), port: 0, host: "127.0.0.1" }),
      apiUrl: workspace.apiUrl,
      team: spec.team.id,
      prefix: "",
      commands: slackCommands().map(({ name }) => name),
      groups: [],
      channels: [],
      reportChannel: channel,
    },
    ledger: on.ledger,
    wishes: on.wishes,
    threads: threadWords(slackCommands()),
    people: (id) => twoPeople.find(({ slack }) => slack === id),
    clock,
    log: () => {},
    owner: on.name,
    // What the machine needs is no faster.
    pace: {
      ...quick,
      answerWithinMs: quick.answerWithinMs * factor,
      privateWithinMs: quick.privateWithinMs * factor,
      farewellMs: quick.farewellMs * factor,
      leaseMs: quick.leaseMs * factor,
      longLeaseMs: quick.longLeaseMs * factor,
    },
  });
  closing.push(door.stop);
  return { requestUrl: door.requestUrl };
}

/** Two people, a workspace and a bot on a site of five nodes, or on another one. */
export async function openSlack(
  via: "http" | "socket",
  site: SiteSpec = bgpSite("0.16.1"),
  around?: (ports: ClusterPorts) => ClusterPorts,
) {
  const workspace = await startSlackWorkspace({ clock });
  closing.push(workspace.close);
  let wishes: Wishes | undefined;
  const board = (ledger: Ledger) => {
    wishes = createWishes({ ledger, clock, log: () => {} });
    return wishes.board;
  };
  const product = twoPeopleOn(site, clock, board, around);
  const { twin, deps, ledger } = product;
  closing.push(twin.stop);
  if (wishes === undefined) throw new Error("no board");
  const bot = await openBot(workspace, { ...product, wishes, name: "bot-1", via });
  if (bot.requestUrl !== undefined) workspace.setRequestUrl(bot.requestUrl);
  const leaving = new AbortController();
  const tending = tendRuns(deps, { signal: leaving.signal, log: () => {} });
  let isLeaping = false;
  const leaping = setInterval(async () => {
    if (isLeaping) return;
    isLeaping = true;
    const state = await lastRun(ledger, "goldentooth");
    const move = state && nextMove(state, clock.now());
    if (move?.do === "wait-for-time") await clock.leap(move.until - clock.now() + 1);
    isLeaping = false;
  }, 50);
  closing.push(async () => {
    clearInterval(leaping);
    leaving.abort();
    await tending;
  });

  const acts: string[] = [];
  twin.store.subscribe(({ type, kind, object }) => {
    if (/advertisements|bgppeers|bfdprofiles/.test(kind))
      acts.push(`${type} ${kind}/${object.metadata.name}`);
  });
  const read = (message: Message): string => workspace.renderText(message);
  const head = (): Message | undefined =>
    workspace
      .messages(channel)
      .find((m) => m.botId !== undefined && m.threadTs === undefined && /R-\d+ · /.test(read(m)));
  /** The run's message, as soon as it says this. */
  const stands = (words: RegExp): Promise<Message> =>
    workspace.waitFor(
      () => {
        const message = head();
        return message !== undefined && words.test(read(message)) && message;
      },
      30_000,
      String(words),
    );
  /** Somebody is told something, alone or in the open. */
  const told = (words: RegExp): Promise<Message> =>
    workspace.waitForMessage((m) => m.botId !== undefined && words.test(read(m)), 30_000);
  return { workspace, product, bot, acts, read, head, stands, told, twin, ledger };
}
