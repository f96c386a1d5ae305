import { beforeAll, describe, expect, it } from "vitest";
import { coverageLines } from "#infra/coverage-lines.ts";
import { dnsLines } from "#infra/dns-coverage.ts";
import { figuresOf, incidentCoverage } from "#infra/incident-coverage.ts";
import {
  type Answered,
  askIncidents,
  heldAgainst,
  incidentScenarios,
  isEither,
  type Said,
} from "#infra/incident-matrix.ts";
import { readCapture } from "#infra/incident-recordings.ts";
import { type IncidentScenario, truth } from "#infra/incident-scenario.ts";
import { incidentRunbooks } from "#shared/incidents/runbooks/all.ts";
import { coverageOnPage } from "./coverage-on-page.ts";

let answered: readonly Answered[] = [];
beforeAll(async () => {
  answered = await askIncidents();
});

/** Worlds that nobody names in full yet. A fault leaves this list when it is told, and the list says when it is wrong. */
const notYet: readonly string[] = ["narrow-router-and-wrong-port"];

describe("the matrix", () => {
  it("has 30 worlds with one fault, 10 with two, recorded ones, and several that are well", () => {
    const count = (kind: IncidentScenario["kind"]) =>
      incidentScenarios.filter((each) => each.kind === kind).length;
    expect(count("one fault")).toBeGreaterThanOrEqual(30);
    expect(count("two faults")).toBeGreaterThanOrEqual(10);
    expect(count("recorded")).toBeGreaterThanOrEqual(10);
    expect(count("healthy")).toBeGreaterThanOrEqual(10);
    expect(new Set(incidentScenarios.map(({ name }) => name)).size).toBe(incidentScenarios.length);
    expect(answered).toHaveLength(incidentScenarios.length);
  });

  it("speaks of codes that its runbooks can say", () => {
    const unknown = incidentScenarios.flatMap(({ name, runbook, truths }) => {
      const codes = incidentRunbooks.find(({ id }) => id === runbook)?.codes ?? [];
      return truths
        .filter((each) => !each.codes.some((code) => codes.includes(code)))
        .map(({ words }) => `${name}: ${words}`);
    });
    expect(unknown).toEqual([]);
  });

  it("is about lines that there are", () => {
    const known = [...coverageLines, ...dnsLines].map(({ line }) => line);
    expect(incidentScenarios.flatMap(({ lines }) => lines).filter((line) => !known.includes(line))).toEqual(
      [],
    );
  });

  it("every runbook that diagnoses is asked, about something wrong and about something well", () => {
    for (const { id } of incidentRunbooks) {
      const mine = incidentScenarios.filter(({ runbook }) => runbook === id);
      expect(
        mine.some(({ truths }) => truths.length > 0),
        id,
      ).toBe(true);
      expect(
        mine.some(({ truths }) => truths.length === 0),
        id,
      ).toBe(true);
    }
  });
});

describe("answers", () => {
  it.each(incidentScenarios.filter(({ name }) => !notYet.includes(name)))("$name: $words", (scenario) => {
    const mine = answered.find((each) => each.scenario === scenario);
    if (mine === undefined) throw new Error("it was not asked");
    expect({ said: mine.said, held: heldAgainst(mine) }).toEqual({ said: mine.said, held: [] });
  });

  it("no wrong certainty, no false alarm, and what is missing is named", () => {
    const { wrongCertainties, falseAlarms, missing } = figuresOf(answered);
    expect({ wrongCertainties, falseAlarms, missing }).toEqual({
      wrongCertainties: 0,
      falseAlarms: 0,
      missing: notYet.length,
    });
  });

  it("what is listed as missing really is: a world that is told leaves the list", () => {
    const told = answered.filter(
      (each) => notYet.includes(each.scenario.name) && heldAgainst(each).length === 0,
    );
    expect(told.map(({ scenario }) => scenario.name)).toEqual([]);
  });

  it("come within ten seconds", () => {
    expect(answered.filter(({ tookMs }) => tookMs >= 10_000).map(({ scenario }) => scenario.name)).toEqual(
      [],
    );
  });
});

