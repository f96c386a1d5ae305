import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderArgv } from "#shared/probes/render-argv.ts";

const echoed = (args: readonly string[]): readonly string[] => {
  // printf repeats its format for every argument: each comes back followed by a newline, which no argument may hold.
  const run = spawnSync("sh", ["-c", renderArgv(["printf", "%s\\n", ...args])], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  return run.stdout.split("\n").slice(0, -1);
};

describe("renderArgv", () => {
  it.each([
    ["$(reboot)", "`reboot`", "; reboot", "&& reboot", "| cat", "> /tmp/x"],
    ["it's", "''", "'", '"', "\\", "\\'", "a\\nb"],
    ["", " ", "*", "?", "[a]", "~", "~root", "#", "!", "{a,b}", "-n", "--", "=", "a=b"],
    ["$HOME", "${IFS}", "%s", "é", "日本", "👾", "\u00a0"],
  ])("hands over hostile arguments byte for byte", (...args) => {
    expect(echoed(args)).toEqual(args);
  });

  it("hands over any argument byte for byte through a real sh", () => {
    const word = fc
      .string({ unit: "binary", maxLength: 12 })
      .map((text) => text.replace(/[\0-\x1f\x7f]/g, "'"))
      .filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (args) => {
        expect(echoed(args)).toEqual(args);
      }),
      { numRuns: 60 },
    );
  });

  it("runs a program that is named like a shell's word, and takes no assignment for one", () => {
    expect(renderArgv(["if", "x"])).toBe("'if' x");
    expect(renderArgv(["A=b", "x"])).toBe("'A=b' x");
    expect(renderArgv(["arping", "-c", "3", "-I", "eth0", "10.4.11.1"])).toBe(
      "arping -c 3 -I eth0 10.4.11.1",
    );
  });

  it.each([["a\0b"], ["a\nb"], ["\x1b[2J"], ["\x7f"], ["\ud800"]])("refuses %j", (arg) => {
    expect(() => renderArgv(["echo", arg])).toThrow(RangeError);
  });

  it("refuses an empty program name", () => {
    expect(() => renderArgv([""])).toThrow(RangeError);
  });
});
