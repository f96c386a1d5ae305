import { afterEach, describe, expect, test } from "vitest";
import type { Reply } from "#shared/reply.ts";
import { answer, arping, closeAll, held, job, newLedger, newWorkspace, openDoor } from "./open-door.ts";

afterEach(closeAll);

const ours = (message: Readonly<{ botId?: string }>): boolean => message.botId !== undefined;

/** A workspace whose app lacks some scopes. */
async function without(...scopes: readonly string[]) {
  const { spec } = await newWorkspace();
  return newWorkspace({
    workspace: { app: { ...spec.app, scopes: spec.app.scopes.filter((scope) => !scopes.includes(scope)) } },
  });
}

describe("a storm", () => {
  test.each([
    ["429", 429 as const],
    ["503", 503 as const],
  ])("of %s on posts and edits still ends in exactly one message with the final state", async (_, status) => {
    const end = held<Reply>();
    const { workspace } = await openDoor({ ask: () => job(() => end.promise, { slow: true }) });
    workspace.failNext("chat.postMessage", { status, times: 2 });
    await workspace.command(arping);
    await workspace.waitForMessage((m) => ours(m) && !m.onlyFor && m.text.includes("started"), 15_000);
    workspace.failNext("chat.update", { status, times: 2 });
    end.resolve(answer("OK", "after the storm"));
    await workspace.waitForMessage((m) => m.text.includes("after the storm"), 15_000);
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
    expect(workspace.violations()).toEqual([]);
  });

  test("keeps only the latest of many states, and edits no more often than it may", async () => {
    const shows = held<(reply: Reply) => void>();
    const end = held<Reply>();
    const { workspace } = await openDoor({
      ask: () =>
        job(
          (show) => {
            shows.resolve(show);
            return end.promise;
          },
          { slow: true },
        ),
      pace: { messageMs: 300 },
    });
    await workspace.command(arping);
    const show = await shows.promise;
    for (let i = 1; i <= 200; i++) show(answer("…", `state ${i}`));
    await workspace.waitForMessage((m) => m.text.includes("state 200"), 5_000);
    end.resolve(answer("OK", "the end"));
    const last = await workspace.waitForMessage((m) => m.text.includes("the end"), 5_000);
    show(answer("…", "too late"));
    expect(workspace.edits("C0PLATFORM", last.ts).length).toBeLessThanOrEqual(3);
    const at = workspace.calls("chat.update").map((call) => call.at);
    at.forEach((time, i) => {
      if (i > 0) expect(time - at[i - 1]!).toBeGreaterThanOrEqual(290);
    });
    expect(workspace.messages("C0PLATFORM").at(-1)?.text).toContain("the end");
  });

  test("a final state does not queue behind the progress of others", async () => {
    const ends = [held<Reply>(), held<Reply>()];
    let nth = 0;
    const { workspace } = await openDoor({
      ask: () => {
        const end = ends[nth++];
        return job(
          async (show) => {
            show(answer("…", "working"));
            return (await end?.promise) ?? answer("?", "?");
          },
          { slow: true, id: `R-${nth}` },
        );
      },
      pace: { editsPerMinute: 1 },
    });
    await workspace.command(arping);
    await workspace.command(arping);
    ends[0]?.resolve(answer("OK", "first end"));
    ends[1]?.resolve(answer("OK", "second end"));
    await workspace.waitForMessage((m) => m.text.includes("first end"), 5_000);
    await workspace.waitForMessage((m) => m.text.includes("second end"), 5_000);
  });
});

