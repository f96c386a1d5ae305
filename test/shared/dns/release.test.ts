import { describe, expect, it } from "vitest";
import {
  atLeast,
  changes,
  newestRelease,
  oldestRelease,
  ownershipRules,
  parseRelease,
  type Release,
} from "#shared/dns/release.ts";

const release = (text: string): Release => parseRelease(text) as Release;

describe("parseRelease", () => {
  it.each([
    ["0.14.2", "0.14.2"],
    ["v0.13.5", "0.13.5"],
    ["0.13", "0.13.6"],
    ["v0.22", "0.22.0"],
    [" 0.16.1 ", "0.16.1"],
    ["0.14.2-debian-12-r4", "0.14.2"],
    ["0.19.3", "0.19.3"],
  ])("%s is %s", (text, known) => {
    expect(parseRelease(text)?.text).toBe(known);
  });

  it.each([
    "",
    "latest",
    "1.2.3",
    "0.6.0",
    "0.23.0",
    "0.140.0",
    "0.14.x",
    "14.2",
    "0.14.2.1",
    "0.14-rc1",
  ])("%j is not known", (text) => {
    expect(parseRelease(text)).toBeUndefined();
  });

  it("orders by numbers, not by text", () => {
    expect(atLeast(release("0.13.5"), "0.13.5")).toBe(true);
    expect(atLeast(release("0.13.4"), "0.13.5")).toBe(false);
    expect(atLeast(release("0.9.0"), "0.12.0")).toBe(false);
    expect(atLeast(newestRelease, "0.22.0")).toBe(true);
    expect(atLeast(oldestRelease, "0.12.0")).toBe(false);
  });
});

describe("rules", () => {
  it("changes are listed oldest first, each with its source", () => {
    const positions = changes.map(({ since }) => release(since));
    for (const [i, { since }] of changes.entries())
      expect(positions.slice(i).every((later) => atLeast(later, since))).toBe(true);
    expect(changes.every(({ source }) => source.length > 0)).toBe(true);
  });

  it.each([
    ["0.11.1", []],
    ["0.13.4", ["A", "CNAME", "NS"]],
    ["0.17.0", ["A", "AAAA", "CNAME", "NS"]],
    ["0.20.0", ["A", "AAAA", "CNAME", "NS", "MX"]],
    ["0.21.0", ["A", "AAAA", "CNAME", "NS", "MX", "PTR", "SRV", "NAPTR"]],
    ["0.22.0", ["A", "AAAA", "CNAME", "NS", "MX", "PTR", "SRV", "NAPTR", "TXT", "DNAME"]],
  ])("%s knows %j", (text, types) => {
    expect(ownershipRules(release(text)).knownTypes).toEqual(types);
  });
});
