import { beforeAll, describe, expect, it } from "vitest";
import {
  dnsCoverage,
  dnsLines,
  type Explained,
  explainScenario,
  explainScenarios,
  misjudged,
} from "#infra/dns-coverage.ts";
import { dnsScenarios } from "#infra/lab/dns/scenarios.ts";
import { diagnoses } from "#shared/explain/all.ts";
import { goldentoothDomain } from "#shared/twin/sites/goldentooth-dns.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { coverageOnPage } from "./coverage-on-page.ts";

let explained: readonly Explained[] = [];
beforeAll(async () => {
  explained = await explainScenarios();
});

it("the page has what was explained (npm run generate)", () => {
  expect(coverageOnPage()).toContain(dnsCoverage(explained));
});

describe("dns explain on worlds with one fault each", () => {
  it.each(dnsScenarios.map((scenario, i) => ({ ...scenario, i })))("$name: $words", ({ i }) => {
    const mine = explained[i] as Explained;
    const { certain, possible, state } = mine;
    expect(misjudged(mine), JSON.stringify({ state, certain, possible })).toEqual([]);
    // A zone that holds no TXT leaves nothing to contrast an answer with, and that is said.
    expect(mine.blind.filter((each) => !each.endsWith("the zone has none that could be asked for"))).toEqual(
      [],
    );
  });

  it("has a world for each of the sixteen reasons", () => {
    expect(dnsLines).toHaveLength(16);
    for (const { id, number } of diagnoses) {
      const mine = dnsScenarios.filter(({ line }) => line === `D${number}`);
      expect(mine.length, id).toBeGreaterThan(0);
      expect(
        mine.every(({ certain, possible }) => certain.includes(id) || possible === id),
        id,
      ).toBe(true);
    }
  });

  it.each(
    dnsScenarios,
  )("$name: says the same when asked a third time, whatever caches hold by then", async (scenario) => {
    const again = await explainScenario(scenario, 3);
    expect(misjudged(again), JSON.stringify(again.certain)).toEqual([]);
  });

  it('a delegation that was added a moment ago: the registry\'s old "no" may be remembered, and is not certain', async () => {
    const world = dnsScenarios.find(({ name }) => name === "dns-not-delegated");
    if (world === undefined) throw new Error("no such world");
    const found = await explainScenario({
      ...world,
      site: healthy,
      afterwards: ({ resolvers, resolve }) => {
        const servers = healthy().dns?.parents[0]?.delegations[0]?.servers ?? [];
        resolvers.removeDelegation(goldentoothDomain);
        resolve("router", world.ask, "A");
        resolvers.setDelegation({ zone: goldentoothDomain, servers });
      },
    });
    expect(found).toMatchObject({ certain: [], possible: expect.arrayContaining(["negative-cache"]) });
  });

  it("raises nothing on the healthy site", async () => {
    const found = await explainScenario({
      name: "healthy",
      line: undefined,
      words: "",
      site: healthy,
      ask: "httpbin.services.k8s.goldentooth.net",
      certain: [],
      state: "resolves",
    });
    expect(found).toMatchObject({ state: "resolves", certain: [], blind: [] });
  });
});

describe("what is held against an answer", () => {
  const [first] = dnsScenarios;
  const answer = (more: Partial<Explained>): Explained => ({
    scenario: first as (typeof dnsScenarios)[number],
    state: "explained",
    certain: ["not-delegated"],
    possible: [],
    blind: [],
    ...more,
  });

  it.each([
    [{}, []],
    [{ certain: ["not-delegated", "lame-server"] }, ["wrong certainty"]],
    [{ certain: [], state: "undecided" }, ["missing verdict", "wrong state"]],
    [{ certain: ["lame-server"] }, ["wrong certainty", "missing verdict"]],
  ] as const)("%j", (more, kinds) => {
    expect(misjudged(answer(more)).map(({ kind }) => kind)).toEqual(kinds);
  });

  it("the page counts no world that was misjudged", () => {
    const page = dnsCoverage([answer({ certain: ["lame-server"] })]);
    expect(page).toContain("0 of 16 reasons");
    expect(page).toContain("1 wrong certainties, 1 missing verdicts");
    expect(page.match(/\| not yet \|/g)).toHaveLength(16);
  });
});
