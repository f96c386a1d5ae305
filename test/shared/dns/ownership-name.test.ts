import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Affixes,
  affixProblem,
  crashesReader,
  isTemplated,
  legacyTxtName,
  readTxtName,
  typedTxtName,
} from "#shared/dns/ownership-name.ts";
import { matchTypeOf } from "#shared/dns/ownership-written.ts";
import {
  newestRelease,
  type OwnershipRules,
  ownershipRules,
  parseRelease,
  type Release,
} from "#shared/dns/release.ts";

const rulesOf = (text: string): OwnershipRules => ownershipRules(parseRelease(text) as Release);
const newest = ownershipRules(newestRelease);

type Answers<T> = Readonly<Record<string, T>>;
type Fixture = Readonly<{
  releases: readonly string[];
  read: readonly Readonly<{
    affixes: Affixes;
    txtName: string;
    read: Answers<"crash" | readonly [string, string]>;
  }>[];
  written: readonly Readonly<{
    affixes: Affixes;
    name: string;
    type: string;
    written: Answers<readonly [string | null, string | null]>;
  }>[];
}>;

/** What ExternalDNS's own mappers answered; see the file's `source`. */
const upstream = JSON.parse(
  readFileSync(new URL("../../fixtures/dns/name-mappers.json", import.meta.url), "utf8"),
) as Fixture;

/** An answer holds until the next release that has one. */
function at<T>(answers: Answers<T>, release: string): T {
  const upTo = upstream.releases.slice(0, upstream.releases.indexOf(release) + 1);
  return answers[upTo.findLast((each) => each in answers) as string] as T;
}

describe.each(upstream.releases)("as the mapper of %s", (release) => {
  const rules = rulesOf(release);

  it.each(upstream.read)("reads $txtName with $affixes", ({ affixes, txtName, read }) => {
    const answer = at(read, release);
    expect(crashesReader(txtName, affixes, rules)).toBe(answer === "crash");
    const reading = readTxtName(txtName, affixes, rules);
    // The mapper answers an empty name, or one with an empty first label, for a TXT that is none of its own.
    if (answer === "crash" || answer[0] === "" || answer[0].startsWith(".")) expect(reading).toBeUndefined();
    else expect([reading?.name, reading && matchTypeOf(reading, rules)]).toEqual(answer);
  });

  it.each(upstream.written)("writes $type $name with $affixes", ({ affixes, name, type, written }) => {
    const [legacy, typed] = at(written, release);
    if (legacy !== null) expect(legacyTxtName(name, affixes, rules)).toBe(legacy);
    if (typed !== null) expect(typedTxtName(name, type, affixes)).toBe(typed);
    expect([rules.writesLegacy, rules.writesTyped]).toEqual([legacy !== null, typed !== null]);
  });
});

describe("names by hand", () => {
  it.each<[string, string, Affixes, string, string]>([
    ["A", "web.example.com", {}, "a-web.example.com", "web.example.com"],
    ["NS", "web.example.com", {}, "ns-web.example.com", "web.example.com"],
    ["A", "web.example.com", { prefix: "txt." }, "txt.a-web.example.com", "txt.web.example.com"],
    ["A", "web.example.com", { prefix: "%{record_type}-x-" }, "a-x-web.example.com", "-x-web.example.com"],
    ["A", "web.example.com", { suffix: "-txt" }, "a-web-txt.example.com", "web-txt.example.com"],
    ["A", "web.example.com", { suffix: "-%{record_type}" }, "web-a.example.com", "web-.example.com"],
    ["A", "web.example.com", { prefix: "%{RECORD_TYPE}." }, "a.web.example.com", ".web.example.com"],
    ["A", "*.apps.example.com", {}, "a-*.apps.example.com", "*.apps.example.com"],
    [
      "A",
      "*.apps.example.com",
      { wildcardReplacement: "ANY" },
      "a-any.apps.example.com",
      "any.apps.example.com",
    ],
    [
      "A",
      "x*.apps.example.com",
      { wildcardReplacement: "any" },
      "a-x*.apps.example.com",
      "x*.apps.example.com",
    ],
    ["A", "example.com", { prefix: "%{record_type}-txt." }, "a-txt.example.com", "-txt.example.com"],
    ["A", "example.com", { suffix: "-txt" }, "a-example-txt.com", "example-txt.com"],
  ])("%s %s with %j", (type, name, affixes, typed, legacy) => {
    expect(typedTxtName(name, type, affixes)).toBe(typed);
    expect(legacyTxtName(name, affixes)).toBe(legacy);
  });

  it("before 0.12 the template is ordinary text", () => {
    const affixes = { prefix: "%{record_type}-" };
    expect(legacyTxtName("web.example.com", affixes, rulesOf("0.11.1"))).toBe(
      "%{record_type}-web.example.com",
    );
    expect(legacyTxtName("web.example.com", affixes, rulesOf("0.12.0"))).toBe("-web.example.com");
  });

  it("prefix and suffix exclude each other", () => {
    const both = { prefix: "a", suffix: "b" };
    expect(affixProblem(both)).toContain("exclude each other");
    expect(affixProblem({ prefix: "a", suffix: "" })).toBeUndefined();
    expect(readTxtName("ab.example.com", both, newest)).toBeUndefined();
  });

  it("a template counts in any case and in either affix", () => {
    expect(isTemplated({ suffix: "-%{Record_Type}" })).toBe(true);
    expect(isTemplated({ prefix: "record_type" })).toBe(false);
  });

  it("never crashes, whatever stands in the zone", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("a-", "a", "%{record_type}", ".", "-x."),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...upstream.releases),
        text,
        fc.record({ prefix: text, suffix: text, wildcardReplacement: text }, { requiredKeys: [] }),
        (release, txtName, affixes) => {
          const reading = readTxtName(txtName, affixes, rulesOf(release));
          expect(reading === undefined || reading.name !== "").toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
