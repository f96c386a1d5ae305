import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planDigest } from "#shared/drift/plan-digest.ts";
import { planJson, readStoredPlan } from "#shared/drift/stored-plan.ts";
import { readStoredReport, reportJson } from "#shared/drift/stored-report.ts";
import { record } from "../dns/zones.ts";
import { anySite } from "./any-scan.ts";
import { planOf, scan } from "./scans.ts";

const throughText = (json: unknown): unknown => JSON.parse(JSON.stringify(json));

describe("what is stored", () => {
  it("comes back as it was, reports and plans of any zone", () => {
    fc.assert(
      fc.property(anySite, (site) => {
        const report = scan(site);
        expect(readStoredReport(throughText(reportJson(report)))).toEqual({ ok: true, value: report });
        const plan = planOf(site);
        const back = readStoredPlan(throughText(planJson(plan)));
        expect(back).toEqual({ ok: true, value: plan });
        if (back.ok) expect(planDigest(back.value)).toBe(plan.digest);
      }),
      { numRuns: 150 },
    );
  });

  it("names every problem of what is not one", () => {
    const read = readStoredPlan({ format: 2, zone: { id: "", name: "a..b" } });
    expect(read.ok ? [] : read.problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^format: /),
        expect.stringMatching(/^zone\.id: /),
        expect.stringMatching(/^zone\.name: .*empty label/),
        expect.stringMatching(/^batches: /),
      ]),
    );
  });

  it("refuses a DELETE that does not say what stands before", () => {
    const plan = planJson(
      planOf({ have: [record("a-old", "TXT", '"heritage=external-dns,external-dns/owner=me"')] }),
    ) as Record<string, unknown>;
    const text = JSON.stringify(plan).replaceAll('"before"', '"beforehand"');
    expect(text).toContain("DELETE");
    expect(readStoredPlan(JSON.parse(text)).ok).toBe(false);
  });
});
