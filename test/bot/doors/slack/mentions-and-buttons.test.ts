import { afterEach, describe, expect, test } from "vitest";
import type { Reply } from "#shared/reply.ts";
import { answer, answered, arping, closeAll, held, inChannel, job, openDoor } from "./open-door.ts";

afterEach(closeAll);

const ours = (message: Readonly<{ botId?: string }>): boolean => message.botId !== undefined;

describe.each(["http", "socket"] as const)("a mention over %s", (via) => {
  test("in a thread is answered in that thread, whatever the keyboard made of it", async () => {
    const { workspace, asked } = await openDoor({
      via,
      ask: () => job(async () => answer("OK", "bettley answers")),
    });
    const parent = workspace.say({ ...inChannel, text: "is httpbin up?" });
    await workspace.mention({
      ...inChannel,
      threadTs: parent.ts,
      text: 'arping httpbin.goldentooth.net --count 3 --from "ops host"',
      keyboard: "smart",
    });
    const said = await workspace.waitForMessage((m) => m.text.includes("bettley answers"), 5_000);
    expect(said.threadTs).toBe(parent.ts);
    expect(asked).toMatchObject([{ words: 'arping httpbin.goldentooth.net --count 3 --from "ops host"' }]);
    expect(workspace.violations()).toEqual([]);
  });

  test("that Slack delivers again is answered once", async () => {
    const { workspace, asked } = await openDoor({ via, ask: () => job(async () => answer("OK", "once")) });
    await workspace.mention({ ...inChannel, text: "arping httpbin", duplicate: true, redeliver: 1 });
    await workspace.waitForMessage((m) => m.text.includes("once"), 5_000);
    expect(asked).toHaveLength(1);
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
  });
});

describe("a mention", () => {
  test("that takes long shows that it started, and is edited", async () => {
    const end = held<Reply>();
    const { workspace } = await openDoor({ ask: () => job(() => end.promise, { slow: true }) });
    await Promise.race([
      workspace.mention({ ...inChannel, text: "arping httpbin" }),
      workspace.waitForMessage((m) => ours(m) && m.text.includes("started"), 5_000),
    ]);
    const first = await workspace.waitForMessage((m) => ours(m) && m.text.includes("started"), 5_000);
    end.resolve(answer("OK", "there it is"));
    await workspace.waitForMessage((m) => m.ts === first.ts && m.text.includes("there it is"), 5_000);
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
    expect(workspace.violations()).toEqual([]);
  });

  test("without words asks for help", async () => {
    const { workspace, asked } = await openDoor({ ask: () => answered(answer("Help", "all commands")) });
    await workspace.mention({ ...inChannel, text: "" });
    await workspace.waitForMessage((m) => m.text.includes("all commands"), 5_000);
    expect(asked).toMatchObject([{ words: "arpeggio help" }]);
  });

  test("that is denied is answered to the asker alone", async () => {
    const denied = answer("Not allowed", "", {
      verdict: { word: "Not allowed", outcome: "denied", text: ["operators can."] },
    });
    const { workspace } = await openDoor({ ask: () => answered(denied) });
    await workspace.mention({ ...inChannel, text: "migrate next" });
    const said = await workspace.waitForMessage((m) => m.text.includes("operators can"), 5_000);
    expect(said.onlyFor).toBe("U0OPERATOR");
    expect(workspace.messages("C0PLATFORM").filter(ours)).toEqual([]);
  });

  test("by a bot is refused in the open, once an hour", async () => {
    const { workspace, asked } = await openDoor();
    for (const text of ["arping httpbin", "arping echo"]) {
      await workspace.mention({ user: "U0OTHERBOT", channel: "C0PLATFORM", text });
    }
    await workspace.waitForMessage((m) => m.text.includes("other bots"), 5_000);
    expect(asked).toEqual([]);
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
  });

  test("by somebody of a connected workspace is refused", async () => {
    const { workspace, asked } = await openDoor();
    await workspace.mention({ user: "U0FOREIGN", channel: "C0PLATFORM", text: "arping httpbin" });
    const said = await workspace.waitForMessage((m) => m.text.includes("another workspace"), 5_000);
    expect(said.onlyFor).toBe("U0FOREIGN");
    expect(asked).toEqual([]);
  });
});

const withButton = answer("CONFLICT", "two MACs answer", {
  actions: [{ id: "again", label: "Check again", value: "R-17" }],
});

describe.each(["http", "socket"] as const)("a button over %s", (via) => {
  test("asks the app as whoever pressed it and answers in the message's thread", async () => {
    const { workspace, pressed } = await openDoor({
      via,
      ask: () => job(async () => withButton, { slow: true }),
      press: () => job(async () => answer("OK", "one MAC answers now"), { id: "R-18" }),
    });
    await workspace.command(arping);
    const message = await workspace.waitForMessage((m) => m.text.includes("two MACs"), 5_000);
    await workspace.click({ user: "U0APPROVER", message, label: "Check again" });
    const said = await workspace.waitForMessage((m) => m.text.includes("one MAC"), 5_000);
    expect(said.threadTs).toBe(message.ts);
    expect(pressed).toMatchObject([
      { action: "again", value: "R-17", account: "U0APPROVER", person: { name: "approver" } },
    ]);
    expect(workspace.violations()).toEqual([]);
  });

  test("pressed twice in a row, or delivered twice, is one press", async () => {
    const { workspace, pressed } = await openDoor({
      via,
      ask: () => job(async () => withButton, { slow: true }),
    });
    await workspace.command(arping);
    const message = await workspace.waitForMessage((m) => m.text.includes("two MACs"), 5_000);
    await Promise.all([
      workspace.click({ ...inChannel, message, label: "Check again" }),
      workspace.click({ ...inChannel, message, label: "Check again", duplicate: true }),
    ]);
    await workspace.waitForMessage((m) => m.text.includes("pressed again R-17"), 5_000);
    expect(pressed).toHaveLength(1);
    await workspace.click({ user: "U0APPROVER", message, label: "Check again" });
    expect(pressed).toHaveLength(2);
  });
});

