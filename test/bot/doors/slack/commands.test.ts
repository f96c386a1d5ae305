import { afterEach, describe, expect, test } from "vitest";
import type { Reply } from "#shared/reply.ts";
import {
  answer,
  answered,
  arping,
  closeAll,
  held,
  inChannel,
  job,
  newLedger,
  newWorkspace,
  openDoor,
} from "./open-door.ts";

afterEach(closeAll);

const transports = ["http", "socket"] as const;

describe.each(transports)("a command over %s", (via) => {
  test("is answered in its acknowledgement, where everybody sees it", async () => {
    const { workspace, asked } = await openDoor({
      via,
      ask: () => job(async () => answer("OK", "httpbin 10.4.11.1 · bettley eth0 answers")),
    });
    const { shown, deliveries } = await workspace.command(arping);
    expect(deliveries).toMatchObject([{ via, outcome: "acked" }]);
    expect(shown).toHaveLength(1);
    expect(shown[0]?.text).toContain("goldentooth");
    expect(shown[0]?.text).toContain("bettley eth0 answers");
    expect(shown[0]?.onlyFor).toBeUndefined();
    expect(asked).toMatchObject([
      {
        door: "slack",
        words: "arping httpbin",
        account: "U0OPERATOR",
        channel: "C0PLATFORM",
        person: { name: "operator" },
      },
    ]);
    expect(workspace.calls("chat.postMessage")).toEqual([]);
    expect(workspace.violations()).toEqual([]);
  });

  test("that is slow gets a started line and one message, edited until it is done", async () => {
    const progress = held<(reply: Reply) => void>();
    const end = held<Reply>();
    const { workspace } = await openDoor({
      via,
      ask: () =>
        job(
          (show) => {
            progress.resolve(show);
            return end.promise;
          },
          { slow: true },
        ),
    });
    const { shown } = await workspace.command(arping);
    expect(shown).toHaveLength(1);
    expect(shown[0]?.text).toContain("R-17");
    expect(shown[0]?.text).toContain("started");
    expect(shown[0]?.onlyFor).toBe("U0OPERATOR");

    const first = await workspace.waitForMessage(
      (m) => m.channel === "C0PLATFORM" && !m.onlyFor && m.text.includes("started"),
      5_000,
    );
    (await progress.promise)(
      answer("…", "2 of 3 broadcasts", {
        verdict: { word: "…", outcome: "running", text: ["2 of 3 broadcasts"] },
      }),
    );
    await workspace.waitForMessage((m) => m.ts === first.ts && m.text.includes("2 of 3"), 5_000);
    end.resolve(answer("OK", "bettley eth0 answers"));
    await workspace.waitForMessage((m) => m.ts === first.ts && m.text.includes("bettley"), 5_000);

    expect(workspace.messages("C0PLATFORM").filter((m) => m.botId !== undefined)).toHaveLength(1);
    expect(first.metadata).toMatchObject({ event_type: "arpeggio_run", event_payload: { run: "R-17" } });
    expect(workspace.violations()).toEqual([]);
  });
});

