import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Deps } from "#bot/commands/command.ts";
import { dns } from "#bot/commands/dns.ts";
import { answerLines } from "#bot/commands/dns-ownership.ts";
import { printReply } from "#bot/doors/cli.ts";
import { parseCommand } from "#bot/parse.ts";
import { FaultError } from "#shared/fault.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";

type Answer = Readonly<Record<string, unknown>>;
const ask = (request: Readonly<Record<string, unknown>>): Answer =>
  JSON.parse(JSON.stringify(answerLines(JSON.stringify(request))[0])) as Answer;

/** Runs the words a person would type, through the parser that the CLI uses. */
async function run(words: string, files: Readonly<Record<string, string>>): Promise<Reply> {
  const parsed = parseCommand(["dns", ...words.split(" ")], [dns], "cli");
  if (parsed.kind !== "verb") throw new Error(`parsed as ${parsed.kind}`);
  const readFile = async (path: string): Promise<string> => {
    const content = files[path];
    if (content === undefined)
      throw new FaultError({ kind: "unreadable", what: path, detail: "no such file or directory" });
    return content;
  };
  return parsed.verb.handle({
    input: parsed.input,
    deps: { readFile } as Deps,
    cluster: undefined,
    caller: { door: "cli", account: "tester", person: undefined, groups: undefined, roles: [] },
    show: () => {},
    signal: new AbortController().signal,
  });
}

function printed(reply: Reply, json: boolean): string {
  let out = "";
  printReply(reply, json, {
    out: (text) => (out += text),
    err: () => {},
    columns: 80,
    colour: false,
    progress: false,
  });
  return out;
}

