import { afterEach, describe, expect, test } from "vitest";
import { createWishes } from "#bot/doors/slack/board.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import type { SlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Reply } from "#shared/reply.ts";
import { answer, closeAll, newLedger, newWorkspace, openDoor } from "./open-door.ts";

/** What dead processes wait for; it has to end before their doors can be closed. */
const graves: (() => void)[] = [];

afterEach(async () => {
  for (const bury of graves.splice(0)) bury();
  await closeAll();
});

const key = "run/R-17";
const ours = (message: Readonly<{ botId?: string }>): boolean => message.botId !== undefined;
const state = (words: string, more: Partial<Reply> = {}): Reply => answer("step", words, more);
const running = (words: string): Reply => ({
  ...state(words),
  verdict: { word: "step", outcome: "running", text: [words] },
});
const report = { slack: { reportChannel: "C0PLATFORM" } };
const heads = (workspace: SlackWorkspace, channel = "C0PLATFORM"): readonly Message[] =>
  workspace.messages(channel).filter((m) => ours(m) && m.threadTs === undefined);
const replies = (workspace: SlackWorkspace, channel = "C0PLATFORM"): readonly Message[] =>
  workspace.messages(channel).filter((m) => ours(m) && m.threadTs !== undefined);
const saying = (words: string) => (m: Readonly<{ text: string }>) => m.text.includes(words);

async function without(...scopes: readonly string[]): Promise<SlackWorkspace> {
  const { spec } = await newWorkspace();
  return newWorkspace({
    workspace: { app: { ...spec.app, scopes: spec.app.scopes.filter((scope) => !scopes.includes(scope)) } },
  });
}

describe.each(["http", "socket"] as const)("a standing message over %s", (via) => {
  test("is posted once, edited as the thing changes, with its notes and files in its thread", async () => {
    const { workspace, door } = await openDoor({ via, ...report });
    await door.board.put(key, state("1 of 11"));
    const first = await workspace.waitForMessage(saying("1 of 11"), 5_000);
    await door.board.note(key, "survey", state("14 findings"), [
      { name: "survey.patch", text: "--- a\n+++ b\n" },
      { name: "path.png", text: new Uint8Array([137, 80, 78, 71]) },
    ]);
    await door.board.put(key, state("2 of 11"));
    const said = await workspace.waitForMessage(saying("14 findings"), 5_000);
    expect(said.threadTs).toBe(first.ts);
    await workspace.waitForMessage((m) => m.ts === first.ts && m.text.includes("2 of 11"), 5_000);
    await workspace.waitFor(() => workspace.files().length === 2 && workspace.files(), 5_000);
    expect(
      workspace.files().map((file) => [file.name, Buffer.from(file.bytes ?? []).length, file.sharedIn]),
    ).toEqual([
      ["survey.patch", 12, { channel: "C0PLATFORM", threadTs: first.ts }],
      ["path.png", 4, { channel: "C0PLATFORM", threadTs: first.ts }],
    ]);
    expect(heads(workspace)).toHaveLength(1);
    expect(await door.board.keyOf("C0PLATFORM", first.ts)).toBe(key);
    expect(await door.board.keyOf("C0PLATFORM", said.ts)).toBeUndefined();
    expect(workspace.violations()).toEqual([]);
  });

  test("has buttons like any other, which give way to what was decided", async () => {
    const { workspace, door, pressed } = await openDoor({ via, ...report });
    await door.board.put(
      key,
      state("waits", { actions: [{ id: "approve", label: "Approve and run", value: "R-17/5/7c1e" }] }),
    );
    const message = await workspace.waitForMessage(saying("waits"), 5_000);
    await workspace.click({ user: "U0APPROVER", message, label: "Approve and run" });
    const told = await workspace.waitForMessage(saying("pressed approve"), 5_000);
    expect(told.threadTs).toBe(message.ts);
    expect(pressed).toMatchObject([{ action: "approve", value: "R-17/5/7c1e", account: "U0APPROVER" }]);
    await door.board.put(key, state("approved by @approver"));
    const after = await workspace.waitForMessage(
      (m) => m.ts === message.ts && m.text.includes("approved"),
      5_000,
    );
    expect(after.blocks.filter((block) => block.type === "actions")).toEqual([]);
  });
});

