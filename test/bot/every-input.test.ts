import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { slackCommands } from "#bot/commands/all.ts";
import type { ClusterPorts, Verb } from "#bot/commands/command.ts";
import { startSlackDoor } from "#bot/doors/slack.ts";
import { secret } from "#bot/environment.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import { scaledClock } from "#infra/lab/scaled-clock.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import { sites } from "#shared/twin/sites/all.ts";
import { quick } from "./doors/slack/open-door.ts";

/** The site's time runs fifty times as fast as the machine's, so that three seconds of probing take 60 ms. */
const fast = scaledClock(50);
/** Slack's and the door's: a second of waiting for Slack takes a tenth of one. */
const brisk = 10;

const unreachable: Fault = {
  kind: "unreachable",
  what: "Kubernetes API",
  detail: "connection refused at 127.0.0.1:6443",
};

type World = Readonly<{
  name: string;
  ports?: (ports: ClusterPorts) => ClusterPorts;
  user?: string;
  slack?: (workspace: SlackWorkspace) => void;
  busy?: boolean;
  /** What must be said somewhere in the answer to a command that looks at the cluster. */
  says?: RegExp;
  /** Only commands with this effect are touched by it. */
  about?: Verb["effect"];
}>;

const worlds: readonly World[] = [
  { name: "all is well" },
  { name: "somebody the config does not know", user: "U0VIEWER", says: /Not allowed/ },
  { name: "somebody of another workspace", user: "U0FOREIGN", says: /workspace/ },
  {
    name: "cluster unreachable",
    ports: (ports) => ({
      ...ports,
      read: async (kinds) => Object.fromEntries(kinds.map((kind) => [kind, unreachable])) as never,
      shell: () =>
        Promise.reject(new FaultError({ kind: "unreachable", what: "ssh", detail: "no route to host" })),
    }),
    says: /UNKNOWN|could not|no route|refused/i,
  },
  {
    name: "vantage timing out",
    ports: (ports) => ({
      ...ports,
      shell: (target, command, options) =>
        target.kind === "vantage"
          ? Promise.reject(
              new FaultError({
                kind: "timed-out",
                what: `ssh to ${target.name}`,
                detail: "no answer in 5 s",
              }),
            )
          : ports.shell(target, command, options),
    }),
    says: /UNKNOWN/,
    about: "probe",
  },
  {
    name: "Slack says 429",
    slack: (workspace) => workspace.failNext("chat.postMessage", { status: 429, retryAfter: 1, times: 1 }),
  },
  {
    name: "Slack says 500",
    slack: (workspace) => workspace.failNext("chat.postMessage", { status: 500, times: 2 }),
  },
  { name: "busy cluster", busy: true },
];

const channels = ["C0PLATFORM", "C0DNS", "C0ALERTS"];

type Stage = Readonly<{ workspace: SlackWorkspace; close: () => Promise<void> }>;

async function stage(world: World): Promise<Stage> {
  const spec = sites["goldentooth-l2"]?.();
  if (!spec) throw new Error("the site is gone");
  const product = runInMemory(spec, fast, world.ports);
  if (world.busy) await product.ledger.lease("goldentooth", "R-0 (bgp-to-l2, @approver)", 60 * 60_000);
  const clock = scaledClock(brisk);
  const workspace = await startSlackWorkspace({ clock });
  const door = await startSlackDoor({
    app: product.app,
    slack: {
      botToken: secret(workspace.spec.app.botToken),
      signingSecret: secret(workspace.spec.app.signingSecret),
      port: 0,
      host: "127.0.0.1",
      apiUrl: workspace.apiUrl,
      team: workspace.spec.team.id,
      prefix: "",
      commands: slackCommands().map((command) => command.name),
      groups: [],
      channels: [],
    },
    ledger: product.ledger,
    people: (id) => product.people.find((p) => p.slack === id),
    clock,
    log: () => {},
    owner: "every-input",
    // What the machine needs to find an answer is no faster.
    pace: { ...quick, answerWithinMs: quick.answerWithinMs * brisk },
  });
  if (door.requestUrl) workspace.setRequestUrl(door.requestUrl);
  return {
    workspace,
    close: async () => {
      await door.stop();
      product.twin.stop();
      await workspace.close();
    },
  };
}

let turn = 0;

