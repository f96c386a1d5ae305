import { describe, expect, test } from "vitest";
import * as z from "zod";
import { slackCommands } from "#bot/commands/all.ts";
import { type Command, defineVerb } from "#bot/commands/command.ts";
import { threadWords } from "#bot/doors/slack/thread-words.ts";
import { parseCommand } from "#bot/parse.ts";
import { splitWords } from "#bot/words.ts";

const verb = (
  path: string,
  positionals: readonly string[],
  options: readonly string[] = [],
  door = "slack",
) =>
  defineVerb({
    path: [path],
    usage: "",
    summary: "does something",
    examples: [],
    positionals,
    options: options.map((name) => ({ name, value: "X", about: "" })),
    input: z.object({}),
    role: "viewer",
    effect: "none",
    slow: false,
    cluster: "none",
    doors: [door as "slack"],
    handle: () => Promise.reject(new Error("not called")),
  });

const commands: readonly Command[] = [
  {
    name: "migrate",
    summary: "Guarded migrations",
    verbs: [
      verb("start", ["runbook"]),
      verb("status", ["run"]),
      verb("next", ["run"]),
      verb("skip", ["step"], ["run", "reason"]),
      verb("note", ["run", "words..."]),
      verb("rehearse", ["run"], [], "cli"),
    ],
  },
  { name: "arping", summary: "Who answers", verbs: [verb("watch", ["service"])] },
];
const meant = threadWords(commands);

describe("words in a run's thread", () => {
  test.each([
    ["next", "migrate next R-17"],
    ["Next", "migrate next R-17"],
    ["next R-17", "migrate next R-17"],
    ["", "migrate status R-17"],
    ["skip prove --reason 'seen by hand'", "migrate skip prove --reason 'seen by hand' --run R-17"],
    ["note all quiet", "migrate note R-17 all quiet"],
  ])("%j is %j", (said, words) => {
    expect(meant("run/R-17", said)).toEqual({ words });
  });

  test("a note needs no quoting rules", () => {
    const { words } = meant("run/R-17", "note it's quiet again") as { words: string };
    expect(splitWords(words)).toEqual({ ok: true, words: ["migrate", "note", "R-17", "it's quiet again"] });
  });

  test.each([
    "arping httpbin",
    "migrate status R-3",
    "help",
    "help arping",
  ])("%j stays what it is", (said) => {
    expect(meant("run/R-17", said)).toBeUndefined();
  });

  test.each([
    ["nxt", "@arpeggio next"],
    ["arpng httpbin", "@arpeggio arping"],
    ["rehearse", undefined],
    ["stauts", "@arpeggio status"],
    ["start", undefined],
  ])("%j gets the nearest and all that can be said here", (said, near) => {
    const { reply } = meant("run/R-17", said) as Extract<ReturnType<typeof meant>, { reply: unknown }>;
    const text = JSON.stringify(reply);
    expect(reply.verdict.outcome).toBe("usage");
    if (near !== undefined) expect(text).toContain(near);
    expect(JSON.stringify(reply.next)).toContain("skip");
    expect(JSON.stringify(reply.next)).not.toContain("rehearse");
  });

  test("a thing of another kind has no words of its own", () => {
    expect(meant("drift/goldentooth.net", "next")).toBeUndefined();
    expect(threadWords([])("run/R-17", "next")).toBeUndefined();
  });
});

test("the verbs of this version that are about one run are all reachable", () => {
  const real = threadWords(slackCommands());
  const words = (said: string) => {
    const asked = real("run/R-17", said);
    if (asked === undefined || !("words" in asked)) throw new Error(`${said} means nothing here`);
    const split = splitWords(asked.words);
    if (!split.ok) throw new Error(split.problem);
    return parseCommand(split.words, slackCommands(), "slack");
  };
  for (const said of [
    "next",
    "status",
    "retry",
    "hold",
    "abort",
    "history",
    "rollback",
    "skip canary --reason 'seen by hand'",
  ])
    expect(words(said), said).toMatchObject({ kind: "verb", input: { run: "R-17" } });
  expect(real("run/R-17", "plan")).toHaveProperty("reply");
});
