import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { App, Asked, Pressed } from "#bot/asking.ts";
import { runConsole } from "#bot/doors/console.ts";
import { type ConsoleBoard, changedLines, createConsoleBoard } from "#bot/doors/console-board.ts";
import type { Outcome, Reply, StepState } from "#shared/reply.ts";

const run = (
  outcome: Outcome,
  said: string,
  states: readonly StepState[],
  more: Partial<Reply> = {},
): Reply => ({
  verdict: { word: "bgp-to-l2", outcome, text: [said] },
  cluster: "goldentooth",
  why: ["Nothing is withdrawn yet."],
  findings: [],
  blocks: [
    { kind: "steps", steps: states.map((state, i) => ({ title: `Step ${i + 1}`, state })) },
    { kind: "evidence", title: "long", lines: ["evidence that nobody asked for"] },
  ],
  actions: [],
  ...more,
});

/** A console whose lines are answered by `asked`, with a board beside it. */
async function typing(
  lines: readonly string[],
  asked: (words: string, board: ConsoleBoard) => Promise<Reply>,
  more: Readonly<{ json?: boolean; tty?: boolean; before?: (board: ConsoleBoard) => Promise<void> }> = {},
) {
  const board = createConsoleBoard();
  await more.before?.(board);
  const pressed: Pressed[] = [];
  const app: App = {
    ask: async ({ words }: Asked) => ({
      kind: "job",
      job: { id: "R-17", title: words, cluster: "goldentooth", slow: false, run: () => asked(words, board) },
    }),
    press: async (one) => {
      pressed.push(one);
      return { kind: "answer", reply: run("ok", "pressed", []) };
    },
  };
  const input = Object.assign(new PassThrough(), more.tty ? { isTTY: true } : {});
  const output = Object.assign(new PassThrough(), { columns: 80 });
  let written = "";
  output.on("data", (chunk: Buffer) => {
    written += chunk.toString();
  });
  input.end(`${lines.join("\n")}\n`);
  await runConsole({
    app,
    people: [{ name: "operator", os: "operator" }],
    person: { name: "operator", os: "operator" },
    account: "operator",
    mayChangePerson: true,
    input,
    output,
    json: more.json ?? false,
    colour: false,
    greeting: run("info", "up", []),
    board,
    signal: new AbortController().signal,
  });
  return { written, pressed };
}

const done: Reply = { ...run("ok", "that was it", []), blocks: [], why: ["asked"] };

