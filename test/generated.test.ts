import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "#infra/generated-files.ts";

describe("generated files are current (npm run generate)", () => {
  it.each(generatedFiles)("$path", async ({ path, make }) => {
    const now = readFileSync(join(import.meta.dirname, "..", path), "utf8");
    expect(await make(now)).toBe(now);
  });
});
