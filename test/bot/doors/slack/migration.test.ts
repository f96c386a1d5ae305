import { afterEach, describe, expect, test } from "vitest";
import type { App } from "#bot/asking.ts";
import { slackCommands } from "#bot/commands/all.ts";
import type { Deps } from "#bot/commands/command.ts";
import { createWishes, type Wishes } from "#bot/doors/slack/board.ts";
import { nextStep } from "#bot/doors/slack/shortcuts.ts";
import { threadWords } from "#bot/doors/slack/thread-words.ts";
import { startSlackDoor } from "#bot/doors/slack.ts";
import { secret } from "#bot/environment.ts";
import { tendRuns } from "#bot/runs/resume-runs.ts";
import { setBgpMode } from "#infra/lab/set-bgp-mode.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { appForTwo, twoPeople, twoPeopleOn } from "#infra/lab/two-people.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { currentStep, nextMove } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import { bgpSite } from "../../../shared/steps/bgp-sites.ts";
import { leapingClock } from "./leaping-clock.ts";
import { quick } from "./open-door.ts";

/** Everybody's time, Slack's too, runs faster than the machine's: a minute of watching the canary takes a second. */
const factor = 60;
const clock = leapingClock(factor);
/** Signatures are judged by the machine's time. */
const stamped = () => ({ stampSkewMs: Date.now() - clock.now() });
const channel = "C0PLATFORM";
const operator = { user: "U0OPERATOR", channel } as const;
const approver = { user: "U0APPROVER", channel } as const;

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Bot = Readonly<{ requestUrl: string | undefined }>;

async function openBot(
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

async function open(via: "http" | "socket") {
  const workspace = await startSlackWorkspace({ clock });
  closing.push(workspace.close);
  let wishes: Wishes | undefined;
  const board = (ledger: Ledger) => {
    wishes = createWishes({ ledger, clock, log: () => {} });
    return wishes.board;
  };
  const product = twoPeopleOn(bgpSite("0.16.1"), clock, board);
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
      15_000,
      String(words),
    );
  /** Somebody is told something, alone or in the open. */
  const told = (words: RegExp): Promise<Message> =>
    workspace.waitForMessage((m) => m.botId !== undefined && words.test(read(m)), 15_000);
  return { workspace, product, bot, acts, read, head, stands, told, twin, ledger };
}

const label = "Approve and run";
const waitsAt = (step: number) => new RegExp(`step ${step} of 17 waits for`);

/** Five nodes' Services from plan to the first approval. */
async function started(at: Awaited<ReturnType<typeof open>>): Promise<Message> {
  await at.workspace.command({ ...operator, ...stamped(), command: "/migrate", text: "start bgp-to-l2" });
  return at.stands(waitsAt(5));
}

