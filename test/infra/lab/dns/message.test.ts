import * as packet from "dns-packet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Asked, answerMessage } from "#infra/lab/dns/message.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { DnsRecord, DnsResponse } from "#shared/twin/dns-message.ts";

const record = (type: string, value: string, name = "web.example.net"): DnsRecord => ({
  name: fqdn(name),
  ttl: 60,
  type,
  value,
});

const response = (more: Partial<DnsResponse> = {}): DnsResponse => ({
  status: "NOERROR",
  authoritative: true,
  recursionAvailable: false,
  answer: [],
  authority: [],
  additional: [],
  ...more,
});

const opt = (udpPayloadSize: number, ednsVersion = 0): packet.Answer =>
  ({
    type: "OPT",
    name: ".",
    udpPayloadSize,
    ednsVersion,
    flags: 0,
    options: [],
  }) as unknown as packet.Answer;

const query = (more: Partial<packet.Packet> = {}): Buffer =>
  packet.encode({
    type: "query",
    id: 4_711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: "A", name: "web.example.net", class: "IN" }],
    ...more,
  });

const never: Asked = () => {
  throw new Error("nobody was to be asked");
};

const answered = (message: Buffer, ask: Asked, transport: "udp" | "tcp" = "udp") => {
  const reply = answerMessage(message, transport, ask);
  if (typeof reply === "string") return reply;
  const decoded = packet.decode(reply) as packet.DecodedPacket & { rcode: string };
  return { ...decoded, bytes: reply.length };
};

const rcodeOf = (message: Buffer, ask: Asked = never) => {
  const reply = answered(message, ask);
  return typeof reply === "string" ? reply : reply.rcode;
};

describe("an answer on the wire", () => {
  it("carries what the server said, under the question's id, with the marks of its header", () => {
    const reply = answered(query({ additionals: [opt(1_232)] }), ({ name, type, recursive }) => {
      expect({ name, type, recursive }).toEqual({ name: "web.example.net", type: "A", recursive: true });
      return response({
        answer: [record("A", "10.4.11.1")],
        authority: [record("NS", "ns-1.example.org.", "example.net")],
        extendedError: "15 (Blocked)",
      });
    });
    expect(reply).toMatchObject({
      id: 4_711,
      type: "response",
      flag_aa: true,
      flag_ra: false,
      flag_rd: true,
      flag_tc: false,
      answers: [{ name: "web.example.net", type: "A", ttl: 60, data: "10.4.11.1" }],
      authorities: [{ name: "example.net", type: "NS", data: "ns-1.example.org" }],
      additionals: [
        { type: "OPT", udpPayloadSize: 1_232, options: [{ code: 15, data: Buffer.from([0, 15]) }] },
      ],
    });
  });

  it.each([
    ["A", "192.0.2.1", "192.0.2.1"],
    ["AAAA", "2001:db8::1", "2001:db8::1"],
    ["CNAME", "a.example.net.", "a.example.net"],
    ["MX", "10 mail.example.net.", { preference: 10, exchange: "mail.example.net" }],
    ["SRV", "1 2 443 a.example.net.", { priority: 1, weight: 2, port: 443, target: "a.example.net" }],
    ["TXT", '"one" "t\\"w\\\\o" "\\303\\274"', [Buffer.from("one"), Buffer.from('t"w\\o'), Buffer.from("ü")]],
    ["DS", "4711 13 2 00FF", { keyTag: 4_711, algorithm: 13, digestType: 2, digest: Buffer.from([0, 255]) }],
    ["CAA", '0 issue "ca.example"', { flags: 0, tag: "issue", value: "ca.example", issuerCritical: false }],
  ])("%s %s", (type, value, data) => {
    const reply = answered(query(), () => response({ answer: [record(type, value)] }), "tcp");
    expect(reply).toMatchObject({ answers: [{ type, data }] });
  });

  it("has no OPT where the question had none", () => {
    expect(answered(query(), () => response())).toMatchObject({ additionals: [] });
  });

  it("gives back CD only where it was asked for and means something", () => {
    const unchecked = query({ flags: packet.CHECKING_DISABLED });
    expect(answered(unchecked, () => response({ recursionAvailable: true }))).toMatchObject({
      flag_cd: true,
    });
    expect(answered(unchecked, () => response())).toMatchObject({ flag_cd: false });
  });
});