describe("a standing message", () => {
  test("stands in the place of its first wish, also in somebody's thread, and that thread is its own", async () => {
    const { workspace, door } = await openDoor(report);
    const parent = workspace.say({ user: "U0OPERATOR", channel: "C0ALERTS", text: "httpbin is down" });
    await door.board.put("alert/1", state("diagnosis"), { channel: "C0ALERTS", thread: parent.ts });
    const said = await workspace.waitForMessage(saying("diagnosis"), 5_000);
    expect(said.threadTs).toBe(parent.ts);
    await door.board.put("alert/1", state("resolved"), { channel: "C0PLATFORM" });
    await door.board.note("alert/1", "a", state("evidence"));
    await workspace.waitForMessage((m) => m.ts === said.ts && m.text.includes("resolved"), 5_000);
    const note = await workspace.waitForMessage(saying("evidence"), 5_000);
    expect(note.threadTs).toBe(parent.ts);
    expect(await door.board.keyOf("C0ALERTS", parent.ts)).toBe("alert/1");
    expect(heads(workspace)).toEqual([]);
  });

  test("with a wish that was there before the door opened is posted when it opens", async () => {
    const ledger = newLedger();
    const wishes = createWishes({ ledger, clock: systemClock, log: () => {} });
    await wishes.board.put(key, state("early"));
    await wishes.board.note(key, "n", state("early note"));
    const { workspace } = await openDoor({ ledger, wishes, ...report });
    await workspace.waitForMessage(saying("early note"), 5_000);
    expect(heads(workspace)).toHaveLength(1);
  });

  test("that says the same again is not sent again", async () => {
    const { workspace, door, ledger } = await openDoor(report);
    await door.board.put(key, state("same"));
    await workspace.waitForMessage(saying("same"), 5_000);
    const before = (await ledger.read(`board/${key}`)).length;
    await door.board.put(key, state("same"));
    expect(await ledger.read(`board/${key}`)).toHaveLength(before);
    expect(workspace.calls("chat.update")).toEqual([]);
  });

  test("carries what does not fit it as a file, once for each content", async () => {
    const { workspace, door } = await openDoor(report);
    const rows = (n: number) =>
      Array.from({ length: n }, (_, i) => [
        [`record-${i}.services.k8s.goldentooth.net`],
        [`10.4.11.${i % 250}`],
      ]);
    const table = (n: number): Reply =>
      state(`${n} differences`, {
        blocks: [
          { kind: "table", title: "Drift", columns: [{ title: "record" }, { title: "want" }], rows: rows(n) },
        ],
      });
    await door.board.put("drift/goldentooth.net", table(300));
    await workspace.waitFor(() => workspace.files().length === 1, 5_000);
    await door.board.put("drift/goldentooth.net", { ...table(300), why: ["as before"] });
    await workspace.waitFor(() => workspace.calls("chat.update").length === 1, 5_000);
    await door.board.put("drift/goldentooth.net", table(301));
    await workspace.waitFor(() => workspace.files().length === 2, 5_000);
    expect(workspace.violations()).toEqual([]);
  });

  test("wished for 200 times in a second ends in one message with the last state, at the pace of edits", async () => {
    const { workspace, door } = await openDoor({ ...report, pace: { messageMs: 300 } });
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        door.board.put(key, i < 199 ? running(`state ${i}`) : state("the end")),
      ),
    );
    await workspace.waitForMessage(saying("the end"), 5_000);
    expect(heads(workspace)).toHaveLength(1);
    expect(workspace.calls("chat.update").length).toBeLessThanOrEqual(3);
    const at = workspace.calls("chat.update").map((call) => call.at);
    for (const [i, time] of at.entries())
      if (i > 0) expect(time - (at[i - 1] ?? 0)).toBeGreaterThanOrEqual(280);
  });
});

