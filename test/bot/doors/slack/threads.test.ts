import { afterEach, describe, expect, test } from "vitest";
import { shortcuts } from "#bot/doors/slack/shortcuts.ts";
import type { ThreadWords } from "#bot/doors/slack/thread-words.ts";
import type { Reply } from "#shared/reply.ts";
import { answer, answered, closeAll, inChannel, job, openDoor } from "./open-door.ts";

afterEach(closeAll);

const threads: ThreadWords = (key, words) =>
  key !== "run/R-17"
    ? undefined
    : words.startsWith("next") || words === "skip prove --reason 'I saw it'"
      ? { words: `migrate ${words} R-17` }
      : words.startsWith("arping")
        ? undefined
        : {
            reply: answer("Not understood", "", {
              verdict: { word: "Not understood", outcome: "usage", text: ["here: next"] },
            }),
          };

/** A door with a run that stands in the channel. */
async function withRun(via: "http" | "socket", reply: Reply = answer("OK", "step 6 is done")) {
  const open = await openDoor({
    via,
    threads,
    slack: { reportChannel: "C0PLATFORM" },
    ask: () => job(async () => reply),
  });
  await open.door.board.put("run/R-17", answer("bgp-to-l2", "step 5 of 11"));
  const standing = await open.workspace.waitForMessage((m) => m.text.includes("step 5 of 11"), 5_000);
  return { ...open, standing };
}

describe.each(["http", "socket"] as const)("in a run's thread over %s", (via) => {
  test("a mention is asked about that run, with the mentioner's rights, and answered there", async () => {
    const { workspace, asked, standing } = await withRun(via);
    await workspace.mention({
      user: "U0APPROVER",
      channel: "C0PLATFORM",
      threadTs: standing.ts,
      text: "skip prove --reason 'I saw it'",
      keyboard: "smart",
    });
    const said = await workspace.waitForMessage((m) => m.text.includes("step 6 is done"), 5_000);
    expect(said.threadTs).toBe(standing.ts);
    expect(asked).toMatchObject([
      {
        words: "migrate skip prove --reason 'I saw it' R-17",
        account: "U0APPROVER",
        person: { name: "approver" },
      },
    ]);
    expect(workspace.violations()).toEqual([]);
  });

  test("the shortcut on the message or on one of its thread does the next step", async () => {
    const { workspace, asked, standing } = await withRun(via);
    const [{ callback }] = shortcuts;
    await workspace.shortcut({ user: "U0OPERATOR", message: standing, callbackId: callback });
    await workspace.waitForMessage((m) => m.text.includes("step 6 is done"), 5_000);
    const below = workspace.say({ ...inChannel, text: "go on", threadTs: standing.ts });
    await workspace.shortcut({ user: "U0APPROVER", message: below, callbackId: callback });
    await expect.poll(() => asked.length, { timeout: 5_000 }).toBe(2);
    expect(asked).toMatchObject([
      { words: "migrate next R-17", account: "U0OPERATOR" },
      { words: "migrate next R-17", account: "U0APPROVER" },
    ]);
    await expect
      .poll(() => workspace.thread("C0PLATFORM", standing.ts).filter((m) => m.text.includes("step 6")).length)
      .toBe(2);
    expect(workspace.violations()).toEqual([]);
  });
});

describe("in a run's thread", () => {
  test("words of none of its verbs get usage, to the asker alone; other commands stay commands", async () => {
    const { workspace, asked, standing } = await withRun("http");
    await workspace.mention({ ...inChannel, threadTs: standing.ts, text: "nxxt" });
    const said = await workspace.waitForMessage((m) => m.text.includes("here: next"), 5_000);
    expect(said.onlyFor).toBe("U0OPERATOR");
    await workspace.mention({ ...inChannel, threadTs: standing.ts, text: "arping httpbin" });
    await expect.poll(() => asked.map(({ words }) => words)).toEqual(["arping httpbin"]);
  });

  test("a shortcut that is delivered twice is one step", async () => {
    const { workspace, asked, standing } = await withRun("http");
    await workspace.shortcut({
      user: "U0OPERATOR",
      message: standing,
      callbackId: shortcuts[0].callback,
      duplicate: true,
    });
    await workspace.waitForMessage((m) => m.text.includes("step 6 is done"), 5_000);
    expect(asked).toHaveLength(1);
  });

  test("a guest's shortcut is refused and asks nothing", async () => {
    const { workspace, asked, standing } = await withRun("http");
    await workspace.shortcut({ user: "U0GUEST", message: standing, callbackId: shortcuts[0].callback });
    const said = await workspace.waitForMessage((m) => m.text.includes("guests"), 5_000);
    expect(said.onlyFor).toBe("U0GUEST");
    expect(asked).toEqual([]);
  });
});

describe("elsewhere", () => {
  test("a mention is an ordinary command, also in the thread of something else", async () => {
    const { workspace, asked } = await withRun("http");
    const parent = workspace.say({ ...inChannel, text: "lunch?" });
    await workspace.mention({ ...inChannel, threadTs: parent.ts, text: "next" });
    await workspace.mention({ ...inChannel, text: "next" });
    await expect.poll(() => asked.map(({ words }) => words)).toEqual(["next", "next"]);
  });

  test("the shortcut says privately that the message is no run's", async () => {
    const { workspace, asked } = await withRun("http");
    const message = workspace.say({ ...inChannel, text: "lunch?" });
    await workspace.shortcut({ user: "U0OPERATOR", message, callbackId: shortcuts[0].callback });
    const said = await workspace.waitForMessage((m) => m.text.includes("belongs to no run"), 5_000);
    expect(said.onlyFor).toBe("U0OPERATOR");
    expect(asked).toEqual([]);
    expect(workspace.violations()).toEqual([]);
  });

  test("a ledger that cannot tell whose thread it is leaves the words as they are", async () => {
    const gone = () => Promise.reject(new Error("disk gone"));
    const { workspace, asked } = await openDoor({
      threads,
      ledger: { read: gone, append: gone, list: gone, lease: gone, release: gone, close: async () => {} },
      ask: () => answered(answer("OK", "answered")),
    });
    const parent = workspace.say({ ...inChannel, text: "lunch?" });
    await workspace.mention({ ...inChannel, threadTs: parent.ts, text: "arping httpbin" });
    await workspace.waitForMessage((m) => m.text.includes("answered"), 5_000);
    expect(asked).toMatchObject([{ words: "arping httpbin" }]);
  });
});
