import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "#infra/generated-files.ts";

/** Its three lists take their time; the tests that ask for them compare them with the page as well. */
const elsewhere = "docs/coverage.md";

describe("generated files are current (npm run generate)", () => {
  it.each(generatedFiles.filter(({ path }) => path !== elsewhere))("$path", async ({ path, make }) => {
    const now = readFileSync(join(import.meta.dirname, "..", path), "utf8");
    expect(await make(now)).toBe(now);
  });
});