describe("a command", () => {
  test("that takes longer than it may for the acknowledgement goes on in a message", async () => {
    const end = held<Reply>();
    const { workspace } = await openDoor({ ask: () => job(() => end.promise) });
    const { shown, deliveries } = await workspace.command(arping);
    expect(deliveries[0]?.outcome).toBe("acked");
    expect(shown.map((m) => m.text).join()).toContain("started");
    end.resolve(answer("OK", "done at last"));
    await workspace.waitForMessage((m) => m.text.includes("done at last"), 5_000);
    expect(workspace.messages("C0PLATFORM").filter((m) => m.botId !== undefined)).toHaveLength(1);
    expect(workspace.violations()).toEqual([]);
  });

  test("whose question itself is slow is acknowledged first and answered after", async () => {
    const { workspace } = await openDoor({
      ask: () =>
        new Promise((resolve) => setTimeout(() => resolve(answered(answer("OK", "late answer"))), 900)),
    });
    const { shown } = await workspace.command(arping);
    expect(shown[0]?.text).toContain("/arping httpbin");
    const late = await workspace.waitForMessage((m) => m.text.includes("late answer"), 5_000);
    expect(late.onlyFor).toBe("U0OPERATOR");
    expect(workspace.violations()).toEqual([]);
  });

  test("with a slip in it is answered to the typist alone", async () => {
    const { workspace } = await openDoor();
    const { shown } = await workspace.command({ ...arping, text: "htpbin" });
    expect(shown).toMatchObject([{ onlyFor: "U0OPERATOR" }]);
    expect(shown[0]?.text).toContain("Not understood");
  });

  test("carries text and blocks, and hostile text never becomes a mention", async () => {
    const hostile = "<!channel> <@U0APPROVER> @here &amp; <http://evil|x> *b* `c`";
    const { workspace } = await openDoor({
      ask: () =>
        job(
          async (show) => {
            show(answer("…", hostile));
            return answer("CONFLICT", hostile, {
              blocks: [{ kind: "evidence", title: hostile, lines: [hostile, "```", "<!here>"] }],
            });
          },
          { slow: true },
        ),
    });
    await workspace.command({ ...arping, text: hostile });
    const message = await workspace.waitForMessage((m) => m.text.includes("CONFLICT"), 5_000);
    expect(message.blocks.length).toBeGreaterThan(0);
    for (const said of [...workspace.messages("C0PLATFORM"), ...workspace.ephemerals("U0OPERATOR")]) {
      expect(said.text).not.toMatch(/<[!@]/);
      expect(JSON.stringify(said.blocks)).not.toMatch(/"type":"(user|usergroup|broadcast|link)"/);
      expect(JSON.stringify(said.blocks)).not.toMatch(/"mrkdwn","text":"[^"]*<[!@]/);
    }
    expect(workspace.violations()).toEqual([]);
  });

  test("is heard under the prefix where its name is taken", async () => {
    const { workspace, asked } = await openDoor({ slack: { prefix: "x-" } });
    await workspace.command({ ...arping, command: "/x-arping" });
    expect(asked).toMatchObject([{ words: "arping httpbin" }]);
  });

  test("that this version does not know gets one answer that says so", async () => {
    const { workspace, asked } = await openDoor();
    const { shown, deliveries } = await workspace.command({ ...arping, command: "/arpings" });
    expect(deliveries[0]?.outcome).toBe("acked");
    expect(shown).toHaveLength(1);
    expect(shown[0]?.text).toContain("/arpings");
    expect(asked).toEqual([]);
    expect(workspace.violations()).toEqual([]);
  });

  test("that comes twice runs once and shows the same both times", async () => {
    let runs = 0;
    const { workspace, asked } = await openDoor({
      ask: () =>
        job(async () => {
          runs += 1;
          return answer("OK", `run number ${runs}`);
        }),
    });
    const { shown } = await workspace.command({ ...arping, duplicate: true });
    expect(shown.map((m) => m.text)).toEqual([shown[0]?.text, shown[0]?.text]);
    expect([runs, asked.length]).toEqual([1, 1]);
  });

  test("that comes to two processes on one ledger runs once and shows the same both times", async () => {
    let runs = 0;
    const ask = () =>
      job(async () => {
        runs += 1;
        return answer("OK", `run number ${runs}`);
      });
    const one = await openDoor({ ask });
    const two = await openDoor({ ask, workspace: one.workspace, ledger: one.ledger, owner: "door-2" });
    const { payload, shown } = await one.workspace.command({ ...arping, requestUrl: one.door.requestUrl! });
    const { deliverByHttp } = await import("#infra/lab/slack/delivery.ts");
    const again = await deliverByHttp(payload, {
      url: two.door.requestUrl!,
      secret: one.workspace.spec.app.signingSecret,
      timestamp: Math.floor(Date.now() / 1_000),
      withinMs: 3_000,
    });
    expect(again).toMatchObject({ outcome: "acked", ack: { text: shown[0]?.text } });
    expect(runs).toBe(1);
  });

  test.each([
    ["an answer without work", () => answered(answer("OK", "help")), "help"],
    ["work that may be done twice", () => job(async () => answer("OK", "you"), { repeatable: true }), "you"],
  ] as const)("does not wait for a ledger that hangs: %s", async (_, ask, words) => {
    const ledger = newLedger();
    const hanging = { ...ledger, append: () => new Promise<never>(() => {}) };
    const { workspace } = await openDoor({ ask, ledger: hanging });
    const { shown } = await workspace.command(arping);
    expect(shown.map((m) => m.text)).toEqual([expect.stringContaining(words)]);
  });

  test("is not begun while the ledger has not said that it is the first", async () => {
    let runs = 0;
    const ledger = newLedger();
    const { workspace } = await openDoor({
      ask: () =>
        job(async () => {
          runs += 1;
          return answer("OK", "done");
        }),
      ledger: { ...ledger, append: () => new Promise<never>(() => {}) },
    });
    const { shown } = await workspace.command(arping);
    expect(shown[0]?.text).toContain("the answer comes here");
    expect(runs).toBe(0);
  });

  test.each([
    ["with a wrong signature", { signature: "wrong" as const }],
    ["stamped ten minutes ago", { stampSkewMs: -600_000 }],
  ])("%s is refused with 401", async (_, sending) => {
    const { workspace, asked } = await openDoor();
    const { deliveries } = await workspace.command({ ...arping, ...sending });
    expect(deliveries).toMatchObject([{ status: 401 }]);
    expect(asked).toEqual([]);
  });
});

