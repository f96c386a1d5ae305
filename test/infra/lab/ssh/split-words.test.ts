import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitWords } from "#infra/lab/ssh/split-words.ts";
import { renderArgv } from "#shared/probes/render-argv.ts";

describe("splitting a command line", () => {
  it.each<[string, string, string[]]>([
    ["blanks", "ip  -j\taddr ", ["ip", "-j", "addr"]],
    ["nothing", "   ", []],
    ["single quotes", "printf '%s\\n' 'a b'", ["printf", "%s\\n", "a b"]],
    ["double quotes", 'echo "a b"', ["echo", "a b"]],
    ["an escaped quote in double quotes", 'echo "a\\"b"', ["echo", 'a"b']],
    ["a backslash that escapes nothing in double quotes", 'echo "a\\nb"', ["echo", "a\\nb"]],
    ["an escaped blank", "echo a\\ b", ["echo", "a b"]],
    ["an escaped operator", "echo \\;", ["echo", ";"]],
    ["quotes inside a word", "a'b c'd\"e f\"", ["ab cde f"]],
    ["an empty word", "echo '' \"\"", ["echo", "", ""]],
    ["the quoted quote", "echo 'it'\\''s'", ["echo", "it's"]],
    ["a hash inside a word", "echo a#b", ["echo", "a#b"]],
    ["an equals sign after the program", "dd if=x", ["dd", "if=x"]],
    ["operators in single quotes", "echo '$(id); `id` | & > *'", ["echo", "$(id); `id` | & > *"]],
  ])("reads %s", (_, line, words) => {
    expect(splitWords(line)).toEqual({ ok: true, words });
  });

  it.each([
    "a; b",
    "a | b",
    "a & b",
    "a && b",
    "echo $HOME",
    'echo "$HOME"',
    "echo `id`",
    'echo "`id`"',
    "echo $(id)",
    "(id)",
    "id > file",
    "id < file",
    "ls *",
    "ls ?",
    "ls [ab]",
    "ls ~",
    "id # why",
    "A=b id",
    "id\nid",
    "echo 'open",
    'echo "open',
    "echo \\",
  ])("refuses %j and says that no shell runs here", (line) => {
    const result = splitWords(line);
    expect(result.ok).toBe(false);
    expect(result.ok ? "" : result.message).toContain("no shell runs here");
  });

  const argument = fc.string({ unit: "binary" }).filter((s) => s.isWellFormed() && !/[\0-\x1f\x7f]/.test(s));

  it("reads back whatever is rendered for a node", () => {
    fc.assert(
      fc.property(fc.array(argument), (args) => {
        expect(splitWords(renderArgv(["printf", ...args]))).toEqual({ ok: true, words: ["printf", ...args] });
      }),
    );
  });

  it("splits what it accepts as sh does", () => {
    const pieces = fc.constantFrom("a", " ", "'", '"', "\\", "b c", "''", "#", "=", "-", "'\\''", "é");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), (parts) => {
        const line = `x ${parts.join("")}`;
        const result = splitWords(line);
        if (!result.ok) return;
        const script = `set -- ${line}\nfor word do printf '%s\\0' "$word"; done`;
        const out = execFileSync("sh", ["-c", script], { encoding: "utf8" });
        expect(out.split("\0").slice(0, -1)).toEqual(result.words);
      }),
      { numRuns: 60 },
    );
  });
});
