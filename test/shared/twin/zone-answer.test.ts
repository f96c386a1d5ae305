import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { zoneAnswer } from "#shared/twin/zone-answer.ts";
import { apexRecordSets } from "#shared/twin/zones.ts";

const zone = fqdn("example.net");

const set = (name: string, type: string, ...values: readonly string[]): RecordSet => ({
  name: fqdn(name),
  type,
  routing: { policy: "simple" },
  answer: { kind: "values", ttl: 60, values },
});

const weighted = (id: string, weight: number, value: string): RecordSet => ({
  ...set("lb.example.net", "A", value),
  setIdentifier: id,
  routing: { policy: "weighted", weight },
});

const sets: readonly RecordSet[] = [
  ...apexRecordSets(zone, [{ name: fqdn("ns-1.awsdns-01.com"), ip: "203.0.113.1" }]),
  set("web.example.net", "A", "10.4.11.1", "10.4.11.2"),
  set("web.example.net", "TXT", '"hello"'),
  set("www.example.net", "CNAME", "web.example.net"),
  set("out.example.net", "CNAME", "web.example.org."),
  set("loop.example.net", "CNAME", "pool.example.net"),
  set("pool.example.net", "CNAME", "loop.example.net"),
  set("*.apps.example.net", "A", "10.4.11.9"),
  set("host.apps.example.net", "TXT", '"here"'),
  set("x.deep.example.net", "A", "10.4.11.7"),
  set("sub.example.net", "NS", "ns.sub.example.net"),
  set("ns.sub.example.net", "A", "192.0.2.9"),
  set("hidden.sub.example.net", "A", "10.4.11.3"),
  weighted("a", 1, "10.4.11.5"),
  weighted("b", 9, "10.4.11.6"),
  {
    name: fqdn("alias.example.net"),
    type: "A",
    routing: { policy: "simple" },
    answer: {
      kind: "alias",
      target: { hostedZoneId: "Z1", name: fqdn("web.example.net"), evaluateTargetHealth: false },
    },
  },
];

const ask = (name: string, type: string) => {
  const { status, authoritative, answer, authority } = zoneAnswer(zone, sets, { name: fqdn(name), type });
  return {
    status,
    authoritative,
    answer: answer.map((record) => `${record.name} ${record.ttl} ${record.type} ${record.value}`),
    authority: authority.map(({ name: owner, ttl, type: kind }) => `${owner} ${ttl} ${kind}`),
  };
};

const soa = ["example.net 900 SOA"];
const ns = ["example.net 172800 NS"];

describe("what a zone's own servers answer", () => {
  it.each([
    ["a record set", "web.example.net", "A", "NOERROR", ["10.4.11.1", "10.4.11.2"], ns],
    ["another type of a name that is there", "web.example.net", "AAAA", "NOERROR", [], soa],
    ["a name that is not there", "nope.example.net", "A", "NXDOMAIN", [], soa],
    ["a name with something below it", "deep.example.net", "A", "NOERROR", [], soa],
    [
      "a CNAME and what it leads to",
      "www.example.net",
      "A",
      "NOERROR",
      ["web.example.net.", "10.4.11.1", "10.4.11.2"],
      ns,
    ],
    ["the CNAME itself", "www.example.net", "CNAME", "NOERROR", ["web.example.net."], ns],
    ["a CNAME out of the zone", "out.example.net", "A", "NOERROR", ["web.example.org."], ns],
    ["a wildcard", "any.apps.example.net", "A", "NOERROR", ["10.4.11.9"], ns],
    ["a wildcard two labels down", "a.b.apps.example.net", "A", "NOERROR", ["10.4.11.9"], ns],
    ["a name beside the wildcard that is there", "host.apps.example.net", "A", "NOERROR", [], soa],
    ["below a name beside the wildcard", "x.host.apps.example.net", "A", "NXDOMAIN", [], soa],
    ["the heaviest of weighted sets", "lb.example.net", "A", "NOERROR", ["10.4.11.6"], ns],
    [
      "an alias with what its target has",
      "alias.example.net",
      "A",
      "NOERROR",
      ["10.4.11.1", "10.4.11.2"],
      ns,
    ],
    ["the zone's own name servers", "example.net", "NS", "NOERROR", ["ns-1.awsdns-01.com."], []],
  ])("%s", (_what, name, type, status, values, authority) => {
    const answer = ask(name, type);
    expect({ ...answer, answer: answer.answer.map((line) => line.split(" ").slice(3).join(" ")) }).toEqual({
      status,
      authoritative: true,
      answer: values,
      authority,
    });
  });

  it("refers to the servers of a zone below, whatever it holds there itself", () => {
    expect(ask("hidden.sub.example.net", "A")).toEqual({
      status: "NOERROR",
      authoritative: false,
      answer: [],
      authority: ["sub.example.net 60 NS"],
    });
  });

  it("gives a wildcard's answer the name that was asked for", () => {
    expect(ask("any.apps.example.net", "A").answer).toEqual(["any.apps.example.net 60 A 10.4.11.9"]);
  });

  it("gives up on CNAMEs that go in a circle", () => {
    expect(ask("loop.example.net", "A")).toMatchObject({ status: "SERVFAIL", answer: [] });
  });
});
