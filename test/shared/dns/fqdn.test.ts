import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  comparisonForm,
  decodeName,
  fqdn,
  isWithin,
  labelLength,
  readFqdn,
  route53Name,
} from "#shared/dns/fqdn.ts";

describe("decodeName", () => {
  it.each([
    ["wildcard", "\\052.apps.example.com.", "*.apps.example.com"],
    ["upper case and no dot at the end", "WWW.Example.Com", "www.example.com"],
    ["an at sign and a blank", "a\\100b\\040c.example.com", "a@b c.example.com"],
    ["a dot inside a label stays escaped", "a\\056b.example.com.", "a\\056b.example.com"],
    ["an escaped dot at the end is no trailing dot", "example.com\\056", "example.com\\056"],
    ["an escaped backslash does not start a second escape", "\\134052.example.com", "\\134052.example.com"],
    ["a bare backslash", "a\\b.example.com", "a\\134b.example.com"],
    ["a backslash before a true escape", "\\\\052.example.com", "\\134*.example.com"],
    ["UTF-8 in two bytes", "b\\303\\274cher.example", "bücher.example"],
    ["bytes that are no UTF-8", "x\\303y\\377.example", "x\\303y\\377.example"],
    ["digits beyond an octal byte", "\\400\\089.example", "\\134400\\134089.example"],
    ["letters outside ASCII keep their case", "BÜCHER.example", "bÜcher.example"],
    ["nothing", "", ""],
    ["the root", ".", "."],
  ])("%s", (_, text, name) => {
    expect(decodeName(text)).toBe(name);
  });

  it("changes nothing a second time, whatever comes", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc
        .array(fc.constantFrom("\\", "0", "5", "6", "052", "056", "134", "303", ".", "A", "ü"), {
          maxLength: 12,
        })
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (value) => {
        const once = decodeName(value);
        expect(decodeName(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});

describe("readFqdn", () => {
  it.each([
    ["nothing", "", '"" is no domain name'],
    ["the root", ".", '"." has an empty label'],
    ["two dots", "a..b", '"a..b" has an empty label'],
    ["two dots at the end", "a.b..", '"a.b.." has an empty label'],
    ["a dot in front", ".a", '".a" has an empty label'],
    ["64 bytes", `${"x".repeat(64)}.example`, "has a label of 64 bytes; 63 are allowed"],
    ["64 bytes in UTF-8", `${"ü".repeat(32)}.example`, "has a label of 64 bytes; 63 are allowed"],
    ["256 bytes", `${`${"x".repeat(62)}.`.repeat(4)}yy`, "is 256 bytes long; 255 are allowed"],
  ])("refuses %s", (_, text, problem) => {
    const read = readFqdn(text);
    expect(read.ok ? "" : read.problem).toContain(problem);
  });

  it("counts an escaped byte once, and takes the longest label and name", () => {
    expect(labelLength("a\\056b\\377")).toBe(4);
    expect(readFqdn(`${"\\056".repeat(63)}.example`).ok).toBe(true);
    expect(readFqdn(`${"x".repeat(63)}.example.`).ok).toBe(true);
    expect(readFqdn(`${`${"x".repeat(62)}.`.repeat(4)}y`).ok).toBe(true);
  });

  it("fqdn throws for a literal that is none", () => {
    expect(() => fqdn("a..b")).toThrow(RangeError);
  });
});

describe("route53Name", () => {
  it.each([
    ["*.apps.example.com", "\\052.apps.example.com."],
    ["a@b c.example.com", "a\\100b\\040c.example.com."],
    ["a\\056b.example.com", "a\\056b.example.com."],
    ["bücher.example", "b\\303\\274cher.example."],
    ["_sip._tcp.example.com", "_sip._tcp.example.com."],
  ])("%s is stored as %s", (name, stored) => {
    expect(route53Name(fqdn(name))).toBe(stored);
  });

  it("reads back as the same name", () => {
    const label = fc
      .oneof(
        fc.string({ minLength: 1, maxLength: 9 }),
        fc.string({ unit: "binary", minLength: 1, maxLength: 9 }),
      )
      .filter((value) => !value.includes(".") && value.isWellFormed());
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const read = readFqdn(labels.join("."));
        if (!read.ok) return;
        const stored = route53Name(read.fqdn);
        expect(stored).toMatch(/^([a-z0-9._-]|\\[0-3][0-7]{2})+\.$/);
        expect(readFqdn(stored)).toEqual({ ok: true, fqdn: read.fqdn });
      }),
      { numRuns: 300 },
    );
  });
});

describe("comparisonForm", () => {
  it.each([
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example", "xn--bcher-kva.example"],
    ["*.bücher.example", "*.xn--bcher-kva.example"],
    ["_dmarc.example.com", "_dmarc.example.com"],
    ["１２７.example", "１２７.example"],
  ])("%s compares as %s", (name, form) => {
    expect(comparisonForm(fqdn(name))).toBe(form);
  });
});

it("isWithin looks at whole labels", () => {
  expect(isWithin("example.com", "example.com")).toBe(true);
  expect(isWithin("a.example.com", "example.com")).toBe(true);
  expect(isWithin("a-example.com", "example.com")).toBe(false);
});
