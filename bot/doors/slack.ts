import type { SlackSelf } from "#shared/adapters/slack-api.ts";
import type { SlackInbound } from "#shared/adapters/slack-inbound.ts";
import type { Board } from "#shared/board/board.ts";
import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Person } from "#shared/policy/identity.ts";
import type { App } from "../asking.ts";
import type { Secret } from "../environment.ts";
import { createWishes, type Wishes } from "./slack/board.ts";
import { createBoardDelivery } from "./slack/board-delivery.ts";
import { countLimits } from "./slack/count-limits.ts";
import { createDirectory, inWords, scopeFindings } from "./slack/directory.ts";
import { createListeners } from "./slack/listeners.ts";
import { createLiveMessage, type Sending } from "./slack/live.ts";
import type { Log } from "./slack/log.ts";
import { createOnce } from "./slack/once.ts";
import { createOutbox, type Orphan, type Outbox, signOfLifeMs } from "./slack/outbox.ts";
import { createPacer, type Pace, usualPace } from "./slack/pace.ts";
import { interrupted } from "./slack/sentences.ts";
import type { ThreadWords } from "./slack/thread-words.ts";

export type SlackDoorConfig = Readonly<{
  botToken: Secret;
  /** Present: Socket Mode. Absent: signed HTTP. */
  appToken?: Secret;
  /** Needed without `appToken`. */
  signingSecret?: Secret;
  /** Port for HTTP; 0 picks a free one. */
  port?: number;
  host?: string;
  /** Base of the Web API, ending in a slash; Slack's own when absent. */
  apiUrl?: string;
  /** Workspace (`T…`) or organisation (`E…`) of the config; absent: the bot token's own workspace. */
  team?: string;
  /** Put before every command where a name is taken: `x-` makes `/x-arping`. */
  prefix: string;
  /** Names of the command table, without slash. */
  commands: readonly string[];
  /** User groups and channels that the config's rules name, by id. */
  groups: readonly string[];
  channels: readonly string[];
  /** Where things are told that name no channel of their own. */
  reportChannel?: string;
}>;

export type SlackDoorOptions = Readonly<{
  app: App;
  slack: SlackDoorConfig;
  ledger: Ledger;
  /** The person of the config with this Slack user id. */
  people: (slackUser: string) => Person | undefined;
  clock: Clock;
  log: Log;
  /** Tells this process from others on the same ledger; unique for every start. */
  owner: string;
  pace?: Partial<Pace>;
  /** Made before the door where commands need the board before it opens; what was wished for by then waits. */
  wishes?: Wishes;
  /** What the words of a mention mean in the thread of a thing. */
  threads?: ThreadWords;
  /** Hears of every call that Slack refused with 429. */
  limited?: (call: string) => void;
}>;

export type SlackDoor = Readonly<{
  /** Where Slack has to send requests to; absent in Socket Mode. */
  requestUrl?: string;
  connected: () => boolean;
  /** What is lost, missing or unchecked, now: disabled rules, missing scopes, an unreachable Slack. */
  problems: () => readonly Finding[];
  /** Why changes are closed, while they are. */
  changesClosed: () => string | undefined;
  /** The config's groups a user is in. Throws FaultError when Slack cannot be asked: changes are then denied. */
  groupsOf: (slackUser: string) => Promise<readonly string[]>;
  /** Standing messages in Slack. */
  board: Board;
  /** How many of them wait for something to be delivered. */
  waiting: () => number;
  /** Takes no more input, gives running work a moment to tell its end, leaves the rest to the next start. */
  stop: () => Promise<void>;
}>;

const longestRetryMs = 60_000;
/** Letters of a process that died are looked for when its sign of life has run out, and now and then afterwards. */
const adoptEveryMs = 5 * 60_000;
const adoptFirstMs = 65_000;
/** A start looks a day back; later looks only see what was written since. */
const startHorizonMs = 24 * 60 * 60_000;
const laterHorizonMs = 60 * 60_000;
/** Standing messages that found no taker for so long are left to the next wish. */
const boardDays = 7;