describe("an answer that does not fit", () => {
  const txt = (count: number) =>
    response({
      answer: Array.from({ length: count }, () => record("TXT", `"${"x".repeat(100)}"`)),
    });
  it.each([
    ["without EDNS over 512 bytes", query(), 5, true],
    ["with EDNS up to what the asker takes", query({ additionals: [opt(1_232)] }), 5, false],
    ["with EDNS over 1232 bytes, whatever the asker takes", query({ additionals: [opt(4_096)] }), 12, true],
    ["with EDNS that is smaller than DNS itself", query({ additionals: [opt(100)] }), 3, false],
  ] as const)("is cut %s: %#", (_, message, count, isCut) => {
    const reply = answered(message, () => txt(count));
    expect(reply).toMatchObject({ flag_tc: isCut });
    if (isCut) expect(reply).toMatchObject({ answers: [] });
  });

  it("is whole over TCP", () => {
    expect(answered(query(), () => txt(40), "tcp")).toMatchObject({ flag_tc: false });
  });

  const glue = Array.from({ length: 30 }, () => record("A", "192.0.2.1", "ns.example.org"));
  it("loses addresses that nobody asked for before it is cut", () => {
    const ask: Asked = () => response({ answer: [record("A", "10.4.11.1")], additional: glue });
    expect(answered(query(), ask)).toMatchObject({ flag_tc: false, additionals: [] });
  });
  it("is cut when a referral would lose its glue (RFC 9471)", () => {
    const ask: Asked = () =>
      response({ authoritative: false, authority: [record("NS", "ns.example.org.")], additional: glue });
    expect(answered(query(), ask)).toMatchObject({ flag_tc: true });
  });
});

describe("what is refused before anybody is asked", () => {
  it.each([
    ["zone transfers", { questions: [{ type: "AXFR", name: "example.net", class: "IN" }] }, "REFUSED"],
    ["another class", { questions: [{ type: "TXT", name: "version.bind", class: "CH" }] }, "REFUSED"],
    ["no question", { questions: [] }, "FORMERR"],
  ] as const)("%s", (_, more, rcode) => {
    expect(rcodeOf(query(more as unknown as Partial<packet.Packet>))).toBe(rcode);
  });

  it("an opcode that is not QUERY", () => {
    expect(rcodeOf(query({ flags: 5 << 11 }))).toBe("NOTIMP");
  });

  it("an EDNS version that nobody has yet is told apart (BADVERS)", () => {
    expect(answered(query({ additionals: [opt(1_232, 1)] }), never)).toMatchObject({
      additionals: [{ type: "OPT", extendedRcode: 1 }],
    });
  });

  it("a body that breaks off is FORMERR; what has no header, and answers, are left alone", () => {
    expect(rcodeOf(query().subarray(0, 20))).toBe("FORMERR");
    expect(answered(Buffer.from([1, 2, 3]), never)).toBe("silence");
    expect(answered(packet.encode({ type: "response", id: 1, questions: [] }), never)).toBe("silence");
  });
});

describe("servers in trouble", () => {
  it("silence is silence, a closed port is told apart", () => {
    expect(answered(query(), () => "timed-out")).toBe("silence");
    expect(answered(query(), () => "connection-refused")).toBe("closed");
  });

  it("a record that the wire cannot carry is SERVFAIL, not a crash", () => {
    expect(rcodeOf(query(), () => response({ answer: [record("TXT", "no quotes")] }))).toBe("SERVFAIL");
  });

  it("no bytes whatever bring it down, and none but a question is answered at length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const reply = answerMessage(Buffer.from(bytes), "udp", () => response());
        expect(typeof reply === "string" || reply.length <= 512).toBe(true);
      }),
    );
  });

  it("no question cut or bent anywhere brings it down", () => {
    const whole = query({ additionals: [opt(1_232)] });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        const bent = Buffer.from(whole);
        bent[at] = value;
        const reply = answerMessage(bent.subarray(0, length), "udp", () => response());
        expect(reply === "silence" || Buffer.isBuffer(reply)).toBe(true);
      }),
    );
  });
});