describe("what is held against an answer", () => {
  const world = (more: Partial<IncidentScenario> = {}): IncidentScenario => ({
    name: "made up",
    kind: "one fault",
    lines: [],
    words: "",
    runbook: "service-unreachable",
    ask: "httpbin",
    truths: [truth("a is broken", "a", "also-a")],
    ...more,
  });
  const certain = (...codes: readonly string[]): Said => ({ kind: "certain", codes });
  const either = (...codes: readonly string[]): Said => ({ kind: "candidates", codes });
  const kinds = (scenario: IncidentScenario, said: Said) =>
    heldAgainst({ scenario, said }).map(({ kind }) => kind);

  it.each([
    ["the truth", world(), certain("a"), []],
    ["the truth by another name", world(), certain("also-a"), []],
    ["a consequence beside it", world({ alsoTrue: ["c"] }), certain("a", "c"), []],
    ["something else for certain", world(), certain("b"), ["wrong certainty", "missing verdict"]],
    ["the truth and something that is not so", world(), certain("a", "b"), ["wrong certainty"]],
    ["readings with the truth", world(), either("b", "a"), []],
    ["readings without it", world(), either("b", "c"), ["missing verdict"]],
    ["that all is well", world(), { kind: "healthy" }, ["wrong certainty"]],
    ["that it cannot tell", world(), { kind: "unknown" }, ["missing verdict"]],
    ["a certainty by luck", world({ undecidable: "looks alike" }), certain("a"), ["wrong certainty"]],
    ["readings where nothing decides", world({ undecidable: "looks alike" }), either("a", "b"), []],
    ["a fault where nothing is wrong", world({ truths: [] }), certain("a"), ["false alarm"]],
    ["readings where nothing is wrong", world({ truths: [] }), either("a", "b"), ["false alarm"]],
    ["well where all is well", world({ truths: [] }), { kind: "healthy" }, []],
    ["unknown where all is well", world({ truths: [] }), { kind: "unknown" }, ["missing verdict"]],
    ["unknown where nobody could look", world({ truths: [], blind: true }), { kind: "unknown" }, []],
    [
      "well where nobody could look",
      world({ truths: [], blind: true }),
      { kind: "healthy" },
      ["wrong certainty"],
    ],
    [
      "a cause where nobody could look",
      world({ truths: [], blind: true }),
      certain("a"),
      ["wrong certainty", "wrong certainty"],
    ],
    ["one of two", world({ truths: [truth("a", "a"), truth("b", "b")] }), certain("a"), ["missing verdict"]],
    [
      "one of two where the other is hidden",
      world({ truths: [truth("a", "a"), { ...truth("b", "b"), hidden: "behind a" }] }),
      certain("a"),
      [],
    ],
  ] as const)("%s", (_, scenario, said, held) => {
    expect(kinds(scenario, said as Said)).toEqual(held);
  });

  it("counts readings with the truth apart", () => {
    expect(isEither({ scenario: world(), said: either("a", "b") })).toBe(true);
    expect(isEither({ scenario: world(), said: either("b", "c") })).toBe(false);
    expect(isEither({ scenario: world(), said: certain("a") })).toBe(false);
  });
});

describe("the page", () => {
  it("ends with what was answered (npm run generate)", () => {
    const page = coverageOnPage();
    const part = incidentCoverage(answered);
    expect(page.slice(-part.length)).toBe(part);
  });

  it("would change if an answer did", () => {
    const [first, ...rest] = answered;
    if (first === undefined) throw new Error("nothing was asked");
    const page = incidentCoverage(answered);
    expect(page).toContain("0 wrong certainties");
    const worse = incidentCoverage([{ ...first, said: { kind: "healthy" } }, ...rest]);
    expect(worse).toContain("1 wrong certainties");
    expect(worse).toContain("**wrong certainty**: healthy");
  });
});

describe("captures", () => {
  it("are read with both streams and the exit code", () => {
    const text = "# command: x\n# exit: 3\n# --- stdout\nout\n\n# --- stderr\nerr\n";
    expect(readCapture(text)).toEqual({ exitCode: 3, stdout: "out\n\n", stderr: "err\n" });
    expect(() => readCapture("nothing")).toThrow("no capture");
  });
});
