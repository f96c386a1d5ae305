import { describe, expect, it } from "vitest";
import type { App } from "#bot/asking.ts";
import { commands } from "#bot/commands/all.ts";
import { type CliStreams, completeWords, readFlags, runCli } from "#bot/doors/cli.ts";
import type { Reply } from "#shared/reply.ts";

const reply = (more: Partial<Reply>): Reply => ({
  verdict: { word: "OK", outcome: "ok", text: ["fine"] },
  findings: [],
  blocks: [],
  actions: [{ id: "again", label: "Again", value: "R-1" }],
  ...more,
});

async function run(given: Reply, argv: readonly string[] = ["arpeggio", "status"]) {
  let out = "";
  let err = "";
  const asked: string[] = [];
  const app: App = {
    ask: async ({ words }) => {
      asked.push(words);
      return {
        kind: "job",
        job: {
          id: "R-1",
          title: "x",
          cluster: undefined,
          slow: true,
          run: async (show) => {
            show(reply({ verdict: { word: "…", outcome: "running", text: ["1 of 2"] } }));
            return given;
          },
        },
      };
    },
    press: () => Promise.reject(new Error("the CLI has no buttons")),
  };
  const streams: CliStreams = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    columns: 80,
    colour: false,
    progress: true,
  };
  const code = await runCli({
    app,
    commands,
    flags: readFlags(argv),
    person: undefined,
    account: "me",
    streams,
    signal: new AbortController().signal,
  });
  return { code, out, err, asked };
}

describe("the command line", () => {
  it.each<[string, Partial<Reply>, number]>([
    ["ok", {}, 0],
    ["info", { verdict: { word: "Help", outcome: "info", text: [] } }, 0],
    ["usage", { verdict: { word: "Not understood", outcome: "usage", text: [] } }, 2],
    ["failed", { verdict: { word: "CONFLICT", outcome: "failed", text: [] } }, 1],
    ["unknown", { verdict: { word: "UNKNOWN", outcome: "unknown", text: [] } }, 3],
    ["fault", { verdict: { word: "Fault", outcome: "fault", text: [] } }, 3],
    ["denied", { verdict: { word: "Not allowed", outcome: "denied", text: [] } }, 1],
  ])("%s", async (_, given, code) => {
    expect((await run(reply(given))).code).toBe(code);
  });

  it("a warning outranks what is unknown, and unknown outranks ok", async () => {
    const finding = (severity: "unknown" | "warning") =>
      ({ code: "c", severity, subject: { kind: "node", name: "n" }, facts: {}, text: ["t"] }) as const;
    expect((await run(reply({ findings: [finding("unknown"), finding("warning")] }))).code).toBe(1);
    expect((await run(reply({ findings: [finding("unknown")] }))).code).toBe(3);
  });

  it("prints exactly one JSON document on standard output, progress never", async () => {
    const { out, err } = await run(reply({}), ["status", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ verdict: { word: "OK" } });
    expect(err).toBe("");
  });

  it("shows progress on standard error and no buttons, since nothing could press them", async () => {
    const { out, err } = await run(reply({}));
    expect(err).toContain("1 of 2");
    expect(out).toContain("OK");
    expect(out).not.toContain("Again");
  });

  it("prints a document as it is", async () => {
    expect((await run(reply({ document: "a: 1\n" }))).out).toBe("a: 1\n");
  });

  it.each([
    [["status"], ["arpeggio", "status"]],
    [
      ["arpeggio", "status"],
      ["arpeggio", "status"],
    ],
    [
      ["arping", "httpbin"],
      ["arping", "httpbin"],
    ],
    [
      ["help", "arping"],
      ["help", "arping"],
    ],
    [["stauts"], ["stauts"]],
    [[], []],
  ])("%j means %j", (given, meant) => {
    expect(completeWords(given, commands)).toEqual(meant);
  });

  it("keeps words after -- for the command, flags of the door included", () => {
    expect(readFlags(["arping", "--json", "--", "--json"])).toMatchObject({
      json: true,
      words: ["arping", "--", "--json"],
    });
  });

  it("hands arguments over unchanged, however hostile", async () => {
    const { asked } = await run(reply({}), ["arping", "a b'c\"$(x)"]);
    expect(asked).toEqual([`arping 'a b'"'"'c"$(x)'`]);
  });
});
