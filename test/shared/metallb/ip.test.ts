import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, overlaps, parseAddresses, parseIp } from "#shared/metallb/ip.ts";

describe("parseIp reads and prints as Go does", () => {
  it.each([
    ["10.4.11.0", "10.4.11.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:0a00:0001", "10.0.0.1"],
    ["FD00::1", "fd00::1"],
    ["fd00:0:0:0:0:0:0:1", "fd00::1"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ])("%s is %s", (given, printed) => {
    expect(parseIp(given)?.text).toBe(printed);
  });

  it.each([
    "",
    "10.0.0",
    "10.1",
    "010.0.0.1",
    "10.0.0.256",
    "0x0a.0.0.1",
    " 10.0.0.1",
    "10.0.0.1/32",
    "fe80::1%eth0",
    "::ffff:010.0.0.1",
    "1::2::3",
    "host",
    "1.2.3.4.5",
  ])("refuses %j", (given) => {
    expect(parseIp(given)).toBeUndefined();
  });

  it("prints what it reads back", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (given) => {
        const ip = parseIp(given);
        expect(ip && parseIp(ip.text)).toEqual(ip);
      }),
    );
  });
});

describe("parseAddresses", () => {
  const texts = (entry: string) => {
    const read = parseAddresses(entry);
    return "error" in read ? read.error : read.map(({ text }) => text);
  };

  it.each([
    ["10.4.11.7/24", ["10.4.11.0/24"]],
    ["10.0.0.1-10.0.0.1", ["10.0.0.1/32"]],
    [" 10.0.0.1 - 10.0.0.4 ", ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/32"]],
    ["0.0.0.0/0", ["0.0.0.0/0"]],
    ["fd00::1-fd00::2", ["fd00::1/128", "fd00::2/128"]],
    ["fd00::ff/120", ["fd00::/120"]],
    ["255.255.255.254-255.255.255.255", ["255.255.255.254/31"]],
    ["10.0.0.1", 'invalid CIDR "10.0.0.1"'],
    ["10.0.0.0/33", 'invalid CIDR "10.0.0.0/33"'],
    ["10.0.0.0/08", ["10.0.0.0/8"]],
    ["::ffff:10.0.0.0/120", ["10.0.0.0/24"]],
    ["::ffff:10.0.0.0/129", 'invalid CIDR "::ffff:10.0.0.0/129"'],
    ["10.0.0.1-fd00::1", []],
    ["a-10.0.0.1", 'invalid IP range "a-10.0.0.1": invalid start IP "a"'],
    ["10.0.0.1-", 'invalid IP range "10.0.0.1-": invalid end IP ""'],
    [
      "10.0.0.9-10.0.0.1",
      'invalid IP range "10.0.0.9-10.0.0.1": start IP "10.0.0.9" is after the end IP "10.0.0.1"',
    ],
  ])("%s", (entry, expected) => {
    expect(texts(entry)).toEqual(expected);
  });

  it("the seed's range holds 1279 addresses", () => {
    const read = parseAddresses("10.4.11.0-10.4.15.254");
    if ("error" in read) throw new Error(read.error);
    expect(read.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)).toBe(1279n);
  });

  it("a range's prefixes hold exactly its addresses, and never overlap each other", () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(300), (start, length) => {
        const text = (value: number) => `10.0.${value >> 8}.${value & 255}`;
        const end = Math.min(start + length, 0xffff);
        const read = parseAddresses(`${text(start)}-${text(end)}`);
        if ("error" in read) throw new Error(read.error);
        const held = read.reduce((sum, { first, last }) => sum + Number(last - first) + 1, 0);
        expect(held).toBe(end - start + 1);
        for (const [value, inside] of [
          [start, true],
          [end, true],
          [start - 1, false],
          [end + 1, false],
        ] as const) {
          const ip = value < 0 || value > 0xffff ? undefined : parseIp(text(value));
          if (ip) expect(read.some((cidr) => contains(cidr, ip))).toBe(inside);
        }
        for (const [i, a] of read.entries())
          for (const b of read.slice(i + 1)) expect(overlaps(a, b)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (entry) => {
        parseAddresses(entry);
      }),
    );
  });
});