describe("two people in Slack", () => {
  test("from plan to final verification, over signed HTTP", async () => {
    const at = await open("http");
    const { workspace, read, stands, told, acts } = at;
    await workspace.command({ ...operator, ...stamped(), command: "/migrate", text: "plan bgp-to-l2" });
    await told(/17 steps\b.*2\b.*would change something/);
    expect(acts).toEqual([]);

    const first = await started(at);
    await workspace.click({ ...stamped(), user: operator.user, message: first, label });
    const own = await told(/you asked for step 5 of R-\d+ yourself/);
    expect(own.onlyFor).toBe(operator.user);
    expect(acts).toEqual([]);

    // A double click, as impatient people do it.
    await Promise.all(
      [1, 2].map(() => workspace.click({ ...stamped(), user: approver.user, message: first, label })),
    );
    const canary = await stands(waitsAt(8));
    expect(acts).toEqual(["ADDED l2advertisements/primary"]);
    expect(canary.ts).toBe(first.ts);

    // In the thread: held by a mention, gone on by the shortcut of a message and by a mention.
    await workspace.mention({ ...operator, ...stamped(), threadTs: canary.ts, text: "hold" });
    const held = await stands(/HELD/);
    await workspace.shortcut({
      ...stamped(),
      user: operator.user,
      message: held,
      callbackId: nextStep.callback,
    });
    await stands(waitsAt(8));
    await workspace.mention({ ...approver, ...stamped(), threadTs: canary.ts, text: "hold" });
    await stands(/HELD.*@?approver|HELD/);
    await workspace.mention({ ...operator, ...stamped(), threadTs: canary.ts, text: "next" });
    const waiting = await stands(waitsAt(8));
    await workspace.click({ ...stamped(), user: approver.user, message: waiting, label });

    const withdrawal = await stands(waitsAt(9));
    // An old view of the message: what it asked for is decided.
    await workspace.click({ ...stamped(), user: approver.user, message: waiting, label });
    await told(/Refused|is from an older message/);
    expect(await lastRun(at.ledger, "goldentooth")).not.toHaveProperty("halted");
    await workspace.click({ ...stamped(), user: approver.user, message: withdrawal, label });
    const peers = await stands(waitsAt(11));
    const digest = currentStep((await lastRun(at.ledger, "goldentooth")) as never)?.planned?.digest ?? "";
    const [, run = ""] = /(R-\d+) · plan/.exec(read(peers)) ?? [];
    await workspace.command({
      ...approver,
      ...stamped(),
      command: "/migrate",
      text: `approve ${run} ${digest.slice(0, 4)}`,
    });
    await workspace.click({ ...stamped(), user: approver.user, message: await stands(waitsAt(12)), label });
    const manual = await stands(/step 14 of 17 waits for a person/);
    setBgpMode(at.twin, "native");
    // The speakers roll one after the other, and addresses move while they do.
    await clock.leap(180_000);
    await workspace.click({ ...stamped(), user: operator.user, message: manual, label: "It is done" });
    const end = await stands(/all 17 steps ended/);

    expect(end.ts).toBe(first.ts);
    expect(acts.filter((act) => !act.startsWith("MODIFIED"))).toEqual([
      "ADDED l2advertisements/primary",
      "DELETED bgpadvertisements/primary",
      "DELETED bgppeers/opnsense",
      "DELETED bfdprofiles/primary",
    ]);
    expect(acts.filter((act) => act === "MODIFIED bgpadvertisements/primary")).toHaveLength(1);
    const proof = await workspace.waitFor(
      () => workspace.thread(channel, end.ts).find((m) => /PROVEN.*step 17/s.test(read(m))),
      15_000,
      "the last proof",
    );
    expect(read(proof)).toMatch(/nothing of BGP is left/);
    const names = await workspace.waitFor(
      () => {
        const all = workspace.files().flatMap(({ name }) => (/yaml$/.test(name) ? [name] : []));
        return all.some((name) => /snapshot/.test(name)) && all.some((name) => /manifests/.test(name)) && all;
      },
      15_000,
      "snapshot and manifests",
    );
    expect(new Set(names).size).toBe(names.length);
    expect(
      workspace
        .messages(channel)
        .filter((m) => m.botId !== undefined && /R-\d+ · /.test(read(m)) && m.threadTs === undefined),
    ).toHaveLength(1);
    expect(workspace.violations()).toEqual([]);
  }, 60_000);

  test("all the way back, over Socket Mode", async () => {
    const at = await open("socket");
    const { workspace, stands, acts, twin } = at;
    let message = await started(at);
    for (const step of [8, 9, 11]) {
      await workspace.click({ ...stamped(), user: approver.user, message, label });
      message = await stands(waitsAt(step));
    }
    await workspace.mention({ ...operator, ...stamped(), threadTs: message.ts, text: "rollback" });
    await stands(/WENT BACK/);
    expect(acts.filter((act) => !act.startsWith("MODIFIED"))).toEqual([
      "ADDED l2advertisements/primary",
      "DELETED bgpadvertisements/primary",
      "ADDED bgpadvertisements/primary",
      "DELETED l2advertisements/primary",
    ]);
    expect(twin.reach("guest-client", "10.4.11.1").ok).toBe(true);
    expect(workspace.violations()).toEqual([]);
  }, 60_000);

  test("two bots on one ledger, both people press at once: one act", async () => {
    const at = await open("http");
    const { workspace, bot, product, acts, stands } = at;
    // Another process sees the same ledger and the same cluster, and shares nothing else.
    const ledger: Ledger = { ...product.ledger };
    const wishes = createWishes({ ledger, clock, log: () => {} });
    const deps: Deps = { ...product.deps, ledger, board: wishes.board };
    const other = await openBot(workspace, {
      app: appForTwo(deps),
      deps,
      ledger,
      wishes,
      name: "bot-2",
      via: "http",
    });
    const message = await started(at);
    const presses = [approver, operator, approver, operator, approver].map(({ user }, i) => {
      workspace.setRequestUrl((i % 2 === 0 ? bot : other).requestUrl ?? "");
      return workspace.click({ ...stamped(), user, message, label });
    });
    await Promise.all(presses);
    const next = await stands(waitsAt(8));
    expect(acts).toEqual(["ADDED l2advertisements/primary"]);
    const state = await lastRun(product.ledger, "goldentooth");
    const step = state?.steps.find(({ id }) => id === "create-l2advertisement");
    expect(step).toMatchObject({ status: "done", approved: { by: "approver" } });
    expect(step?.acts).toHaveLength(1);

    // Approved here, aborted there, in the same moment: the act is done once or not at all, and the run knows which.
    workspace.setRequestUrl(bot.requestUrl ?? "");
    const yes = workspace.click({ ...stamped(), user: approver.user, message: next, label });
    workspace.setRequestUrl(other.requestUrl ?? "");
    const no = workspace.click({ ...stamped(), user: operator.user, message: next, label: "Abort" });
    await Promise.all([yes, no]);
    await stands(/ABORTED/);
    const ended = await lastRun(product.ledger, "goldentooth");
    expect(ended?.ended?.how).toBe("aborted");
    const patched = acts.filter((act) => act === "MODIFIED bgpadvertisements/primary").length;
    const intended = Object.values(
      ended?.steps.find(({ id }) => id === "canary")?.acts[0]?.deeds ?? {},
    ).filter(({ status }) => status === "done").length;
    expect(patched).toBe(intended);
  }, 60_000);
});
