import { describe, expect, it } from "vitest";
import type { DnsReply } from "#shared/dns/answer.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { dig } from "#shared/probes/dig.ts";
import type { DnsRecord } from "#shared/twin/dns-message.ts";
import { messageText } from "#shared/twin/programs/dig-text.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { captured, capturedOutput } from "../probes/captured.ts";
import { twinOf } from "./twin-fixture.ts";

const display = {
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
  stats: false,
  short: false,
  edns: true,
};

const withDot = ["NS", "CNAME"];

const records = (list: Extract<DnsReply, { kind: "answer" }>["answer"]): readonly DnsRecord[] =>
  list.map(({ name, ttl, type, data }) => ({
    name,
    ttl,
    type,
    value: withDot.includes(type) ? `${data}.` : data,
  }));

/** What differs from run to run, or depends on the server's options. */
const comparable = (text: string): string => text.replace(/^; COOKIE: .*\n/m, "").replace(/id: \d+/, "id: 1");

describe("dig's way of writing", () => {
  it.each([
    "authoritative-answer",
    "authoritative-cname",
    "authoritative-nodata",
    "authoritative-ns",
    "authoritative-nxdomain",
    "authoritative-referral",
    "authoritative-refused",
    "authoritative-txt-strings",
    "dnsmasq-rebind-filter",
    "unbound-negative",
    "unbound-private-address",
    "unbound-recursive-aged",
  ])("is that of the real program: %s", (name) => {
    const { stdout } = captured("dig", name);
    const reply = dig.read(capturedOutput("dig", name));
    if (reply.kind !== "answer") throw new Error("no answer");
    const [, owner = "", type = ""] = /^;(\S+)\s+IN\s+(\S+)$/m.exec(stdout) ?? [];
    const extended = /^; EDE: (.*)$/m.exec(stdout)?.[1];
    const text = messageText(
      1,
      {
        name: fqdn(owner),
        type,
        recursive: reply.flags.includes("rd"),
        checkingDisabled: reply.flags.includes("cd"),
      },
      {
        status: reply.rcode as "NOERROR",
        authoritative: reply.flags.includes("aa"),
        recursionAvailable: reply.flags.includes("ra"),
        answer: records(reply.answer),
        authority: records(reply.authority),
        additional: records(reply.additional),
        ...(extended === undefined ? {} : { extendedError: extended }),
      },
      display,
    );
    expect(comparable(text)).toBe(comparable(stdout));
  });
});

describe("dig on machines of the twin", () => {
  const { twin, clock, run } = twinOf(goldentoothL2());
  const name = fqdn("httpbin.services.k8s.goldentooth.net");
  const probe = async (server: string, question: Parameters<typeof dig.argv>[1]) => {
    const { argv } = dig.argv(server, question);
    return dig.read(await run("ops-host", argv.join(" ")));
  };

  it("gets the address from the zone's own server, with its SOA for what is not there", async () => {
    expect(await probe("203.0.113.10", { name, type: "A", recurse: false })).toMatchObject({
      rcode: "NOERROR",
      flags: ["aa"],
      answer: [{ name, type: "A", data: "10.4.11.1" }],
    });
    expect(
      await probe("203.0.113.10", { name: fqdn("nope.goldentooth.net"), type: "A", recurse: false }),
    ).toMatchObject({ rcode: "NXDOMAIN", authority: [{ type: "SOA", ttl: 900 }] });
  });

  it("gets the referral from the parent", async () => {
    expect(await probe("192.5.6.30", { name, type: "NS", recurse: false })).toMatchObject({
      flags: [],
      answer: [],
      authority: Array.from({ length: 4 }, () => ({ name: "goldentooth.net", type: "NS" })),
    });
  });

  it("gets an emptiness from the router, which filters private addresses", async () => {
    expect(await probe("10.4.0.1", { name, type: "A", recurse: true })).toMatchObject({
      rcode: "NOERROR",
      answer: [],
      authority: [],
      extendedErrors: [15],
    });
    expect(await probe("10.4.0.1", { name: fqdn(`a-${name}`), type: "TXT", recurse: true })).toMatchObject({
      rcode: "NOERROR",
      answer: [{ type: "TXT" }],
    });
  });

  it("waits for a server that is off, and says so", async () => {
    twin.resolvers.setServer("203.0.113.11", "silent");
    const before = clock.now();
    expect(await probe("203.0.113.11", { name, type: "A", recurse: false })).toEqual({
      kind: "silence",
      because: "timed-out",
    });
    expect(clock.now() - before).toBe(4_000);
    twin.resolvers.setServer("203.0.113.12", "closed");
    expect(await probe("203.0.113.12", { name, type: "A", recurse: false })).toMatchObject({
      because: "refused",
    });
  });

  it("prints the short form, the whole form, and what it cannot do", async () => {
    expect((await run("ops-host", `dig +short @1.1.1.1 ${name}`)).stdout).toBe("10.4.11.1\n");
    const whole = (await run("ops-host", `dig @1.1.1.1 ${name}`)).stdout;
    expect(whole).toMatch(/^\n; <<>> DiG 9\.18\.\S+ <<>> @1\.1\.1\.1 /);
    expect(whole).toMatch(/;; SERVER: 1\.1\.1\.1#53\(1\.1\.1\.1\) \(UDP\)\n;; WHEN: Thu Jan 01 /);
    expect(await run("ops-host", "dig +trace goldentooth.net")).toMatchObject({ exitCode: 1 });
    expect(await run("ops-host", "dig @nosuch.invalid goldentooth.net")).toMatchObject({
      exitCode: 10,
      stderr: "dig: couldn't get address for 'nosuch.invalid': not found\n",
    });
  });
});

describe("the machine's own resolver", () => {
  it("is the router, which answers for the old domain by itself", async () => {
    const { run } = twinOf(goldentooth());
    const { stdout } = await run("laptop", "dig +noall +comments httpbin.hellholt.net");
    expect(stdout).toMatch(/status: NXDOMAIN/);
    expect(stdout).toMatch(/flags: qr aa rd ra;/);
  });
});