describe("the operations", () => {
  const web = { name: "web.example.com", type: "A" };
  const text = '"heritage=external-dns,external-dns/owner=a=b"';
  it.each<[string, Readonly<Record<string, unknown>>, Answer]>([
    [
      "name, typed",
      { op: "name", ...web, format: "typed", prefix: "txt." },
      { txtName: "txt.a-web.example.com" },
    ],
    [
      "name, legacy",
      { op: "name", ...web, format: "legacy", suffix: "-txt" },
      { txtName: "web-txt.example.com" },
    ],
    [
      "name of an alias by the newest release",
      { op: "name", ...web, alias: true, format: "typed" },
      { txtName: "a-web.example.com" },
    ],
    [
      "name of an alias in 0.21",
      { op: "name", ...web, alias: true, format: "typed", release: "0.21.0" },
      { txtName: "cname-web.example.com" },
    ],
    [
      "name, escaped and in capitals",
      {
        op: "name",
        name: "\\052.Apps.Example.com.",
        type: "aaaa",
        format: "typed",
        wildcardReplacement: "any",
      },
      { txtName: "aaaa-any.apps.example.com" },
    ],
    [
      "written",
      { op: "written", ...web, release: "0.17.0" },
      { txtNames: ["web.example.com", "a-web.example.com"] },
    ],
    [
      "written with flags",
      {
        op: "written",
        ...web,
        release: "v0.16.1",
        flags: { "txt-prefix": "txt.", "txt-new-format-only": true },
      },
      { txtNames: ["txt.a-web.example.com"] },
    ],
    [
      "written encrypted, flags as text",
      {
        op: "written",
        ...web,
        release: "0.14",
        flags: { "txt-encrypt-enabled": "true", "txt-suffix": null },
      },
      { txtNames: ["a-web.example.com"] },
    ],
    [
      "written for a wildcard",
      {
        op: "written",
        name: "*.example.com",
        type: "A",
        release: "0.22.0",
        flags: { "txt-wildcard-replacement": "any" },
      },
      { txtNames: ["a-any.example.com"] },
    ],
    [
      "written for nobody",
      { op: "written", name: `${"x".repeat(63)}.example.com`, type: "A", release: "0.22.0" },
      { txtNames: [] },
    ],
    [
      "read-name",
      { op: "read-name", txtName: "txt.cname-web.example.com.", prefix: "txt." },
      { name: "web.example.com", type: "CNAME" },
    ],
    [
      "read-name, escaped",
      { op: "read-name", txtName: "a-\\052.apps.example.com." },
      { name: "*.apps.example.com", type: "A" },
    ],
    [
      "read-name, legacy",
      { op: "read-name", txtName: "web.example.com" },
      { name: "web.example.com", type: null },
    ],
    [
      "read-name in an older release",
      { op: "read-name", txtName: "mx-web.example.com", release: "0.17.0" },
      { name: "mx-web.example.com", type: null },
    ],
    [
      "read-name of another's",
      { op: "read-name", txtName: "web.example.com", prefix: "txt." },
      { name: "", type: null },
    ],
    ["parse", { op: "parse", value: text }, { valid: true, labels: { owner: "a=b" } }],
    ["parse in 0.21", { op: "parse", value: text, release: "0.21.0" }, { valid: true, labels: {} }],
    ["parse of another text", { op: "parse", value: '"v=spf1 -all"' }, { valid: false, labels: {} }],
    [
      "format",
      { op: "format", labels: { resource: "service/a/b", owner: "x" } },
      { value: '"heritage=external-dns,external-dns/owner=x,external-dns/resource=service/a/b"' },
    ],
    ["key", { op: "key", key: "x".repeat(32), encryptEnabled: true }, { valid: true }],
    ["no key", { op: "key", key: "", encryptEnabled: true }, { valid: false }],
    ["no key and no encryption", { op: "key", encryptEnabled: false }, { valid: true }],
    ["decode-name", { op: "decode-name", name: "\\052.Apps.example.com." }, { name: "*.apps.example.com" }],
    [
      "decode-name twice",
      { op: "decode-name", name: "\\134052.example.com" },
      { name: "\\134052.example.com" },
    ],
  ])("%s", (_, request, answer) => {
    expect(ask(request)).toEqual(answer);
    expect(ask({ id: { any: ["thing"] }, ...request })).toEqual({ id: { any: ["thing"] }, ...answer });
  });

  it("decrypt", () => {
    const key = ")K_Fy|?Z.64#UuHm`}[d!GC%WJM_fs{_";
    const value =
      "+lvP8q9KHJ6BS6O81i2Q6DLNdf2JSKy8j/gbZKviTZlGYj7q+yDoYMgkQ1hPn6urtGllM5bfFMcaaHto52otQtiOYrX8990J3kQqg4s47m3bH3Ejl8RSxSSuWJM3HJtPghQzYg0/LSOsdQ0=";
    const labels = {
      owner: "foo-owner",
      resource: "foo-resource",
      "txt-encryption-nonce": "+lvP8q9KHJ6BS6O8",
    };
    expect(ask({ op: "decrypt", value, key })).toEqual({ valid: true, labels });
    expect(ask({ op: "decrypt", value, key: "x".repeat(32) })).toEqual({ valid: false, labels: {} });
    expect(ask({ op: "decrypt", value, key: "short" })).toEqual({
      error: "key: must be 32 bytes, as they are or in standard base64",
    });
  });

  it("explains on request: ambiguity, names never owned, flags the release lacks, labels that get lost", () => {
    expect(ask({ op: "read-name", txtName: "a-web.example.com", explain: true }).claimants).toEqual([
      { name: "web.example.com", type: "A", format: "typed" },
      { name: "a-web.example.com", type: null, format: "legacy" },
    ]);
    expect(
      ask({
        op: "written",
        name: "example.com",
        type: "A",
        release: "0.18.0",
        zone: "example.com",
        flags: { "txt-new-format-only": true },
        explain: true,
      }),
    ).toEqual({
      txtNames: [],
      neverOwned: [{ why: "outside-zone", txtName: "a-example.com" }],
      unknownFlags: ["txt-new-format-only"],
    });
    expect(ask({ op: "format", labels: { owner: "a,b" }, explain: true }).lost).toEqual(["owner"]);
    expect(
      ask({ op: "name", name: `${"x".repeat(63)}.com`, type: "A", format: "typed", explain: true }).tooLong,
    ).toBe(true);
  });
});