/** Answers of `auth.test` that no waiting mends. */
const badToken = new Set([
  "invalid_auth",
  "not_authed",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "no_permission",
  "org_login_required",
  "ekm_access_denied",
  "missing_scope",
  "not_allowed_token_type",
]);

const unreachable = (detail: string): Finding => ({
  code: "slack-unreachable",
  severity: "unknown",
  subject: { kind: "config", name: "slack" },
  facts: { detail },
  text: [`Slack cannot be asked who the bot is: ${detail}. Changes stay closed until it can.`],
});

/** Posts what a process that is gone owed, or says that its work was cut off. */
async function settle(sending: Sending, orphan: Orphan): Promise<void> {
  const { letter, entry, at, final } = orphan;
  const message = createLiveMessage(sending, {
    letter,
    entry,
    run: letter.key,
    ...(at === undefined ? { uncertainSince: orphan.intendedAt } : { at }),
  });
  await message.finish(final ?? interrupted(letter.title));
}

/**
 * Opens the door to Slack. Throws FaultError with one clear sentence when a token is refused or belongs to another
 * workspace; a Slack that cannot be reached is no reason to fail: the door opens with changes closed and keeps trying.
 */
export async function startSlackDoor(options: SlackDoorOptions): Promise<SlackDoor> {
  const { app, slack, ledger, clock, log } = options;
  const transport =
    slack.appToken !== undefined
      ? {
          kind: "socket" as const,
          appToken: slack.appToken.reveal(),
          ...(slack.apiUrl === undefined ? {} : { apiUrl: slack.apiUrl }),
        }
      : slack.signingSecret !== undefined
        ? {
            kind: "http" as const,
            signingSecret: slack.signingSecret.reveal(),
            port: slack.port ?? 3_000,
            ...(slack.host === undefined ? {} : { host: slack.host }),
          }
        : undefined;
  if (transport === undefined) {
    throw new FaultError({
      kind: "not-configured",
      what: "Slack",
      detail: "set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET and PORT for HTTP",
    });
  }

  // Loaded here and not above: the command line must start without the Slack libraries.
  const [{ createSlackApi }, { openSlackInbound }] = await Promise.all([
    import("#shared/adapters/slack.ts"),
    import("#shared/adapters/slack-inbound.ts"),
  ]);

  const connectedApi = createSlackApi({
    botToken: slack.botToken.reveal(),
    ...(slack.apiUrl === undefined ? {} : { apiUrl: slack.apiUrl }),
    log,
  });
  const api = options.limited === undefined ? connectedApi : countLimits(connectedApi, options.limited);
  const pace = { ...usualPace, ...options.pace };
  const stopping = new AbortController();
  const working = new AbortController();
  const under = new Set<Promise<unknown>>();
  const track = (work: Promise<unknown>): void => {
    const settled = work
      .catch((error: unknown) => {
        log({ level: "error", msg: "unexpected fault in the Slack door", error: String(error) });
      })
      .finally(() => under.delete(settled));
    under.add(settled);
  };

  let self: SlackSelf | undefined;
  let lost: readonly Finding[] = [];
  let closedBy: string | undefined = "Slack has not been asked yet who the bot is";
  const directory = createDirectory({ api, clock, groups: slack.groups, channels: slack.channels });

  /** One attempt to learn who we are and whether the config's names are still there. */
  const introduce = async (): Promise<Readonly<{ retry: boolean }>> => {
    if (self === undefined) {
      const answer = await api.whoAmI();
      if (!answer.ok) {
        const { trouble } = answer;
        if (trouble.kind === "refused" && badToken.has(trouble.error)) {
          throw new FaultError({
            kind: "denied",
            what: "Slack",
            detail: `Slack refuses the bot token (${trouble.error}): SLACK_BOT_TOKEN needs the xoxb- token of the installed app`,
          });
        }
        closedBy = `Slack cannot be reached: ${inWords(trouble)}`;
        lost = [unreachable(inWords(trouble))];
        return { retry: true };
      }
      if (slack.team?.startsWith("T") && answer.value.team !== slack.team) {
        throw new FaultError({
          kind: "denied",
          what: "Slack",
          detail: `the bot token belongs to workspace ${answer.value.team}, the config says ${slack.team} (slack.team)`,
        });
      }
      self = answer.value;
    }
    const names = await directory.check(self.scopes);
    lost = [...scopeFindings(self.scopes), ...names];
    const unchecked = names.filter((finding) => finding.severity === "unknown");
    closedBy =
      unchecked.length === 0
        ? undefined
        : `Slack could not be asked about ${unchecked.map((finding) => finding.subject.name).join(", ")}`;
    return { retry: unchecked.length > 0 };
  };

  const keepIntroducing = async (): Promise<void> => {
    for (let wait = 1_000; !stopping.signal.aborted; wait = Math.min(longestRetryMs, wait * 2)) {
      await clock.sleep(wait, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        if (!(await introduce()).retry) {
          log({ level: "info", msg: "Slack answers again; changes are open" });
          return;
        }
      } catch (error) {
        // The token went bad while we ran: nothing to wait for, and no reason to take the process down.
        closedBy = error instanceof FaultError ? error.fault.detail : String(error);
        lost = [unreachable(closedBy)];
        log({ level: "error", msg: closedBy });
        return;
      }
    }
  };

  const first = await introduce();

  const outbox: Outbox = createOutbox({ ledger, owner: options.owner, clock, log });
  const sending: Sending = {
    api,
    clock,
    pace,
    pacer: createPacer(clock, pace),
    log,
    scopes: () => self?.scopes,
    stopping: stopping.signal,
  };
  await outbox.stayAlive();
  const wishes = options.wishes ?? createWishes({ ledger, clock, log });
  const delivery = createBoardDelivery({
    wishes,
    ledger,
    owner: options.owner,
    sending,
    reportChannel: slack.reportChannel,
  });

  const commands = slack.commands.map((name) => `/${slack.prefix}${name}`);
  const inbound: SlackInbound = await openSlackInbound({
    transport,
    commands,
    handlers: createListeners({
      app,
      sending,
      once: createOnce(ledger, clock, log),
      outbox,
      board: wishes.board,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      personOf: options.people,
      home: () => slack.team ?? self?.team,
      botUserId: () => self?.botUserId,
      commands,
      prefix: slack.prefix,
      forgetGroup: directory.forget,
      signal: working.signal,
      track,
    }),
    self: () => (self === undefined ? undefined : { botId: self.botId, botUserId: self.botUserId }),
    botToken: slack.botToken.reveal(),
    clock,
    log,
  });

  const adopt = async (horizonMs: number): Promise<void> => {
    for (const orphan of await outbox.adopt(horizonMs)) track(settle(sending, orphan));
  };
  const every = async (firstMs: number, ms: number, work: () => Promise<void>): Promise<void> => {
    for (let wait = firstMs; ; wait = ms) {
      await clock.sleep(wait, stopping.signal);
      if (stopping.signal.aborted) return;
      await work();
    }
  };
  const background = [
    every(signOfLifeMs, signOfLifeMs, outbox.stayAlive),
    every(adoptFirstMs, adoptEveryMs, () => adopt(laterHorizonMs)),
    every(adoptFirstMs, adoptEveryMs, () => delivery.resume(1)),
    ...(first.retry ? [keepIntroducing()] : []),
  ];
  track(adopt(startHorizonMs));
  track(delivery.resume(boardDays));

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await inbound.stop();
    working.abort();
    const patience = new AbortController();
    await Promise.race([
      (async () => {
        while (under.size > 0) await Promise.all(under);
        await delivery.settled();
      })(),
      clock.sleep(pace.farewellMs, patience.signal),
    ]);
    patience.abort();
    stopping.abort();
    await Promise.all(background);
    await delivery.settled();
    await outbox.leave();
  };

  return {
    ...(inbound.requestUrl === undefined ? {} : { requestUrl: inbound.requestUrl }),
    connected: inbound.connected,
    problems: () => [...lost, ...delivery.problems()],
    changesClosed: () => closedBy,
    groupsOf: directory.groupsOf,
    board: wishes.board,
    waiting: delivery.waiting,
    stop: () => (stopped ??= stop()),
  };
}
