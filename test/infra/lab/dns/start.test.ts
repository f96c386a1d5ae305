import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { standIns } from "#infra/lab/dns/addresses.ts";
import { type LabDns, startLabDns } from "#infra/lab/dns/start.ts";
import { createDnsQuery } from "#shared/adapters/dns-query.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { askOn } from "#shared/twin/ask-on.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const host = fqdn("httpbin.services.k8s.goldentooth.net");
let twin: Twin;
let dns: LabDns;

beforeAll(async () => {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1));
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const store = createObjectStore({ now: clock.now, newUid: newId });
  twin = createTwin({ spec: goldentoothL2(), clock, store, newId });
  dns = await startLabDns({ resolvers: twin.resolvers, port: 0 });
});
afterAll(async () => {
  await dns.close();
  twin.stop();
});

const query = createDnsQuery({ timeoutMs: 300 });
const at = (ip: string): string => {
  const server = dns.servers.find((each) => each.ip === ip);
  return `${server?.listens}#${server?.port}`;
};

describe("the model's servers on loopback", () => {
  it("have an address each, and one port", () => {
    expect(dns.servers).toHaveLength(twin.resolvers.servers().length);
    expect(new Set(dns.servers.map(({ listens }) => listens)).size).toBe(dns.servers.length);
    expect(
      dns.servers.filter(({ listens, port }) => !listens.startsWith("127.53.") || port !== dns.port),
    ).toEqual([]);
  });

  it("answer over sockets what the model answers without", async () => {
    const direct = askOn(twin);
    for (const { ip } of dns.servers)
      for (const name of [
        host,
        fqdn("nobody.goldentooth.net"),
        fqdn("hellholt.net"),
        fqdn("goldentooth.net"),
      ])
        for (const type of ["A", "TXT", "NS", "SOA", "DS", "MX"]) {
          const question = { name, type, recurse: true };
          const wire = await query(at(ip), question);
          const model = await direct(ip, question);
          expect(wire, `${name} ${type} at ${ip}`).toEqual(model);
        }
  });

  it("a silent server is silent, and answers again when it is well", async () => {
    twin.resolvers.setServer("203.0.113.10", "silent");
    const question = { name: host, type: "A", recurse: false };
    expect(await query(at("203.0.113.10"), question)).toEqual({ kind: "silence", because: "timed-out" });
    twin.resolvers.setServer("203.0.113.10", "answers");
    expect(await query(at("203.0.113.10"), question)).toMatchObject({ kind: "answer", rcode: "NOERROR" });
  });

  it("take several questions on one connection, in pieces, and survive nonsense", async () => {
    const junk = createSocket("udp4");
    const { listens = "", port = 0 } = dns.servers[0] ?? {};
    await new Promise<void>((done) =>
      junk.send(Buffer.from("hello"), port, listens, () => junk.close(() => done())),
    );
    const question = Buffer.from(
      "0020000101000001000000000000037777770b676f6c64656e746f6f7468036e65740000010001",
      "hex",
    );
    const framed = Buffer.concat([Buffer.from([0, question.length - 2]), question.subarray(2)]);
    const received = await new Promise<Buffer>((done, fail) => {
      const socket = connect({ host: listens, port });
      const parts: Buffer[] = [];
      socket.on("error", fail);
      socket.on("data", (part: Buffer) => {
        parts.push(part);
        const all = Buffer.concat(parts);
        const first = all.length >= 2 ? 2 + all.readUInt16BE(0) : Number.POSITIVE_INFINITY;
        if (all.length >= first + 2 && all.length >= first + 2 + all.readUInt16BE(first)) {
          socket.destroy();
          done(all);
        }
      });
      socket.write(Buffer.concat([framed, framed.subarray(0, 9)]), () => socket.write(framed.subarray(9)));
    });
    expect(received.length).toBeGreaterThan(40);
  });
});

it("servers that would meet on one address stand side by side", () => {
  const stands = standIns(["10.4.0.1", "192.168.0.1", "8.8.8.8", "10.4.0.2"].map((ip) => ({ ip })));
  expect(stands.map(({ listens }) => listens)).toEqual([
    "127.53.0.1",
    "127.53.0.2",
    "127.53.8.8",
    "127.53.0.3",
  ]);
});