describe("who asks", () => {
  test.each([
    ["a person of another workspace", "U0FOREIGN", "another workspace"],
    ["a guest", "U0GUEST", "guests"],
  ])("%s is refused with a sentence", async (_, user, word) => {
    const { workspace, asked } = await openDoor();
    const { shown } = await workspace.command({ ...arping, user });
    expect(shown).toMatchObject([{ onlyFor: user }]);
    expect(shown[0]?.text).toContain("Not allowed");
    expect(shown[0]?.text).toContain(word);
    expect(asked).toEqual([]);
  });

  test("a member whom the config does not know passes without a person", async () => {
    const { workspace, asked } = await openDoor();
    await workspace.command({ ...arping, user: "U0VIEWER" });
    expect(asked).toMatchObject([{ account: "U0VIEWER" }]);
    expect(asked[0]?.person).toBeUndefined();
  });

  test("without users:read a guest cannot be told from a member and may ask", async () => {
    const spec = (await newWorkspace()).spec.app;
    const workspace = await newWorkspace({
      workspace: { app: { ...spec, scopes: spec.scopes.filter((scope) => scope !== "users:read") } },
    });
    const { asked } = await openDoor({ workspace });
    await workspace.command({ ...arping, user: "U0GUEST" });
    expect(asked).toHaveLength(1);
  });

  test("nobody is let in unchecked while Slack cannot say who they are", async () => {
    const { workspace, asked } = await openDoor();
    workspace.failNext("users.info", { status: 500, times: 5 });
    const { shown } = await workspace.command({ ...arping, user: "U0VIEWER" });
    expect(shown[0]?.text).toContain("Not allowed");
    expect(asked).toEqual([]);
  });
});

describe("where the bot is not", () => {
  const elsewhere = { ...arping, channel: "C0RANDOM" } as const;

  test("the answer comes by the reply address and asks for an invitation", async () => {
    const { workspace } = await openDoor({
      ask: () => job(async () => answer("OK", "bettley answers"), { slow: true }),
    });
    await workspace.command(elsewhere);
    const said = await workspace.waitForMessage((m) => m.text.includes("bettley answers"), 5_000);
    expect(said.channel).toBe("C0RANDOM");
    expect(workspace.renderText(said)).toContain("/invite");
    expect(workspace.messages("C0RANDOM").filter((m) => m.botId)).toHaveLength(1);
    expect(workspace.violations().map((v) => v.error)).toEqual(["not_in_channel"]);
  });

  test("a result with files says that they cannot be attached there", async () => {
    const { workspace } = await openDoor({ ask: () => job(async () => longTable) });
    await workspace.command(elsewhere);
    const said = await workspace.waitForMessage((m) => m.text.includes("200 rows"), 5_000);
    expect(workspace.renderText(said)).toContain("cannot be attached");
  });
});

const longTable = answer("OK", "200 rows", {
  blocks: [
    {
      kind: "table",
      title: "Addresses",
      columns: [{ title: "service" }, { title: "address" }],
      rows: Array.from({ length: 200 }, (_, i) => [[`service-${i}`], [`10.4.11.${i}`]]),
    },
  ],
});

describe("a result that does not fit a message", () => {
  test("comes whole as a file in the thread", async () => {
    const { workspace } = await openDoor({ ask: () => job(async () => longTable) });
    const { shown } = await workspace.command(arping);
    expect(shown).toEqual([]);
    const message = await workspace.waitForMessage((m) => m.text.includes("200 rows"), 5_000);
    const file = await workspace.waitFor(
      () => workspace.files().find((f) => f.sharedIn !== undefined),
      5_000,
    );
    expect(file.sharedIn).toEqual({ channel: "C0PLATFORM", threadTs: message.ts });
    const whole = Buffer.from(file.bytes ?? []).toString("utf8");
    expect(whole).toContain("service-0 ");
    expect(whole).toContain("service-199");
    expect(workspace.violations()).toEqual([]);
  });

  test.each([
    ["from the start", true],
    ["only when the upload is refused", false],
  ])("says so when files:write is missing, known %s", async (_, told) => {
    const { spec } = await newWorkspace();
    const workspace = await newWorkspace({
      workspace: { app: { ...spec.app, scopes: spec.app.scopes.filter((scope) => scope !== "files:write") } },
    });
    const { door } = await openDoor({ workspace, ask: () => job(async () => longTable) });
    await workspace.command(arping);
    const message = await workspace.waitFor(
      () => workspace.messages("C0PLATFORM").find((m) => workspace.renderText(m).includes("files:write")),
      8_000,
    );
    expect(message.text).toContain("200 rows");
    if (told) expect(door.problems().map((p) => p.subject.name)).not.toContain("chat:write");
  });
});

test("commands in one channel wait for Slack's limit instead of running into it", async () => {
  const { workspace } = await openDoor({
    ask: (asked) => job(async () => answer("OK", `answer to ${asked.words}`), { slow: true }),
  });
  await Promise.all(
    Array.from({ length: 7 }, (_, i) =>
      workspace.command({ ...inChannel, command: "/nodes", text: `n${i}` }),
    ),
  );
  await workspace.waitFor(
    () => workspace.messages("C0PLATFORM").filter((m) => m.text.includes("answer to")).length === 7,
    15_000,
  );
  expect(workspace.violations()).toEqual([]);
});
