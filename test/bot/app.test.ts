import { beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import type { Asking } from "#bot/asking.ts";
import { type ClusterPorts, type Command, type Deps, defineVerb, type Verb } from "#bot/commands/command.ts";
import { FaultError } from "#shared/fault.ts";
import { readAudit } from "#shared/ledger/audit.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import type { Person, RoleRule } from "#shared/policy/identity.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";

const olive: Person = { name: "olive", slack: "U0OLIVE", os: "olive" };
const vera: Person = { name: "vera", slack: "U0VERA", os: "vera" };
const rules: readonly RoleRule[] = [
  { role: "operator", people: ["olive"], groups: [], clusters: ["home"], channels: [] },
];

const fine: Reply = {
  verdict: { word: "OK", outcome: "ok", text: ["fine."] },
  findings: [],
  blocks: [],
  actions: [{ id: "again", label: "Again", value: "" }],
};

let handled: unknown[];
let handle: (context: unknown) => Promise<Reply>;
let ledger: Ledger;
let logged: Readonly<Record<string, unknown>>[];
let closed: string | undefined;

const verb = (own: Partial<Verb> & Pick<Verb, "path">): Verb =>
  defineVerb({
    usage: "THING",
    summary: "x",
    examples: ["thing"],
    positionals: ["thing"],
    options: [],
    input: z.object({ thing: z.string().optional() }),
    role: "viewer",
    effect: "read",
    slow: false,
    cluster: "one",
    doors: ["slack", "console", "cli"],
    ...own,
    handle: async (context) => {
      handled.push(context.input);
      return handle(context);
    },
  });

const commands: readonly Command[] = [
  { name: "look", summary: "x", verbs: [verb({ path: [] })] },
  { name: "act", summary: "x", verbs: [verb({ path: [], effect: "change", role: "operator" })] },
  { name: "idle", summary: "x", verbs: [verb({ path: [], effect: "none", cluster: "none" })] },
];

function start(clusters: readonly string[], withLedger = true) {
  let ids = 0;
  const ports = (name: string) => ({ config: { name } }) as unknown as ClusterPorts;
  const deps: Deps = {
    clusters: new Map(clusters.map((name) => [name, ports(name)])),
    clock: { now: () => Date.UTC(2026, 10, 23, 12), sleep: () => Promise.resolve() },
    newId: () => `q-${++ids}`,
    ...(withLedger ? { ledger } : {}),
    readFile: () => Promise.reject(new Error("none")),
    readDirectory: () => Promise.resolve(undefined),
    about: { version: "0", startedAt: 0, warnings: () => [] },
    rolesOn: () => [],
  };
  const app = createApp({
    commands,
    actions,
    deps,
    roles: () => rules,
    people: [olive, vera],
    groupsOf: async () => [],
    changesClosed: () => closed,
    log: (entry) => logged.push(entry),
  });
  const ask = async (words: string, person: Person | null = olive, door: "slack" | "cli" = "slack") => {
    const asking = await app.ask({
      door,
      person: person ?? undefined,
      account: person?.slack ?? "U0NOBODY",
      channel: "C1",
      words,
    });
    return settle(asking);
  };
  const settle = async (asking: Asking): Promise<Reply> =>
    asking.kind === "answer" ? asking.reply : asking.job.run(() => {}, new AbortController().signal);
  return { app, ask, settle };
}

const head = (reply: Reply) => `${reply.verdict.word}: ${plain(reply.verdict.text)}`;

beforeEach(() => {
  handled = [];
  logged = [];
  closed = undefined;
  handle = async () => fine;
  ledger = createMemoryLedger({ now: () => Date.UTC(2026, 10, 23, 12) });
});

describe("which cluster", () => {
  it("is the only one, and every reply names it", async () => {
    expect(await start(["home"]).ask("look thing")).toMatchObject({ cluster: "home" });
  });

  it("is never guessed among several", async () => {
    const { ask } = start(["home", "lab"]);
    expect(head(await ask("look thing"))).toBe("Not understood: Which cluster? Say --cluster NAME.");
    expect(await ask("look thing --cluster lab")).toMatchObject({ cluster: "lab", verdict: { word: "OK" } });
    expect(handled).toHaveLength(1);
  });

  it("that does not exist is answered with the nearest", async () => {
    expect(head(await start(["home", "lab"]).ask("look --cluster hoem"))).toBe(
      'Not understood: There is no cluster "hoem". Nearest: home',
    );
  });

  it("missing altogether is unknown, not fine: exit 3", async () => {
    const reply = await start([]).ask("look thing", null, "cli");
    expect(reply.verdict.outcome).toBe("unknown");
    expect(exitCode(reply)).toBe(3);
    expect(handled).toEqual([]);
  });
});

describe("rights", () => {
  it("a change is denied to whom no rule names, saying who could, and nothing runs", async () => {
    const reply = await start(["home"]).ask("act thing", vera);
    expect(head(reply)).toBe("Not allowed: /act on home needs operator. @olive can.");
    expect(handled).toEqual([]);
  });

  it("a change waits while changes are closed; reading goes on", async () => {
    closed = "Slack could not be reached at start";
    const { ask } = start(["home"]);
    expect(head(await ask("act thing"))).toMatch(/^Not now: changes are closed: Slack could not be reached/);
    expect((await ask("look thing")).verdict.word).toBe("OK");
    expect(handled).toHaveLength(1);
  });

  it("a change does not run when it cannot be recorded; reading does", async () => {
    const broken: Ledger = { ...ledger, append: () => Promise.reject(new Error("disk full")) };
    ledger = broken;
    const { ask } = start(["home"]);
    expect(head(await ask("act thing"))).toMatch(/^Not now: the ledger cannot be written/);
    expect((await ask("look thing")).verdict.word).toBe("OK");
    expect(logged.some((entry) => /ledger/.test(String(entry.msg)))).toBe(true);
  });
});

describe("what went wrong", () => {
  it("could not look: unknown, with what and why", async () => {
    handle = () =>
      Promise.reject(
        new FaultError({ kind: "timed-out", what: "ssh to karstark", detail: "no answer in 5 s" }),
      );
    const reply = await start(["home"]).ask("look thing");
    expect(head(reply)).toBe("UNKNOWN: could not look: ssh to karstark");
    expect(reply.findings).toMatchObject([{ code: "fault-timed-out", severity: "unknown" }]);
    expect(exitCode(reply)).toBe(3);
  });

  it("an error of ours: one sentence with the id under which the log has it, and what was done", async () => {
    handle = () => Promise.reject(new TypeError("undefined is not a function"));
    const looked = await start(["home"]).ask("look thing");
    expect(head(looked)).toBe("Fault: /look thing ended on an error of ours; the log has it as J-1.");
    expect(plain(looked.why ?? [])).toBe("Nothing was changed: this command only looks.");
    expect(JSON.stringify(looked)).not.toContain("undefined is not a function");
    expect(logged).toMatchObject([
      { id: "J-1", error: expect.stringContaining("undefined is not a function") },
    ]);
    const acted = await start(["home"]).ask("act thing");
    expect(plain(acted.why ?? [])).toMatch(/not known whether the change was made/);
  });
});

describe("the record", () => {
  it("has every input with who, words and outcome, denials and nonsense too", async () => {
    const { app, ask } = start(["home"]);
    await ask("look thing");
    await ask("act thing", vera);
    await ask("nonsense", null);
    await ask("look --token xoxb-123456-abcdef");
    await app.drain();
    const entries = await readAudit(ledger, "2026-11-23");
    expect(entries.map(({ name, words, outcome }) => [name, words, outcome])).toEqual([
      ["olive", "look thing", "ok"],
      ["vera", "act thing", "denied"],
      [undefined, "nonsense", "usage"],
      ["olive", expect.not.stringContaining("123456"), "usage"],
    ]);
  });

  it("numbers jobs one after the other, also for two processes on one ledger", async () => {
    const [one, two] = [start(["home"]), start(["home"])];
    const ids: string[] = [];
    const askings = await Promise.all(
      [one, two, one, two].map(({ app }) =>
        app.ask({ door: "slack", person: olive, account: "U0OLIVE", words: "look thing" }),
      ),
    );
    for (const asking of askings) if (asking.kind === "job") ids.push(asking.job.id);
    expect(ids.toSorted()).toEqual(["J-1", "J-2", "J-3", "J-4"]);
  });

  it("takes no job id for what was asked before, and waits to hear whether it was", async () => {
    const { app } = start(["home"]);
    const asked = { door: "slack", person: olive, account: "U0OLIVE", words: "look thing" } as const;
    await app.ask({ ...asked, isFirst: Promise.resolve(false) });
    expect([await ledger.list("asked"), await ledger.list("counter")]).toEqual([[], []]);
    let tell = (_: boolean): void => {};
    const asking = app.ask({
      ...asked,
      isFirst: new Promise<boolean>((resolve) => {
        tell = resolve;
      }),
    });
    expect(await ledger.list("counter")).toEqual([]);
    tell(true);
    await asking;
    expect(await ledger.list("asked")).toEqual(["asked/J-1"]);
  });

  it("takes no job id for what touches nothing", async () => {
    await start(["home"]).ask("idle thing");
    expect(await ledger.list("asked")).toEqual([]);
  });
});

describe("a button", () => {
  it("asks the same words again, as whoever presses", async () => {
    const { app, ask, settle } = start(["home"]);
    const reply = await ask("look 'a thing'");
    expect(reply.actions).toEqual([{ id: "again", label: "Again", value: "J-1" }]);
    const pressed = {
      door: "slack",
      person: vera,
      account: "U0VERA",
      action: "again",
      value: "J-1",
    } as const;
    expect((await settle(await app.press(pressed))).verdict.word).toBe("OK");
    expect(handled).toEqual([{ thing: "a thing" }, { thing: "a thing" }]);
    await ask("act thing");
    expect(head(await settle(await app.press({ ...pressed, value: "J-3" })))).toMatch(/^Not allowed: \/act/);
  });

  it.each([
    ["again", "J-99", /does not know J-99/],
    ["gone", "x", /older message/],
  ])("%s %s is answered", async (action, value, says) => {
    const { app, settle } = start(["home"]);
    expect(
      head(await settle(await app.press({ door: "slack", person: olive, account: "U", action, value }))),
    ).toMatch(says);
  });

  it("is not offered where no ledger could find the run again", async () => {
    expect((await start(["home"], false).ask("look thing")).actions).toEqual([]);
  });
});
