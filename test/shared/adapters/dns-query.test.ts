import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import * as packet from "dns-packet";
import { afterEach, describe, expect, it } from "vitest";
import { createDnsQuery } from "#shared/adapters/dns-query.ts";
import { fqdn } from "#shared/dns/fqdn.ts";

const open: (Socket | Server)[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

type Answering = (query: packet.DecodedPacket, transport: "udp" | "tcp") => Buffer | undefined;

/** A name server on one loopback port, for UDP and TCP; another port is tried when one of the two is taken. */
async function serve(answer: Answering): Promise<string> {
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const reply = answer(packet.decode(data.subarray(2)), "tcp");
      if (!reply) return void socket.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      // In two parts, as a network may deliver it.
      socket.write(length);
      setImmediate(() => socket.write(reply));
    });
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket("udp4");
  udp.on("message", (message, from) => {
    const reply = answer(packet.decode(message), "udp");
    if (reply) udp.send(reply, from.port, from.address);
  });
  try {
    udp.bind(port, "127.0.0.1");
    await once(udp, "listening");
  } catch {
    tcp.close();
    return serve(answer);
  }
  open.push(udp, tcp);
  return `127.0.0.1#${port}`;
}

const reply = (query: packet.DecodedPacket, parts: Partial<packet.Packet>, rcode = 0): Buffer =>
  packet.encode({
    type: "response",
    id: query.id ?? 0,
    questions: query.questions ?? [],
    ...parts,
    flags: (parts.flags ?? 0) | rcode,
  });

const name = fqdn("httpbin.goldentooth.net");
const question = { name, type: "A", recurse: true };
const ask = createDnsQuery({ timeoutMs: 300 });

describe("asking a name server", () => {
  it("reads an answer with flags, sections and types", async () => {
    const server = await serve((query) =>
      reply(query, {
        flags: packet.AUTHORITATIVE_ANSWER,
        answers: [
          { type: "A", name: "HTTPbin.goldentooth.net", ttl: 300, data: "10.4.11.1" },
          { type: "TXT", name, ttl: 60, data: [Buffer.from('say "hi"'), Buffer.from("b\u0000")] },
        ],
        authorities: [
          {
            type: "SOA",
            name: "goldentooth.net",
            ttl: 900,
            data: {
              mname: "ns-1.example",
              rname: "host.example",
              serial: 1,
              refresh: 2,
              retry: 3,
              expire: 4,
              minimum: 86_400,
            },
          },
        ],
      }),
    );
    expect(await ask(server, question)).toEqual({
      kind: "answer",
      rcode: "NOERROR",
      flags: ["aa"],
      answer: [
        { name, ttl: 300, type: "A", data: "10.4.11.1" },
        { name, ttl: 60, type: "TXT", data: '"say \\"hi\\"" "b\\000"' },
      ],
      authority: [
        { name: "goldentooth.net", ttl: 900, type: "SOA", data: "ns-1.example. host.example. 1 2 3 4 86400" },
      ],
      additional: [],
      extendedErrors: [],
    });
  });

  it("sends what was asked: recursion, checking, and the raw wildcard", async () => {
    const seen: packet.DecodedPacket[] = [];
    const server = await serve((query) => {
      seen.push(query);
      return reply(query, {}, 3);
    });
    const answer = await ask(server, {
      name: fqdn("*.apps.example.com"),
      type: "TXT",
      recurse: false,
      checkingDisabled: true,
    });
    expect(answer).toMatchObject({ rcode: "NXDOMAIN" });
    expect(seen[0]).toMatchObject({
      flag_rd: false,
      flag_cd: true,
      questions: [{ name: "*.apps.example.com", type: "TXT" }],
    });
  });

  it("follows a cut answer over TCP", async () => {
    const server = await serve((query, transport) =>
      transport === "udp"
        ? reply(query, { flags: packet.TRUNCATED_RESPONSE })
        : reply(query, { answers: [{ type: "A", name, ttl: 1, data: "10.4.11.2" }] }),
    );
    expect(await ask(server, question)).toMatchObject({ answer: [{ data: "10.4.11.2" }] });
  });

  it("reads an extended error", async () => {
    const server = await serve((query) =>
      reply(query, {
        additionals: [
          {
            type: "OPT",
            name: ".",
            udpPayloadSize: 1232,
            flags: 0,
            options: [{ code: 15, data: Buffer.from([0, 15]) }],
          } as unknown as packet.Answer,
        ],
      }),
    );
    expect(await ask(server, question)).toMatchObject({ extendedErrors: [15], additional: [] });
  });

  it("asks a second time, and takes no answer to another question", async () => {
    let count = 0;
    const server = await serve((query) => {
      count += 1;
      if (count === 1)
        return packet.encode({ type: "response", id: ((query.id ?? 0) + 1) % 65_536, answers: [] });
      return reply(query, { answers: [{ type: "A", name, ttl: 1, data: "10.4.11.3" }] });
    });
    expect(await ask(server, question)).toMatchObject({ answer: [{ data: "10.4.11.3" }] });
    expect(count).toBe(2);
  });

  it("tells silence over both transports, and a closed port, as evidence", async () => {
    const silent = createSocket("udp4");
    silent.bind(0, "127.0.0.1");
    await once(silent, "listening");
    open.push(silent);
    const { port } = silent.address();
    const short = createDnsQuery({ timeoutMs: 50 });
    expect(await short(`127.0.0.1#${port}`, question)).toMatchObject({ kind: "silence" });
    expect(await short("127.0.0.1#1", question)).toEqual({ kind: "silence", because: "refused" });
  });

  it("refuses what is no address, and names that cannot be asked for", async () => {
    await expect(ask("ns-1.example", question)).rejects.toThrow("no address");
    await expect(ask("127.0.0.1#1", { ...question, name: fqdn("a\\056b.example.com") })).rejects.toThrow(
      "cannot be asked for",
    );
  });

  it("ends at once when it is called off", async () => {
    const server = await serve(() => undefined);
    const signal = AbortSignal.timeout(30);
    await expect(createDnsQuery({ timeoutMs: 5_000 })(server, question, signal)).rejects.toThrow(
      "ended before",
    );
  });
});
