import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { coveragePage, type Raised, runScenario, runScenarios } from "#infra/coverage.ts";
import { coverageLines } from "#infra/coverage-lines.ts";
import { scenarios } from "#infra/coverage-scenarios.ts";
import { checks } from "#shared/checks/all.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { coverageOnPage } from "./coverage-on-page.ts";

let raised: readonly Raised[] = [];
beforeAll(async () => {
  raised = await runScenarios();
});

it("the page begins with what was raised (npm run generate)", () => {
  const page = coverageOnPage();
  const part = coveragePage(raised);
  expect(page.slice(0, part.length)).toBe(part);
});

describe("scenarios", () => {
  it.each(scenarios)("$lines: $words raises $expect", (scenario) => {
    const mine = raised.find((each) => each.scenario === scenario);
    expect(scenario.expect.filter((code) => !mine?.codes.includes(code))).toEqual([]);
  });

  it("are about lines that there are", () => {
    const known = coverageLines.map(({ line }) => line);
    expect(scenarios.flatMap(({ lines }) => lines).filter((line) => !known.includes(line))).toEqual([]);
    expect(known).toHaveLength(61);
    expect(new Set(known).size).toBe(61);
  });

  it.each([
    undefined,
    "arping all",
    "nodes impact",
  ])("the healthy site raises nothing (asked: %s)", async (ask) => {
    const scenario = {
      lines: [],
      words: "",
      site: healthy,
      expect: [],
      ...(ask === undefined ? {} : { ask }),
    };
    expect((await runScenario(scenario)).codes).toEqual([]);
  });
});

describe("what is taught", () => {
  const taught = coverageLines.flatMap((line) =>
    line.taught === undefined ? [] : [{ line: line.line, ...line.taught }],
  );

  it.each(taught)("$line has a page that is about it: $page", ({ page, mentions }) => {
    const words = readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8").toLowerCase();
    expect(mentions.filter((word) => !words.includes(word.toLowerCase()))).toEqual([]);
  });

  it("counts a line that is both as caught", () => {
    const page = coveragePage(raised);
    const [caught = 0, learnt = 0, left = 0] = (
      /(\d+) of 61 lines are caught, (\d+) taught, (\d+) not yet/.exec(page)?.slice(1) ?? []
    ).map(Number);
    expect(caught + learnt + left).toBe(61);
    expect(page.match(/\| not yet \|/g) ?? []).toHaveLength(left);
    expect(learnt).toBeLessThanOrEqual(taught.length);
    const withoutRuns = new Set(taught.map(({ line }) => line));
    for (const { scenario } of raised) for (const line of scenario.lines) withoutRuns.delete(line);
    expect(learnt).toBe(withoutRuns.size);
  });
});

describe("the page", () => {
  it("would change if a check that it counts on were gone", async () => {
    const counted = new Set(scenarios.flatMap(({ expect: codes }) => codes));
    const relied = checks.filter(({ codes }) => codes.some((code) => counted.has(code)));
    expect(relied.length).toBeGreaterThan(15);
    const page = coveragePage(raised);
    for (const gone of relied.filter((_, i) => i % 6 === 0)) {
      // What the other checks raise does not depend on this one, so its codes are what goes with it.
      const [scenario] = scenarios.filter(({ expect: codes }) =>
        codes.some((code) => gone.codes.includes(code)),
      );
      if (scenario === undefined) throw new Error(gone.id);
      const without = await runScenario(
        scenario,
        checks.filter((check) => check !== gone),
      );
      const changed = raised.map((each) => (each.scenario === scenario ? without : each));
      expect(coveragePage(changed), gone.id).not.toBe(page);
    }
  });

  it("says plainly what nothing catches, and counts no code that nobody raised", () => {
    const nothing = raised.map((each) => ({ ...each, codes: [] }));
    const page = coveragePage(nothing);
    const taught = coverageLines.filter((line) => line.taught !== undefined).length;
    expect(page).toContain(`0 of 61 lines are caught, ${taught} taught, ${61 - taught} not yet`);
    expect(page.match(/\| not yet \|/g)).toHaveLength(61 - taught);
    expect(page.match(/\| taught: \[/g)).toHaveLength(taught);
  });
});