describe("a button", () => {
  test("that comes to two processes of one ledger is one press", async () => {
    const one = await openDoor({ ask: () => job(async () => withButton, { slow: true }) });
    const two = await openDoor({ workspace: one.workspace, ledger: one.ledger, owner: "door-2" });
    const { workspace } = one;
    await workspace.command({ ...arping, requestUrl: one.door.requestUrl! });
    const message = await workspace.waitForMessage((m) => m.text.includes("two MACs"), 5_000);
    const click = { ...inChannel, message, label: "Check again" };
    await Promise.all([
      workspace.click({ ...click, requestUrl: one.door.requestUrl! }),
      workspace.click({ ...click, requestUrl: two.door.requestUrl! }),
    ]);
    await workspace.waitForMessage((m) => m.text.includes("pressed again"), 5_000);
    expect(one.pressed.length + two.pressed.length).toBe(1);
  });

  test("of another version gets one answer that says nothing was done", async () => {
    const { workspace, pressed } = await openDoor();
    const message = workspace.say({ ...inChannel, text: "something" });
    const strange = {
      ...message,
      blocks: [
        {
          type: "actions",
          block_id: "b",
          elements: [
            { type: "button", action_id: "old:approve", text: { type: "plain_text", text: "Approve" } },
          ],
        },
      ],
    };
    const { deliveries } = await workspace.click({ ...inChannel, message: strange, label: "Approve" });
    expect(deliveries).toMatchObject([{ outcome: "acked" }]);
    const said = await workspace.waitForMessage((m) => m.text.includes("nothing was done"), 5_000);
    expect(said.onlyFor).toBe("U0OPERATOR");
    expect(pressed).toEqual([]);
    expect(workspace.violations()).toEqual([]);
  });

  test("on an acknowledgement that only one person sees is answered too", async () => {
    const { workspace } = await openDoor({ ask: () => answered(withButton) });
    const { shown } = await workspace.command(arping);
    await workspace.click({ ...inChannel, message: shown[0]!, label: "Check again" });
    await workspace.waitForMessage((m) => m.text.includes("pressed again"), 5_000);
    expect(workspace.violations()).toEqual([]);
  });

  test("whose press is denied tells the presser alone", async () => {
    const denied = answer("Not allowed", "", {
      verdict: { word: "Not allowed", outcome: "denied", text: ["not yours."] },
    });
    const { workspace } = await openDoor({
      ask: () => job(async () => withButton, { slow: true }),
      press: () => answered(denied),
    });
    await workspace.command(arping);
    const message = await workspace.waitForMessage((m) => m.text.includes("two MACs"), 5_000);
    await workspace.click({ user: "U0APPROVER", message, label: "Check again" });
    const said = await workspace.waitForMessage((m) => m.text.includes("not yours"), 5_000);
    expect(said.onlyFor).toBe("U0APPROVER");
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
  });

  test("a shortcut that some older manifest offers is answered as well", async () => {
    const { workspace } = await openDoor();
    const message = workspace.say({ ...inChannel, text: "look" });
    const { deliveries } = await workspace.shortcut({ ...inChannel, message, callbackId: "add_to_timeline" });
    expect(deliveries).toMatchObject([{ outcome: "acked" }]);
    await workspace.waitForMessage((m) => m.text.includes("no shortcuts"), 5_000);
  });
});

describe("an error of ours on the way", () => {
  const broken = (): never => {
    throw new Error("a bug");
  };

  test("of a mention or a button is told with the id under which the log has it", async () => {
    const { workspace, log } = await openDoor({
      ask: (asked) =>
        asked.words === "arping httpbin" ? job(async () => withButton, { slow: true }) : broken(),
      press: broken,
    });
    await workspace.mention({ ...inChannel, text: "nodes check" });
    const said = await workspace.waitForMessage((m) => m.text.includes("Fault"), 5_000);
    expect(said.onlyFor).toBe("U0OPERATOR");
    const { id } = log.find((entry) => String(entry.error).includes("a bug")) ?? {};
    expect(said.text).toContain(String(id));

    await workspace.command(arping);
    const message = await workspace.waitForMessage((m) => m.text.includes("two MACs"), 5_000);
    await workspace.click({ user: "U0APPROVER", message, label: "Check again" });
    await workspace.waitForMessage((m) => m.onlyFor === "U0APPROVER" && m.text.includes("Fault"), 5_000);
  });

  test("of a command is told in its acknowledgement", async () => {
    const { workspace } = await openDoor({ ask: broken });
    const { shown, deliveries } = await workspace.command(arping);
    expect(deliveries).toMatchObject([{ outcome: "acked" }]);
    expect(shown[0]?.text).toContain("Fault");
  });
});