describe("an answer of Slack's that is lost on its way", () => {
  test("does not make a second message when history tells that the first arrived", async () => {
    const { workspace } = await openDoor({
      ask: () => job(async () => answer("OK", "arrived"), { slow: true }),
    });
    workspace.dropConnectionNext("chat.postMessage");
    await workspace.command(arping);
    await workspace.waitForMessage((m) => !m.onlyFor && m.text.includes("arrived"), 10_000);
    const said = workspace.messages("C0PLATFORM").filter(ours);
    expect(said).toHaveLength(1);
    expect(workspace.renderText(said[0]!)).not.toContain("repeated");
  });

  test("makes a message that says it may be a repetition when history is closed to the app", async () => {
    const workspace = await without("channels:history");
    await openDoor({ workspace, ask: () => job(async () => answer("OK", "arrived"), { slow: true }) });
    workspace.dropConnectionNext("chat.postMessage");
    await workspace.command(arping);
    const said = await workspace.waitFor(
      () =>
        workspace.messages("C0PLATFORM").find((m) => workspace.renderText(m).includes("Possibly repeated")),
      10_000,
    );
    expect(said.text).toContain("arrived");
  });
});

describe("blocks that Slack refuses", () => {
  test("are sent in the plain form instead, and only that remains", async () => {
    const end = held<Reply>();
    const workspace = await newWorkspace();
    const refusing = refuseBlocks(workspace.apiUrl);
    try {
      await openDoor({ workspace, ask: () => job(() => end.promise, { slow: true }) });
      await workspace.command(arping);
      await workspace.waitForMessage((m) => ours(m) && !m.onlyFor, 5_000);
      refusing.on();
      end.resolve(answer("OK", "in plain form"));
      const said = await workspace.waitForMessage(
        (m) => !m.onlyFor && m.text.includes("in plain form"),
        5_000,
      );
      await workspace.waitFor(() => workspace.messages("C0PLATFORM").filter(ours).length === 1, 5_000);
      expect(said.blocks.every((block) => block.type === "section" || block.type === "actions")).toBe(true);
    } finally {
      refusing.off();
    }
  });
});

/** A workspace that knows no rich text: the same requests, answered as an older Slack would. */
function refuseBlocks(apiUrl: string): Readonly<{ on: () => void; off: () => void }> {
  const real = globalThis.fetch;
  let refusing = false;
  // Replaced before the client is made, which keeps the function it finds.
  globalThis.fetch = async (input, init) => {
    const body = String(init?.body ?? "");
    if (refusing && String(input).startsWith(`${apiUrl}chat.`) && body.includes("rich_text"))
      return Response.json({ ok: false, error: "invalid_blocks" });
    return real(input, init);
  };
  return {
    on: () => {
      refusing = true;
    },
    off: () => {
      globalThis.fetch = real;
    },
  };
}

