import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import { wildcardTls } from "#shared/runbooks/wildcard-tls.ts";
import { steps } from "#shared/steps/all.ts";

const root = join(import.meta.dirname, "../../..");
const file = (path: string): boolean => existsSync(join(root, path));

const runbooks = [bgpToL2, dnsDomainMove, wildcardTls];

describe("steps of runbooks", () => {
  it.each(
    runbooks.flatMap(({ steps: own }) => own.map(({ id }) => id)),
  )("%s has its file, its test and its page", (id) => {
    expect(
      ["shared/steps", "docs/steps", "test/shared/steps"].filter((folder) => {
        const ending = folder.startsWith("docs") ? ".md" : folder.startsWith("test") ? ".test.ts" : ".ts";
        return !file(`${folder}/${id}${ending}`);
      }),
    ).toEqual([]);
  });

  it("have ids of their own, and no page is about a step that is not there", () => {
    const ids = steps.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const pages = readdirSync(join(root, "docs/steps")).map((name) => name.replace(/\.md$/, ""));
    expect(pages.filter((page) => page !== "README" && !ids.includes(page))).toEqual([]);
    for (const { id, steps: own } of runbooks) {
      const page = readFileSync(join(root, `docs/runbooks/${id}.md`), "utf8");
      expect(
        own.filter((step) => !page.includes(`../steps/${step.id}.md`)).map((step) => step.id),
        id,
      ).toEqual([]);
    }
  });
});