/** Types it, waits for the end, and gives everything that then stands there for the person to read. */
async function everythingSaid(
  workspace: SlackWorkspace,
  user: string,
  command: string,
  text: string,
): Promise<Message[]> {
  const channel = channels[turn++ % channels.length] as string;
  const before = new Set([...workspace.messages(channel), ...workspace.ephemerals(user)].map((m) => m.ts));
  const { shown, deliveries } = await workspace.command({ user, channel, command, text });
  expect(deliveries.map((d) => d.outcome)).toEqual(["acked"]);
  const interim = (m: Message) => /started:|^…/.test(m.text);
  const isNew = (m: Message) =>
    m.channel === channel && m.botId !== undefined && !before.has(m.ts) && !shown.some((s) => s.ts === m.ts);
  if (shown.some(interim)) await workspace.waitForMessage((m) => isNew(m) && !interim(m), 15_000);
  const posted = [...workspace.messages(channel), ...workspace.ephemerals(user)].filter(isNew);
  const once = posted.filter((m, i) => posted.findIndex((other) => other.ts === m.ts) === i);
  return [...shown.filter((m) => !interim(m)), ...once];
}

const line = (verb: Verb, tail: string): string => [...verb.path, tail].join(" ").trim();
const cases = slackCommands().flatMap((command) =>
  command.verbs
    .filter((verb) => verb.doors.includes("slack"))
    .map((verb) => ({ command: `/${command.name}`, verb })),
);

/** Verbs of runs, plans and incidents that answer from the ledger: whether the cluster can be seen is nothing to them. */
const fromLedger: Readonly<Record<string, readonly string[]>> = {
  "/migrate": ["status", "approve", "done", "skip", "hold", "rollback", "abort", "history"],
  "/dns": ["apply", "withdraw", "undo", "snooze"],
  "/runbook": [
    "status",
    "diagnose",
    "next",
    "done",
    "skip",
    "note",
    "take",
    "handover",
    "close",
    "reopen",
    "link",
    "export",
  ],
};

describe.each(worlds)("when $name", (world) => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage(world);
  });
  afterAll(() => on.close());

  it.each(
    cases.map(({ command, verb }) => ({
      typed: `${command} ${line(verb, verb.examples[0] ?? "")}`,
      command,
      verb,
    })),
  )("$typed has one answer", async ({ command, verb }) => {
    // What the answers before had no use for does not wait for this one.
    on.workspace.failNothing();
    if (verb.slow) world.slack?.(on.workspace);
    const said = await everythingSaid(
      on.workspace,
      world.user ?? "U0OPERATOR",
      command,
      line(verb, verb.examples[0] ?? ""),
    );
    expect(said).toHaveLength(1);
    const words = on.workspace.renderText(said[0] as Message);
    expect(words.length).toBeGreaterThan(20);
    expect(words).not.toMatch(/an error of ours/);
    // An operator is told that approvers may, before anything is looked at.
    const isDenied = verb.role === "approver" && world.user === undefined;
    const isAsked =
      world.ports === undefined || (!isDenied && fromLedger[command]?.includes(verb.path[0] ?? "") !== true);
    if (world.says && isAsked && (world.about ? verb.effect === world.about : verb.effect !== "none"))
      expect(words).toMatch(world.says);
  });

  it("leaves Slack nothing to complain about", () => {
    const own = on.workspace
      .violations()
      .filter((v) => !/ratelimited|rate_limited|429/.test(JSON.stringify(v)));
    expect(own).toEqual([]);
  });
});

const hostile: readonly (readonly [string, RegExp])[] = [
  ["htpbin", /No service|nothing|Nearest|Not understood|no node/i],
  ["--form ops-host", /no option|has no|Nearest|missing|one word too many/i],
  ['"unclosed', /quote is not closed/],
  ["; rm -rf /", /./],
  ["$(reboot) `id` && true", /./],
  ["<!channel> *all*", /./],
  ["--count 99999999999999999999", /count|no option/i],
  [`${"x".repeat(3_900)}`, /./],
  ["\u0000\u0007", /./],
  ["💥 ünïcode ‮reversed", /./],
  ["-- --help", /./],
  ["help", /./],
];

describe("when the words are wrong", () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage({ name: "hostile words" });
  });
  afterAll(() => on.close());

  const commands = slackCommands().map((command) => `/${command.name}`);
  it.each(
    commands.flatMap((command) => hostile.map(([text, says]) => ({ command, text, says }))),
  )("$command $text has one answer", async ({ command, text, says }) => {
    const said = await everythingSaid(on.workspace, "U0OPERATOR", command, text);
    expect(said).toHaveLength(1);
    const words = on.workspace.renderText(said[0] as Message);
    expect(words.length).toBeGreaterThan(20);
    expect(words).toMatch(says);
    expect(JSON.stringify(said[0])).not.toMatch(/<!channel>|"type":"broadcast"/);
  });

  it("an unknown command is answered too", async () => {
    const said = await everythingSaid(on.workspace, "U0OPERATOR", "/arpin", "httpbin");
    expect(said).toHaveLength(1);
    expect(said[0]?.text).toMatch(/arpin/);
  });

  it("leaves Slack nothing to complain about", () => {
    const own = on.workspace
      .violations()
      .filter((v) => !/ratelimited|rate_limited|429/.test(JSON.stringify(v)));
    expect(own).toEqual([]);
  });
});