describe("a note", () => {
  test("is posted once for its id, however often and by however many it is wished for", async () => {
    const one = await openDoor(report);
    const two = await openDoor({ ...report, workspace: one.workspace, ledger: one.ledger, owner: "door-2" });
    await one.door.board.put(key, state("1 of 2"));
    await Promise.all([
      one.door.board.note(key, "same", state("evidence"), [{ name: "e.txt", text: "x".repeat(400_000) }]),
      two.door.board.note(key, "same", state("evidence"), [{ name: "e.txt", text: "x".repeat(400_000) }]),
      one.door.board.note(key, "same", state("evidence")),
    ]);
    await two.door.board.note(key, "other", state("the other"));
    await one.workspace.waitForMessage(saying("the other"), 8_000);
    expect(replies(one.workspace).filter(saying("evidence"))).toHaveLength(1);
    expect(one.workspace.files().filter((file) => file.name === "e.txt").length).toBeLessThanOrEqual(1);
  });

  test("brings its pictures as files", async () => {
    const { workspace, door } = await openDoor(report);
    await door.board.put(key, state("1 of 2"));
    await door.board.note(
      key,
      "gap",
      state("a gap of 4 s", {
        blocks: [
          {
            kind: "image",
            title: "Who answered",
            alt: "bettley until 14:02:09",
            png: new Uint8Array([1, 2, 3]),
          },
        ],
      }),
    );
    await workspace.waitFor(() => workspace.files().length === 1, 5_000);
    expect(workspace.files()).toMatchObject([{ name: "who-answered.png", length: 3 }]);
    expect(workspace.renderText(replies(workspace)[0]!)).toContain("bettley until 14:02:09");
  });

  test("without the scope for files says so, and the next note comes all the same", async () => {
    const workspace = await without("files:write");
    const { door } = await openDoor({ workspace, ...report });
    await door.board.put(key, state("1 of 2"));
    await door.board.note(key, "a", state("patch"), [{ name: "a.patch", text: "x" }]);
    await door.board.note(key, "b", state("after it"));
    await workspace.waitForMessage(saying("after it"), 5_000);
    const told = workspace.messages("C0PLATFORM").find(saying("patch"));
    expect(workspace.renderText(told!)).toContain("files:write");
  });
});

