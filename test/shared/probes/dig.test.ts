import { describe, expect, it } from "vitest";
import type { DnsReply } from "#shared/dns/answer.ts";
import { isReferral, masterFileName, negativeSoa, readMasterFileName } from "#shared/dns/answer.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { dig } from "#shared/probes/dig.ts";
import { capturedOutput } from "./captured.ts";

const read = (name: string): DnsReply => dig.read(capturedOutput("dig", name));
const answered = (name: string) => {
  const reply = read(name);
  if (reply.kind !== "answer") throw new Error(`${name} is ${reply.kind}`);
  return reply;
};

describe("names in master file form", () => {
  it.each([
    ["*.apps.example.com", "*.apps.example.com."],
    ["a b.example.com", "a\\032b.example.com."],
    ["a\\056b.example.com", "a\\046b.example.com."],
    ["x@y.example.com", "x\\064y.example.com."],
  ])("%s is written %s and read back", (name, written) => {
    expect(masterFileName(fqdn(name))).toBe(written);
    expect(readMasterFileName(written)).toEqual({ ok: true, fqdn: fqdn(name) });
  });
});

describe("dig", () => {
  it("reads an authoritative answer with all its sections", () => {
    expect(answered("authoritative-answer")).toEqual({
      kind: "answer",
      rcode: "NOERROR",
      flags: ["aa"],
      answer: [{ name: "httpbin.services.k8s.goldentooth.net", ttl: 300, type: "A", data: "10.4.11.1" }],
      authority: [
        { name: "goldentooth.net", ttl: 172_800, type: "NS", data: "ns-2.example.org" },
        { name: "goldentooth.net", ttl: 172_800, type: "NS", data: "ns-1.example.org" },
      ],
      additional: [],
      extendedErrors: [],
    });
  });

  it.each([
    ["authoritative-nxdomain", "NXDOMAIN"],
    ["authoritative-nodata", "NOERROR"],
    ["unbound-negative", "NXDOMAIN"],
    ["dnsmasq-nxdomain", "NXDOMAIN"],
  ])("%s is a cacheable no", (name, rcode) => {
    const reply = answered(name);
    expect(reply.rcode).toBe(rcode);
    expect(negativeSoa(reply)?.type).toBe("SOA");
  });

  it.each([
    ["dnsmasq-rebind-filter", [15]],
    ["unbound-private-address", []],
  ])("%s is an emptiness without an SOA", (name, extendedErrors) => {
    const reply = answered(name);
    expect(reply).toMatchObject({ rcode: "NOERROR", answer: [], authority: [], extendedErrors });
    expect(negativeSoa(reply)).toBeUndefined();
  });

  it("tells a referral by its NS records without AA", () => {
    expect(isReferral(answered("authoritative-referral"))).toBe(true);
    expect(isReferral(answered("authoritative-answer"))).toBe(false);
    expect(isReferral(answered("authoritative-ns"))).toBe(false);
    expect(answered("authoritative-referral").additional).toEqual([
      { name: "ns.sub.goldentooth.net", ttl: 300, type: "A", data: "127.0.0.1" },
    ]);
  });

  it("keeps the strings of a TXT as they are written, and follows a CNAME", () => {
    expect(answered("authoritative-txt-strings").answer[0]?.data).toBe('"first \\"part\\"" "second;part"');
    expect(answered("authoritative-cname").answer.map(({ type, data }) => [type, data])).toEqual([
      ["CNAME", "httpbin.services.k8s.goldentooth.net"],
      ["A", "10.4.11.1"],
    ]);
  });

  it("sees a TTL that counts down", () => {
    expect(answered("unbound-recursive").answer[0]?.ttl).toBe(300);
    expect(answered("unbound-recursive-aged").answer[0]?.ttl).toBe(298);
  });

  it.each([
    ["refused-connection", "refused"],
    ["timed-out", "timed-out"],
  ])("%s is evidence of silence, not a fault", (name, because) => {
    expect(read(name)).toEqual({ kind: "silence", because });
  });

  it("makes a fault of a server that has no address", () => {
    expect(() => read("no-such-server")).toThrow("couldn't get address");
  });

  it("asks with validated arguments, wildcards escaped", () => {
    const { argv } = dig.argv("10.4.0.1", { name: fqdn("*.apps.example.com"), type: "TXT", recurse: false });
    expect(argv.slice(-5)).toEqual(["@10.4.0.1", "-q", "*.apps.example.com.", "-t", "TXT"]);
    expect(argv).toContain("+norecurse");
    expect(() => dig.argv("ns.example.com", { name: fqdn("a.b"), type: "A", recurse: true })).toThrow();
    expect(() => dig.argv("10.4.0.1", { name: fqdn("a.b"), type: "A -f", recurse: true })).toThrow();
  });
});
