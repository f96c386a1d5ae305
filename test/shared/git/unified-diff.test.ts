import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "#shared/git/unified-diff.ts";

/** The file after git has applied the patch to it; null where there is none. */
function applied(before: string | null, patch: string): string | null {
  const folder = mkdtempSync(join(tmpdir(), "unified-diff-"));
  try {
    const file = join(folder, "a.yaml");
    if (before !== null) writeFileSync(file, before);
    execFileSync("git", ["apply", "-"], {
      cwd: folder,
      input: patch,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
      stdio: ["pipe", "ignore", "inherit"],
    });
    return existsSync(file) ? readFileSync(file, "utf8") : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("a unified diff", () => {
  it("has three lines around what changed", () => {
    const text = (value: string) => `1\n2\n3\n4\n${value}\n6\n7\n8\n9\n`;
    expect(unifiedDiff("a.yaml", text("5"), text("five"))).toBe(
      "diff --git a/a.yaml b/a.yaml\n--- a/a.yaml\n+++ b/a.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n",
    );
    expect(unifiedDiff("a.yaml", "a\n", "a\n")).toBe("");
  });

  it("is applied by git, whatever the texts are", () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom("a", "b", "  c: 1", ""), { minLength: 1, maxLength: 12 }), fc.boolean())
      .map(([lines, ends]) => `${lines.join("\n")}${ends ? "\n" : ""}`)
      .filter((made) => made !== "");
    const file = fc.option(text, { nil: null, freq: 6 });
    fc.assert(
      fc.property(file, file, (before, after) => {
        fc.pre(before !== after);
        expect(applied(before, unifiedDiff("a.yaml", before, after))).toBe(after);
      }),
      { numRuns: 40 },
    );
  });
});