describe("trouble on the way", () => {
  test.each([
    ["429", 429 as const],
    ["503", 503 as const],
  ])("a storm of %s ends in one message with the last state and every note once", async (_, status) => {
    const { workspace, door } = await openDoor(report);
    workspace.failNext("chat.postMessage", { status, times: 2 });
    workspace.failNext("chat.update", { status, times: 2 });
    await door.board.put(key, running("1 of 3"));
    await door.board.note(key, "a", state("note a"));
    await door.board.put(key, running("2 of 3"));
    await door.board.put(key, state("3 of 3"));
    await workspace.waitForMessage(saying("note a"), 20_000);
    await workspace.waitForMessage(saying("3 of 3"), 20_000);
    expect(heads(workspace)).toHaveLength(1);
    expect(replies(workspace)).toHaveLength(1);
    expect(workspace.renderText(heads(workspace)[0]!)).not.toContain("repeated");
    expect(workspace.violations()).toEqual([]);
  });

  test("an answer that is lost after the post makes no second message", async () => {
    const { workspace, door } = await openDoor(report);
    workspace.dropConnectionNext("chat.postMessage");
    await door.board.put(key, state("1 of 3"));
    await door.board.note(key, "a", state("note a"));
    await workspace.waitForMessage(saying("note a"), 8_000);
    await door.board.put(key, state("2 of 3"));
    await workspace.waitForMessage(saying("2 of 3"), 8_000);
    expect(heads(workspace)).toHaveLength(1);
    expect(workspace.renderText(heads(workspace)[0]!)).not.toContain("repeated");
  });

  test("the same without history: the one that is kept current says that there may be another", async () => {
    const workspace = await without("channels:history");
    const { door } = await openDoor({ workspace, ...report });
    workspace.dropConnectionNext("chat.postMessage");
    await door.board.put(key, state("1 of 3"));
    const said = await workspace.waitFor(
      () => heads(workspace).find((m) => workspace.renderText(m).includes("Possibly repeated")),
      8_000,
    );
    await door.board.put(key, state("2 of 3"));
    const last = await workspace.waitForMessage(saying("2 of 3"), 8_000);
    expect(last.ts).toBe(said.ts);
    expect(workspace.renderText(last)).toContain("Possibly repeated");
  });

  test("a message that somebody deleted is posted anew with the next state, and says so", async () => {
    const { workspace, door } = await openDoor(report);
    await door.board.put(key, state("1 of 3"));
    const first = await workspace.waitForMessage(saying("1 of 3"), 5_000);
    await fetch(`${workspace.apiUrl}chat.delete`, {
      method: "POST",
      headers: { authorization: `Bearer ${workspace.spec.app.botToken}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: first.channel, ts: first.ts }),
    });
    await door.board.put(key, state("2 of 3"));
    const second = await workspace.waitForMessage(saying("2 of 3"), 5_000);
    expect(second.ts).not.toBe(first.ts);
    expect(workspace.renderText(second)).toContain("Posted anew");
    await door.board.note(key, "a", state("note a"));
    const note = await workspace.waitForMessage(saying("note a"), 5_000);
    expect(note.threadTs).toBe(second.ts);
    expect(await door.board.keyOf("C0PLATFORM", second.ts)).toBe(key);
    expect(heads(workspace)).toHaveLength(1);
  });

  test("a channel that closes moves the thing to the report channel, which says why", async () => {
    const { workspace, door } = await openDoor(report);
    await door.board.put("drift/z", state("1 difference"), { channel: "C0DNS" });
    await workspace.waitForMessage(saying("1 difference"), 5_000);
    workspace.changeChannel("C0DNS", { isArchived: true });
    await door.board.put("drift/z", state("2 differences"));
    const said = await workspace.waitForMessage(saying("2 differences"), 5_000);
    expect(said.channel).toBe("C0PLATFORM");
    expect(workspace.renderText(said)).toContain("C0DNS takes no message");
    await door.board.note("drift/z", "a", state("what changed"));
    const note = await workspace.waitForMessage(saying("what changed"), 5_000);
    expect(note.threadTs).toBe(said.ts);
  });

  test("where no channel takes it, status names it, and the next wish after an invitation gets through", async () => {
    const { workspace, door, log } = await openDoor();
    await door.board.put(key, state("1 of 3"), { channel: "C0RANDOM" });
    await expect
      .poll(() => door.problems().map((f) => f.code), { timeout: 5_000 })
      .toContain("slack-message-undelivered");
    expect(JSON.stringify(log)).toContain("not delivered");
    workspace.changeChannel("C0RANDOM", { members: ["U0OPERATOR", "U0ARPEGGIO"] });
    await door.board.put(key, state("2 of 3"));
    await workspace.waitForMessage(saying("2 of 3"), 5_000);
    await expect.poll(() => door.problems().map((f) => f.code)).not.toContain("slack-message-undelivered");
  });

  test("no channel at all is told, not forgotten", async () => {
    const { door } = await openDoor();
    await door.board.put(key, state("1 of 3"));
    await expect.poll(() => JSON.stringify(door.problems()), { timeout: 5_000 }).toContain("reportChannel");
  });

  test("a ledger that cannot be written refuses the wish instead of losing it", async () => {
    const gone = () => Promise.reject(new Error("disk gone"));
    const { door } = await openDoor({
      ...report,
      ledger: { read: gone, append: gone, list: gone, lease: gone, release: gone, close: async () => {} },
    });
    await expect(door.board.put(key, state("1 of 3"))).rejects.toThrow("disk gone");
    await expect(door.board.note(key, "a", state("a"))).rejects.toThrow("disk gone");
  });
});

/** Calls of a process that is killed in the moment before or after one of them: from then on nothing of it happens. */
function mortal(ledger: Ledger, dies: (type: string, stream: string) => "before" | "after" | undefined) {
  let dead = false;
  const grave = Promise.withResolvers<never>();
  const never = grave.promise;
  never.catch(() => {});
  graves.push(() => grave.reject(new Error("killed")));
  const alive = <T>(work: () => Promise<T>): Promise<T> => (dead ? never : work());
  const mine: Ledger = {
    ...ledger,
    read: (...args) => alive(() => ledger.read(...args)),
    list: (...args) => alive(() => ledger.list(...args)),
    lease: (...args) => alive(() => ledger.lease(...args)),
    release: (...args) => alive(() => ledger.release(...args)),
    append: (stream, version, event) =>
      alive(async () => {
        const when = dies(event.type, stream);
        if (when === "before") {
          dead = true;
          return never;
        }
        const done = await ledger.append(stream, version, event);
        if (when === "after") {
          dead = true;
          return never;
        }
        return done;
      }),
  };
  return { ledger: mine, isDead: () => dead };
}

/** Leases that end soon after their holder, and no long farewells of the dead. */
const hasty = { leaseMs: 100, longLeaseMs: 150, farewellMs: 10, messageMs: 20 };

describe("a process that is killed", () => {
  /** The points around each sending: what was written, what was sent, and what the next process must make of it. */
  const points = [
    ["after the wish, before anything else", "put", "after", false],
    ["before its intent is written", "intended", "before", false],
    ["after its intent, before the post", "intended", "after", true],
    ["after the post, before that is written", "posted", "before", true],
    ["after all is written", "posted", "after", false],
  ] as const;

  const run = async (
    workspace: SlackWorkspace,
    type: string,
    when: "before" | "after",
    what: "message" | "note",
  ) => {
    const ledger = newLedger();
    let armed = what === "message";
    const first = mortal(ledger, (one, stream) =>
      armed && one === (type === "put" && what === "note" ? "note" : type) && stream === `board/${key}`
        ? when
        : undefined,
    );
    const one = await openDoor({
      workspace,
      ledger: first.ledger,
      owner: "first",
      ...report,
      pace: hasty,
    });
    if (what === "note") {
      await one.door.board.put(key, state("1 of 3"));
      await workspace.waitForMessage(saying("1 of 3"), 5_000);
      await expect.poll(async () => (await ledger.read(`board/${key}`)).at(-1)?.type).toBe("posted");
      await systemClock.sleep(30);
      armed = true;
      one.door.board.note(key, "a", state("evidence"), [{ name: "a.txt", text: "a" }]).catch(() => {});
    } else one.door.board.put(key, state("1 of 3")).catch(() => {});
    await expect.poll(first.isDead, { timeout: 5_000 }).toBe(true);
    const two = await openDoor({
      workspace,
      ledger,
      owner: "second",
      ...report,
      pace: hasty,
    });
    await workspace.waitForMessage(saying(what === "message" ? "1 of 3" : "evidence"), 5_000);
    await two.door.board.put(key, state("2 of 3"));
    await workspace.waitForMessage(saying("2 of 3"), 5_000);
    return two;
  };

  test.each(points)("%s: the next one delivers the message exactly once", async (_, type, when) => {
    const workspace = await newWorkspace();
    await run(workspace, type, when, "message");
    expect(heads(workspace)).toHaveLength(1);
    expect(workspace.renderText(heads(workspace)[0]!)).not.toContain("repeated");
  });

  test.each(
    points,
  )("%s, without history: delivered, and what may be a repetition says so", async (_, type, when, unsure) => {
    const workspace = await without("channels:history");
    await run(workspace, type, when, "message");
    const last = heads(workspace).at(-1)!;
    expect(workspace.renderText(last).includes("Possibly repeated")).toBe(unsure);
    expect(heads(workspace)).toHaveLength(type === "posted" && when === "before" ? 2 : 1);
    expect(last.text).toContain("2 of 3");
  });

  test.each([
    ...points,
    ["before the upload is begun", "uploading", "before", false],
    ["before the upload", "uploading", "after", false],
    ["after the upload", "uploaded", "before", false],
    ["before the note is closed", "closed", "before", false],
  ] as const)("%s: the next one delivers the note and its file exactly once", async (_, type, when) => {
    const workspace = await newWorkspace();
    await run(workspace, type, when, "note");
    await workspace.waitFor(() => workspace.files().some((file) => file.sharedIn !== undefined), 5_000);
    await expect.poll(() => replies(workspace).filter((m) => m.files.length > 0).length).toBe(1);
    expect(replies(workspace).filter(saying("evidence"))).toHaveLength(1);
    expect(heads(workspace)).toHaveLength(1);
  });
});

describe("two processes on one ledger", () => {
  test("post a thing once, whoever wishes, and the last wish stands", async () => {
    const one = await openDoor(report);
    const { workspace, ledger } = one;
    const two = await openDoor({ ...report, workspace, ledger, owner: "door-2" });
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).door.board.put(key, running(`state ${i}`))),
    );
    await two.door.board.put(key, state("the end"));
    await workspace.waitForMessage(saying("the end"), 5_000);
    await systemClock.sleep(300);
    expect(heads(workspace)).toHaveLength(1);
    expect(heads(workspace)[0]?.text).toContain("the end");
    expect(workspace.violations()).toEqual([]);
  });

  test("one that was thought to be gone takes its second message back", async () => {
    const workspace = await without("channels:history");
    const ledger = newLedger();
    // Its request arrives, its answer comes after its lease has run out and somebody else has looked and posted.
    const slow = await openDoor({
      workspace,
      ledger,
      owner: "slow",
      ...report,
      pace: { leaseMs: 50, longLeaseMs: 50 },
    });
    const before = workspace.calls("chat.postMessage").length;
    workspace.slowNext("chat.postMessage", 400);
    await slow.door.board.put(key, state("1 of 3"));
    await workspace.waitFor(() => workspace.calls("chat.postMessage").length > before, 5_000);
    await openDoor({ workspace, ledger, owner: "quick", ...report });
    await systemClock.sleep(800);
    expect(workspace.calls("chat.postMessage")).toHaveLength(2);
    expect(workspace.calls("chat.delete")).toHaveLength(1);
    expect(heads(workspace)).toHaveLength(1);
    expect(workspace.renderText(heads(workspace)[0]!)).toContain("Possibly repeated");
  });
});