describe("a process that dies", () => {
  /** A ledger that another process can use after the first one is gone. */
  const dying = async (workspace: Awaited<ReturnType<typeof newWorkspace>>, what: "posting" | "working") => {
    const ledger = newLedger();
    const end = held<Reply>();
    const first = await openDoor({
      workspace,
      ledger,
      owner: "first",
      ask: () =>
        job(() => (what === "posting" ? Promise.resolve(answer("OK", "the result")) : end.promise), {
          slow: true,
        }),
    });
    return { ledger, first };
  };

  /** Takes the ledger away from under a process, as a kill does, and its sign of life with it. */
  const kill = async (ledger: ReturnType<typeof newLedger>) => {
    const held = await ledger.lease("slack-door-first", "first", 60_000);
    if (held.ok) await ledger.release("slack-door-first", held.lease.token);
  };

  test("between meaning to post and posting: the next one posts it, once", async () => {
    const workspace = await newWorkspace();
    const { ledger } = await dying(workspace, "posting");
    workspace.failNext("chat.postMessage", { status: 429, retryAfter: 60 });
    await workspace.command(arping);
    await workspace.waitFor(() => workspace.calls("chat.postMessage").length === 1, 5_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await kill(ledger);
    await openDoor({ workspace, ledger, owner: "second" });
    const said = await workspace.waitForMessage((m) => !m.onlyFor && m.text.includes("the result"), 5_000);
    expect(workspace.renderText(said)).not.toContain("repeated");
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
  });

  test("the same without history: the message says that it may be a repetition", async () => {
    const workspace = await without("channels:history");
    const { ledger } = await dying(workspace, "posting");
    workspace.failNext("chat.postMessage", { status: 429, retryAfter: 60 });
    await workspace.command(arping);
    await workspace.waitFor(() => workspace.calls("chat.postMessage").length === 1, 5_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await kill(ledger);
    await openDoor({ workspace, ledger, owner: "second" });
    const said = await workspace.waitForMessage((m) => !m.onlyFor && m.text.includes("the result"), 5_000);
    expect(workspace.renderText(said)).toContain("Possibly repeated");
  });

  test("in the middle of its work: the started message ends as unknown, with what to do", async () => {
    const workspace = await newWorkspace();
    const { ledger } = await dying(workspace, "working");
    await workspace.command(arping);
    const started = await workspace.waitForMessage(
      (m) => ours(m) && !m.onlyFor && m.text.includes("started"),
      5_000,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    await kill(ledger);
    await openDoor({ workspace, ledger, owner: "second" });
    const said = await workspace.waitForMessage(
      (m) => m.ts === started.ts && m.text.includes("UNKNOWN"),
      5_000,
    );
    expect(said.text).toContain("/arping httpbin");
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
  });

  test("a process that lives keeps its messages when another one starts", async () => {
    const workspace = await newWorkspace();
    const { ledger } = await dying(workspace, "working");
    await workspace.command(arping);
    const started = await workspace.waitForMessage(
      (m) => ours(m) && !m.onlyFor && m.text.includes("started"),
      5_000,
    );
    const second = await openDoor({ workspace, ledger, owner: "second" });
    await second.door.stop().catch(() => {});
    expect(workspace.messages("C0PLATFORM").find((m) => m.ts === started.ts)?.text).toContain("started");
  });
});

describe("a way that closes while the work goes on", () => {
  test("of an acknowledgement: the answer comes as a message when the connection went away", async () => {
    const end = held<Reply>();
    const { workspace, door } = await openDoor({
      via: "socket",
      ask: () => job(() => end.promise),
      pace: { answerWithinMs: 2_000 },
    });
    const typed = workspace.command(arping);
    await new Promise((resolve) => setTimeout(resolve, 100));
    workspace.cutConnections();
    await workspace.waitFor(() => workspace.calls("apps.connections.open").length === 2, 5_000);
    await expect.poll(() => door.connected(), { timeout: 5_000 }).toBe(true);
    end.resolve(answer("OK", "told all the same"));
    const said = await workspace.waitForMessage(
      (m) => ours(m) && m.text.includes("told all the same"),
      5_000,
    );
    expect(said.onlyFor).toBeUndefined();
    expect(workspace.messages("C0PLATFORM").filter(ours)).toHaveLength(1);
    await typed;
  });

  test("of a channel that is archived: whoever asked gets a direct message that says why", async () => {
    const end = held<Reply>();
    const { workspace } = await openDoor({ ask: () => job(() => end.promise, { slow: true }) });
    void workspace.mention({ user: "U0OPERATOR", channel: "C0PLATFORM", text: "arping httpbin" });
    await workspace.waitForMessage((m) => ours(m) && m.text.includes("started"), 5_000);
    workspace.changeChannel("C0PLATFORM", { isArchived: true });
    end.resolve(answer("OK", "the result"));
    const said = await workspace.waitForMessage((m) => m.text.includes("the result"), 8_000);
    expect(said.channel).toBe("D0OPERATOR");
    expect(workspace.renderText(said)).toContain("takes no message");
  });

  test("of the ledger: every answer still comes, and the log says what was not written", async () => {
    const gone = () => Promise.reject(new Error("disk gone"));
    const { workspace, log } = await openDoor({
      ledger: { read: gone, append: gone, list: gone, lease: gone, release: gone, close: async () => {} },
      ask: () => job(async () => answer("OK", "without a ledger"), { slow: true }),
    });
    await workspace.command(arping);
    await workspace.waitForMessage((m) => !m.onlyFor && m.text.includes("without a ledger"), 5_000);
    expect(JSON.stringify(log)).toContain("disk gone");
    expect(workspace.violations()).toEqual([]);
  });
});
