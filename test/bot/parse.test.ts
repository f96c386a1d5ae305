import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { commands as shipped } from "#bot/commands/all.ts";
import { type Command, type Door, defineVerb, type Verb } from "#bot/commands/command.ts";
import { parseCommand } from "#bot/parse.ts";

const doors: readonly Door[] = ["slack", "console", "cli"];
const verb = (own: Partial<Verb> & Pick<Verb, "path" | "positionals" | "options" | "input">): Verb =>
  defineVerb({
    usage: "",
    summary: "",
    examples: [""],
    role: "viewer",
    effect: "read",
    slow: false,
    cluster: "one",
    doors,
    handle: () => Promise.reject(new Error("not called")),
    ...own,
  });

const commands: readonly Command[] = [
  {
    name: "arping",
    summary: "",
    verbs: [
      verb({
        path: [],
        positionals: ["target"],
        options: [
          { name: "from", value: "VANTAGE", about: "" },
          { name: "count", value: "N", about: "" },
          { name: "dry-run", about: "" },
        ],
        input: z.object({
          target: z.string(),
          from: z.string().optional(),
          count: z.coerce.number("must be a number").int().min(1).max(10, "must be at most 10").default(3),
          dryRun: z.literal(true).optional(),
        }),
      }),
      verb({
        path: ["watch"],
        positionals: ["service"],
        options: [],
        input: z.object({ service: z.string() }),
      }),
    ],
  },
  {
    name: "nodes",
    summary: "",
    verbs: [
      verb({
        path: ["check"],
        positionals: ["nodes..."],
        options: [],
        input: z.object({ nodes: z.array(z.string()) }),
      }),
      verb({ path: ["sudoers"], positionals: [], options: [], input: z.object({}), doors: ["cli"] }),
    ],
  },
];

const parse = (words: string, door: Door = "slack") =>
  parseCommand(words.split(" ").filter(Boolean), commands, door);

describe("parsing a command", () => {
  it.each([
    ["arping httpbin", { target: "httpbin", count: 3 }],
    ["arping httpbin --count 5", { target: "httpbin", count: 5 }],
    ["arping --count=5 httpbin --dry-run", { target: "httpbin", count: 5, dryRun: true }],
    ["arping -- --odd", { target: "--odd", count: 3 }],
    ["arping watch httpbin", { service: "httpbin" }],
    ["nodes check a b", { nodes: ["a", "b"] }],
    ["nodes check", { nodes: [] }],
  ])("%s", (words, input) => {
    expect(parse(words)).toMatchObject({ kind: "verb", input });
  });

  it("keeps the cluster apart from the command's own options", () => {
    expect(parse("arping httpbin --cluster home")).toMatchObject({
      kind: "verb",
      cluster: "home",
      input: { target: "httpbin" },
    });
  });

  it.each([
    ["arpin httpbin", { kind: "unknown", word: "arpin", nearest: "arping" }],
    ["nodes chekc", { kind: "unknown", word: "chekc", nearest: "check" }],
    ["delete everything", { kind: "unknown", word: "delete", nearest: undefined }],
    ["nodes", { kind: "bare", command: { name: "nodes" } }],
    ["arping", { kind: "bare", command: { name: "arping" } }],
    ["arping --help", { kind: "help", command: { name: "arping" } }],
    ["arping -h", { kind: "help", command: { name: "arping" } }],
    ["-h", { kind: "help", command: undefined }],
    ["arping help", { kind: "help" }],
    ["help", { kind: "help", command: undefined }],
    ["help nodes", { kind: "help", command: { name: "nodes" } }],
    ["help nodse", { kind: "unknown", nearest: "nodes" }],
    ["", { kind: "help" }],
    ["nodes sudoers", { kind: "elsewhere" }],
  ])("%j", (words, expected) => {
    expect(parse(words)).toMatchObject(expected);
  });

  it("tells every problem of the arguments at once", () => {
    expect(parse("arping --form ops --count 99 --count 2 a b")).toMatchObject({
      kind: "usage",
      problems: [
        "there is no option --form; nearest: --from",
        "--count is given twice",
        '"b" is one word too many',
        "--count must be at most 10",
      ],
    });
    expect(parse("arping --from")).toMatchObject({
      kind: "usage",
      problems: ["--from needs a value: --from VANTAGE", "TARGET is missing"],
    });
    expect(parse("arping x --dry-run=yes")).toMatchObject({
      kind: "usage",
      problems: ["--dry-run takes no value"],
    });
  });

  it("takes a list with commas and by repetition", () => {
    const words = "migrate plan bgp-to-l2 --accept a,b --accept=c --canary x/y --with n=1 --with m=2".split(
      " ",
    );
    expect(parseCommand(words, shipped, "console")).toMatchObject({
      kind: "verb",
      input: { accept: "a,b,c", canary: "x/y", with: "n=1,m=2" },
    });
    expect(parseCommand([...words, "--canary", "z/z"], shipped, "console")).toMatchObject({
      kind: "usage",
      problems: ["--canary is given twice"],
    });
  });

  it("gives a typed answer to anything", () => {
    const word = fc.oneof(
      fc.constantFrom("arping", "nodes", "watch", "--count", "--", "--from=x", "check"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.constantFrom(...doors), (words, door) => {
        const parsed = parseCommand(words, commands, door);
        expect(["verb", "help", "bare", "unknown", "usage", "elsewhere"]).toContain(parsed.kind);
        if (parsed.kind === "usage") expect(parsed.problems.length).toBeGreaterThan(0);
      }),
    );
  });
});
