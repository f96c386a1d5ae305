import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checks } from "#shared/checks/all.ts";
import { driftKinds } from "#shared/drift/all.ts";
import { diagnoses } from "#shared/explain/all.ts";
import { incidentRunbooks } from "#shared/incidents/runbooks/all.ts";

/** Codes that have a page of their own. */
const elsewhere = new Set([
  ...checks.flatMap(({ codes }) => codes),
  ...driftKinds.map(({ id }) => id),
  ...diagnoses.map(({ id }) => `dns-${id}`),
]);

const announcer = readFileSync(new URL("../../../../docs/announcer.md", import.meta.url), "utf8");

/** `LINK-unexplained` stands for one code a link, `announcer-WHY` for each reason of the announcer's page. */
const isPattern = (code: string): boolean =>
  /-(unexplained|unseen)$/.test(code) ||
  code === "announcer-no-node" ||
  (code.startsWith("announcer-") && announcer.includes(`\`${code.slice("announcer-".length)}\``));

describe.each(incidentRunbooks)("$id", ({ id, codes, argument }) => {
  const page = (): string =>
    readFileSync(new URL(`../../../../docs/runbooks/${id}.md`, import.meta.url), "utf8");

  it("has a page that says how it is asked", () => {
    expect(page()).toContain(`# ${id}`);
    expect(page()).toContain(`/runbook run ${id}`);
    expect(argument?.example).toBeTruthy();
  });

  it("names every code of its own there, or the page that does", () => {
    const text = page();
    const inherited = [...text.matchAll(/\((service-unreachable)\.md\)/g)].map(([, name]) => name);
    const known = inherited.includes("service-unreachable")
      ? `${text}${readFileSync(new URL("../../../../docs/runbooks/service-unreachable.md", import.meta.url), "utf8")}`
      : text;
    const missing = codes.filter(
      (code) => !elsewhere.has(code) && !isPattern(code) && !known.includes(`\`${code}\``),
    );
    expect(missing).toEqual([]);
  });

  it("has each code once", () => {
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
  });
});