describe("errors", () => {
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["no op", {}, "op: must be one of name, written, read-name, parse, format, decrypt, key, decode-name"],
    ["a wrong op", { op: "pars" }, 'op: "pars" is not known; nearest is parse'],
    ["an op that is a prototype's", { op: "constructor" }, 'op: "constructor" is not known'],
    [
      "several fields at once",
      { op: "name", name: "a..b", type: "A!" },
      'name: "a..b" has an empty label; type: must be a record type',
    ],
    ["a field too many", { op: "parse", value: "", realease: "0.1" }, "realease"],
    [
      "an unknown release",
      { op: "parse", value: "", release: "0.23.0" },
      'release: "0.23.0" is not a release whose rules are known (0.7.0 to 0.22.0)',
    ],
    [
      "prefix and suffix",
      { op: "name", name: "a.b", type: "A", format: "typed", prefix: "a", suffix: "b" },
      "exclude each other",
    ],
    [
      "an unknown flag",
      { op: "written", name: "a.b", type: "A", release: "0.22", flags: { "txt-owner": "x" } },
      "txt-owner",
    ],
    ["labels that are no object", { op: "format", labels: ["x"] }, "labels: must be an object of texts"],
    ["no labels", { op: "format" }, "labels: must be an object of texts"],
    ["labels that are no texts", { op: "format", labels: { owner: 1 } }, "labels.owner"],
  ])("%s", (_, request, error) => {
    const answer = ask({ id: 7, ...request });
    expect(answer.id).toBe(7);
    expect(answer.error).toContain(error);
    expect(Object.keys(answer)).toEqual(["id", "error"]);
  });

  it("loses no label for its name", () => {
    expect(answerLines('{"op":"format","labels":{"__proto__":"x"}}')).toEqual([
      { value: '"heritage=external-dns,external-dns/__proto__=x"' },
    ]);
  });

  it("one bad line does not stop the rest", () => {
    const good = '{"id":1,"op":"decode-name","name":"A.b"}';
    expect(answerLines(`\uFEFF${good}\r\nnonsense\n\n[1]\nnull\n${good}`)).toEqual([
      { id: 1, name: "a.b" },
      { error: expect.stringContaining("not JSON") },
      { error: "a request is a JSON object with an op" },
      { error: "a request is a JSON object with an op" },
      { id: 1, name: "a.b" },
    ]);
  });

  it("nothing crashes it: as many answers as lines that are not blank", () => {
    const op = fc.constantFrom(
      "name",
      "written",
      "read-name",
      "parse",
      "format",
      "decrypt",
      "key",
      "decode-name",
      "x",
    );
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom("A", "0.17.0", "typed", "web.example.com"),
    );
    const request = fc
      .record(
        {
          op,
          id: value,
          name: value,
          type: value,
          format: value,
          value,
          key: value,
          txtName: value,
          labels: value,
          prefix: value,
          suffix: value,
          release: value,
          flags: value,
        },
        { requiredKeys: ["op"] },
      )
      .map((each) => JSON.stringify(each));
    const line = fc.oneof(
      request,
      fc.string({ unit: "binary" }).map((each) => each.replaceAll("\n", "")),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        const answers = answerLines(lines.join("\n"));
        expect(answers).toHaveLength(
          lines.filter((each, i) => (i === 0 ? each.replace(/^\uFEFF/, "") : each).trim() !== "").length,
        );
        for (const answer of answers) expect(JSON.stringify(answer)).not.toContain("\n");
      }),
      { numRuns: 300 },
    );
  });
});

describe("arpeggio dns ownership", () => {
  const request = '{"id":"a","op":"decode-name","name":"A.b."}\n';

  it("reads standard input or a file and prints a line a request, with and without --json", async () => {
    for (const reply of [
      await run("ownership", { "-": request }),
      await run("ownership r.jsonl", { "r.jsonl": request }),
    ]) {
      expect(printed(reply, true)).toBe('{"id":"a","name":"a.b"}\n');
      expect(printed(reply, false)).toBe('{"id":"a","name":"a.b"}\n');
      expect(exitCode(reply)).toBe(0);
    }
  });

  it("exits with 0 although a line is wrong, and prints nothing for nothing", async () => {
    const reply = await run("ownership", { "-": "nonsense\n" });
    expect(exitCode(reply)).toBe(0);
    expect(printed(reply, true)).toMatch(/^\{"error":"not JSON.*"\}\n$/);
    expect(printed(await run("ownership", { "-": "" }), true)).toBe("");
  });

  it("exits with 2 when the input cannot be read", async () => {
    const reply = await run("ownership gone.jsonl", {});
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toBe("gone.jsonl: no such file or directory");
    expect(JSON.parse(printed(reply, true)).data.problems).toEqual(["gone.jsonl: no such file or directory"]);
  });
});
