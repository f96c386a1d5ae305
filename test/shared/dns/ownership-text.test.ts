import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatOwnershipText,
  lostLabels,
  ownershipText,
  parseOwnershipText,
} from "#shared/dns/ownership-text.ts";

const before = { equalsInValue: false };
const since022 = { equalsInValue: true };
const h = "heritage=external-dns";

describe("reading", () => {
  it.each<[string, string, Readonly<Record<string, string>> | undefined]>([
    [
      "the ordinary text",
      `"${h},external-dns/owner=default,external-dns/resource=service/a/b"`,
      { owner: "default", resource: "service/a/b" },
    ],
    ["without quotes", `${h},external-dns/owner=x`, { owner: "x" }],
    ["any number of quotes", `"""${h},external-dns/owner=x""`, { owner: "x" }],
    ["heritage alone", `"${h}"`, {}],
    ["heritage last", `"external-dns/owner=x,${h}"`, { owner: "x" }],
    ["no heritage", '"external-dns/owner=x"', undefined],
    ["another heritage", '"heritage=mate,external-dns/owner=x"', undefined],
    ["another heritage beside the right one", `"${h},heritage=mate,external-dns/owner=x"`, undefined],
    ["heritage in capitals", '"Heritage=external-dns,external-dns/owner=x"', undefined],
    ["a blank before heritage", `" ${h},external-dns/owner=x"`, undefined],
    ["a blank before a token", `"${h}, external-dns/owner=x"`, {}],
    ["a repeated key", `"${h},external-dns/owner=x,external-dns/owner=y"`, { owner: "y" }],
    ["an empty owner", `"${h},external-dns/owner="`, { owner: "" }],
    [
      "a key without slash",
      `"${h},external-dnsfoo=x,external-dns=y"`,
      { "external-dnsfoo": "x", "external-dns": "y" },
    ],
    ["an empty key", `"${h},external-dns/=x"`, { "": "x" }],
    ["unknown labels", `"${h},external-dns/cluster=c"`, { cluster: "c" }],
    ["tokens of others and without value", `"${h},,random=stuff,no-equal-sign,external-dns/owner"`, {}],
    ["a prototype's name", `"${h},external-dns/__proto__=x"`, JSON.parse('{"__proto__":"x"}')],
    ["only the first of two values' worth", "", undefined],
  ])("%s", (_, value, labels) => {
    expect(parseOwnershipText(value, since022)).toEqual(labels);
    expect(parseOwnershipText(value, before)).toEqual(labels);
  });

  it.each<
    [
      string,
      string,
      Readonly<Record<string, string>> | undefined,
      Readonly<Record<string, string>> | undefined,
    ]
  >([
    [
      "two equals signs in an owner",
      `"${h},external-dns/owner=team=platform"`,
      {},
      { owner: "team=platform" },
    ],
    ["an equals sign at the end", `"${h},external-dns/owner=x="`, {}, { owner: "x=" }],
    ["two equals signs in the heritage", `"${h}=x,external-dns/owner=x"`, undefined, undefined],
    [
      "a wrong heritage hidden by them",
      `"${h},heritage=a=b,external-dns/owner=x"`,
      { owner: "x" },
      undefined,
    ],
    [
      "strings that are split, which are not joined",
      `"${h},external-dns/owner=x" "external-dns/resource=y"`,
      {},
      { owner: 'x" "external-dns/resource=y' },
    ],
    [
      "a split without an equals sign",
      `"${h},external-dns/owner=de" "fault"`,
      { owner: 'de" "fault' },
      { owner: 'de" "fault' },
    ],
  ])("%s, before and since 0.22", (_, value, old, now) => {
    expect(parseOwnershipText(value, before)).toEqual(old);
    expect(parseOwnershipText(value, since022)).toEqual(now);
  });
});

describe("writing", () => {
  it("puts heritage first and sorts keys by bytes", () => {
    expect(formatOwnershipText({ resource: "service/a/b", owner: "default", ownedRecord: "x" })).toBe(
      `"${h},external-dns/ownedRecord=x,external-dns/owner=default,external-dns/resource=service/a/b"`,
    );
    // In UTF-16 the second would come first.
    expect(ownershipText({ "\u{1F600}": "2", "\uFF5E": "1" })).toBe(
      `${h},external-dns/\uFF5E=1,external-dns/\u{1F600}=2`,
    );
    expect(formatOwnershipText({})).toBe(`"${h}"`);
  });

  it("never writes the nonce", () => {
    expect(formatOwnershipText({ owner: "x", "txt-encryption-nonce": "n" })).toBe(
      `"${h},external-dns/owner=x"`,
    );
  });

  it.each([
    ["a comma", { owner: "a,b" }, ["owner"], ["owner"]],
    ["a quote at the end", { owner: 'a"' }, ["owner"], ["owner"]],
    ["an equals sign", { owner: "a=b" }, ["owner"], []],
    ["a key with an equals sign", { "a=b": "c" }, ["a=b"], ["a=b"]],
    ["nothing special", { owner: "default", resource: "service/a/b" }, [], []],
  ])("labels with %s are lost or not", (_, labels, old, now) => {
    expect(lostLabels(labels, before)).toEqual(old);
    expect(lostLabels(labels, since022)).toEqual(now);
  });

  it("gives any labels back that hold no separator", () => {
    const word = fc.string({ unit: "binary", maxLength: 12 }).filter((each) => !/[",=]/.test(each));
    fc.assert(
      fc.property(fc.dictionary(word, word, { maxKeys: 5, noNullPrototype: true }), (labels) => {
        for (const rules of [before, since022]) {
          expect(parseOwnershipText(formatOwnershipText(labels), rules)).toEqual(labels);
          expect(lostLabels(labels, rules)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never crashes on a text, and says the same of what it wrote", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (rest) => {
        const labels = parseOwnershipText(`"${h},external-dns/${rest}"`, since022);
        if (labels === undefined || lostLabels(labels, since022).length > 0) return;
        expect(parseOwnershipText(formatOwnershipText(labels), since022)).toEqual(labels);
      }),
      { numRuns: 300 },
    );
  });
});
