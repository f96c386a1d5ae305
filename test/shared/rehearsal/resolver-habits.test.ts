import { describe, expect, it } from "vitest";
import type { DnsReply } from "#shared/dns/answer.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { FaultError } from "#shared/fault.ts";
import { resolverHabits } from "#shared/rehearsal/resolver-habits.ts";
import type { KnownZone } from "#shared/rehearsal/zones-of-site.ts";
import { plain } from "#shared/text.ts";

const set = (name: string, value: string): RecordSet => ({
  name: fqdn(name),
  type: "A",
  routing: { policy: "simple" },
  answer: { kind: "values", ttl: 300, values: [value] },
});
const zone = (name: string, ...recordSets: readonly RecordSet[]): KnownZone => ({
  id: `Z${name}`,
  name: fqdn(name),
  private: false,
  recordSets,
});
const old = zone("hellholt.net", set("mail.hellholt.net", "9.9.9.9"), set("nas.hellholt.net", "10.4.0.4"));
const fresh = zone("goldentooth.net");
const both = zone("goldentooth.net", set("a.goldentooth.net", "10.4.11.1"));

const answer = (rcode: string, name: string, ...data: readonly string[]): DnsReply =>
  ({
    kind: "answer",
    rcode,
    flags: ["qr", "ra"],
    answer: data.map((each) => ({ name: fqdn(name), ttl: 300, type: "A", data: each })),
    authority: [],
    additional: [],
  }) as unknown as DnsReply;

const looked = async (zones: readonly KnownZone[], reply: (name: string) => DnsReply | Promise<DnsReply>) => {
  const { of, said } = await resolverHabits(
    async (_, { name }) => reply(name),
    ["10.4.0.1"],
    zones,
    new AbortController().signal,
  );
  return { habits: of.get("10.4.0.1"), said: said.map(plain).join("\n") };
};

describe("how a resolver treats names with private addresses", () => {
  it("is not asked of names with public ones", async () => {
    const asked: string[] = [];
    await looked([old], (name) => {
      asked.push(name);
      return answer("NOERROR", name, "10.4.0.4");
    });
    expect(asked).toEqual(["nas.hellholt.net"]);
  });

  it("nothing is held back where they come through", async () => {
    const { habits, said } = await looked([old], (name) => answer("NOERROR", name, "10.4.0.4"));
    expect(habits).toEqual({});
    expect(said).toMatch(/10\.4\.0\.1 lets private addresses through \(asked for nas\.hellholt\.net\)/);
  });

  it("a filter exempts the domains that come through", async () => {
    const { habits } = await looked([old, both], (name) =>
      name.endsWith("hellholt.net") ? answer("NOERROR", name, "10.4.0.4") : answer("NOERROR", name),
    );
    expect(habits).toEqual({ privateAddresses: "empty", privateDomains: ["hellholt.net"] });
  });

  it.each([
    ["zero", answer("NOERROR", "x", "0.0.0.0"), { privateAddresses: "zero", privateDomains: [] }],
    ["an answer of its own", answer("NXDOMAIN", "x"), { overrides: [{ domain: "hellholt.net", hosts: {} }] }],
  ])("%s", async (_, reply, expected) => {
    expect((await looked([old], () => reply)).habits).toEqual(expected);
  });

  it("what could not be seen is left open", async () => {
    const silent: DnsReply = { kind: "silence", because: "timed-out" };
    expect((await looked([old], () => silent)).habits).toBeUndefined();
    const fails = () => Promise.reject(new FaultError({ kind: "unreachable", what: "ssh", detail: "no" }));
    expect((await looked([old], fails)).habits).toBeUndefined();
    const { habits, said } = await looked([fresh], () => silent);
    expect(habits).toBeUndefined();
    expect(said).toMatch(/below goldentooth\.net is not known, since the zone has none yet/);
  });
});