describe("standing messages in the console", () => {
  it("are printed when they change: the verdict and what is new of the steps, whole where it rests", async () => {
    const { written } = await typing(["migrate next R-17"], async (_, board) => {
      await board.put("run/R-17", run("info", "2 steps, not begun", ["pending", "pending"]));
      await board.put("run/R-17", run("running", "step 1", ["running", "pending"]));
      await board.put("run/R-17", run("running", "step 2", ["done", "running"]));
      await board.put("run/R-17", run("running", "step 2", ["done", "running"]));
      await board.note("run/R-17", "s", run("info", "14 findings", []), [{ name: "a.patch", text: "abc" }]);
      await board.note("run/R-17", "s", run("info", "14 findings", []));
      await board.put("run/R-17", run("ok", "all done", ["done", "done"]));
      return done;
    });
    expect(written.split("\n").map((line) => line.trimEnd())).toEqual([
      "• bgp-to-l2  goldentooth · 2 steps, not begun",
      "Nothing is withdrawn yet.",
      "",
      "         1 Step 1",
      "         2 Step 2",
      "",
      "… bgp-to-l2  goldentooth · step 1",
      " >       1 Step 1",
      "",
      "… bgp-to-l2  goldentooth · step 2",
      " done    1 Step 1",
      " >       2 Step 2",
      "",
      "  • bgp-to-l2  goldentooth · 14 findings",
      "  Nothing is withdrawn yet.",
      "",
      "    long",
      "    evidence that nobody asked for",
      "  (file a.patch, 3 bytes)",
      "",
      "✓ bgp-to-l2  goldentooth · all done",
      "Nothing is withdrawn yet.",
      "",
      " done    1 Step 1",
      " done    2 Step 2",
      "",
      "✓ bgp-to-l2  goldentooth · that was it",
      "asked",
      "",
      "",
    ]);
  });

  it("are not said a second time by an answer that says the same", async () => {
    const waits = run("info", "step 5 waits", ["waiting"]);
    const answer: Reply = { ...waits, blocks: [] };
    const put = async (_: string, board: ConsoleBoard): Promise<Reply> => {
      await board.put("run/R-17", waits);
      return answer;
    };
    const { written } = await typing(["migrate start x"], put);
    expect(written.split("step 5 waits")).toHaveLength(2);
    const more = await typing(["migrate skip x"], async (words, on) => ({
      ...(await put(words, on)),
      why: ["Step 1 is skipped. ", ...(waits.why ?? [])],
    }));
    expect(more.written).toMatch(/\n\nStep 1 is skipped\.\n\n$/);
    // When nothing has changed above, the answer is all there is.
    const twice = await typing(["migrate start x", "migrate next"], put);
    expect(twice.written.split("step 5 waits")).toHaveLength(3);
  });

  it("say whole what a plan for a zone writes before anybody approves it, and later what is new", async () => {
    const plan = (outcome: Outcome, said: string, more: Reply["blocks"] = []): Reply => ({
      ...run(outcome, said, []),
      blocks: [
        { kind: "evidence", title: "Exactly what is sent", lines: ["DELETE old.example.com A"] },
        ...more,
      ],
    });
    const { written } = await typing(["dns plan", "dns plan P-1", "dns apply P-1"], async (words, board) => {
      const waits = plan("info", "waits for @approver");
      if (words !== "dns apply P-1") {
        await board.put("plan/P-1", waits);
        return waits;
      }
      await board.put("plan/P-1", plan("running", "approved"));
      await board.put(
        "plan/P-1",
        plan("ok", "applied", [{ kind: "evidence", title: "Batches", lines: ["batch 1 of 1: in the zone"] }]),
      );
      return done;
    });
    // Once when it was made, once when it was looked up again.
    expect(written.split("DELETE old.example.com A")).toHaveLength(3);
    expect(written.slice(written.indexOf("applied"))).toContain("batch 1 of 1: in the zone");
  });

  it("list the records of a report at first, and what is resolved later", async () => {
    const report = (said: string, records: readonly string[], resolved: string): Reply => ({
      ...run("failed", said, []),
      blocks: [
        { kind: "table", columns: [{ title: "record" }], rows: records.map((name) => [[name]]) },
        { kind: "prose", text: [resolved] },
      ],
    });
    const { written } = await typing(["x"], async (_, board) => {
      await board.put("drift/1", report("2 differences", ["one", "two"], "none yet"));
      await board.put("drift/1", report("1 difference", ["two"], "one is resolved"));
      return done;
    });
    expect(written).toMatch(/record\n {2}one\n {2}two\n/);
    expect(written.slice(written.indexOf("1 difference"))).toContain("one is resolved");
    expect(written.slice(written.indexOf("1 difference"))).not.toContain("  two");
  });

  it("tell a wrapped paragraph or step whole or not at all", () => {
    const lines = (why: string, note: string) => [
      "… AT WORK  step 8 of 17,",
      "  Canary",
      why,
      "the end of it.",
      "",
      ` done     1 ${note}`,
      "            carries traffic",
      " >        8 Canary",
    ];
    expect(changedLines(lines("Changed.", "Survey"), lines("Nothing.", "Survey"), true)).toEqual([
      "… AT WORK  step 8 of 17,",
      "  Canary",
      "Changed.",
      "the end of it.",
    ]);
    expect(changedLines(lines("Same.", "Survey 1"), lines("Same.", "Survey"), true)).toEqual([
      "… AT WORK  step 8 of 17,",
      "  Canary",
      " done     1 Survey 1",
      "            carries traffic",
    ]);
  });

  it("leave out how far a step is that is still at work, and tell it once it is done", async () => {
    const steps = (state: StepState, note: string): Reply => ({
      ...run(state === "done" ? "ok" : "running", "step 1", []),
      blocks: [{ kind: "steps", steps: [{ title: "Nodes", state, note: [note] }] }],
    });
    const { written } = await typing(["x"], async (_, board) => {
      for (const n of [1, 2, 3]) await board.put("run/R-17", steps("running", `${n} of 3 read`));
      await board.put("run/R-17", steps("done", "3 read"));
      return done;
    });
    expect(written.match(/ of 3 read/g)).toBeNull();
    expect(written.match(/> {7}1 Nodes/g)).toHaveLength(1);
    expect(written).toContain("1 Nodes  3 read");
  });

  it("offer their buttons to /press until they give way", async () => {
    const waiting = run("info", "waits for @approver", ["waiting"], {
      actions: [{ id: "approve", label: "Approve and run", value: "R-17/1/7c1e" }],
    });
    const { written, pressed } = await typing(["go", "press 1", "on", "press 1"], async (words, board) => {
      await board.put("run/R-17", words === "go" ? waiting : run("ok", "approved", ["done"]));
      return done;
    });
    expect(written).toContain("[1] Approve and run");
    expect(pressed).toMatchObject([{ action: "approve", value: "R-17/1/7c1e" }]);
    expect(written).toContain("No message has offered a button yet.");
  });

  it("that came before the console are shown first, and none between the documents of --json", async () => {
    const before = (board: ConsoleBoard) =>
      board.put("run/R-17", run("info", "went on after a restart", ["done"]));
    const plain = await typing(["x"], async () => done, { before });
    expect(plain.written.indexOf("went on after a restart")).toBe(plain.written.indexOf("• bgp") + 27);
    const json = await typing(["x"], async () => done, { before, json: true });
    expect(
      json.written
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toHaveLength(1);
  });

  it("draw the prompt again below themselves on a terminal", async () => {
    const { written } = await typing(["x"], async () => done, {
      tty: true,
      before: (board) => board.put("run/R-17", run("info", "early", ["done"])),
    });
    expect(written).toContain("\u001b[2K• bgp-to-l2  goldentooth · early");
  });
});

describe("changedLines", () => {
  it.each([
    ["first sight: all", ["v", "a", "b"], undefined, true, ["v", "a", "b"]],
    ["nothing new: nothing", ["v", "a"], ["v", "a"], true, []],
    ["a new line: the verdict and it", ["v", " a", " c"], ["v", " a", " b"], true, ["v", " c"]],
    ["a new verdict alone", ["w", "a"], ["v", "a"], true, ["w"]],
    ["at rest: all of it", ["w", "a"], ["v", "a"], false, ["w", "a"]],
    ["at rest and as before: nothing", ["w", "a"], ["w", "a"], false, []],
  ] as const)("%s", (_, lines, before, isPassing, shown) => {
    expect(changedLines(lines, before, isPassing)).toEqual(shown);
  });
});
