import * as packet from "dns-packet";
import { decodeName, type Fqdn } from "#shared/dns/fqdn.ts";
import type { DnsOutcome, DnsQuestion, DnsResponse } from "#shared/twin/dns-message.ts";
import { answerOf } from "./record-data.ts";

export type Transport = "udp" | "tcp";

/** UDP payload that we announce and never exceed: what fits every path without fragments (DNS flag day 2020). */
const mostBytes = 1_232;
/** Without EDNS (RFC 1035). */
const plainBytes = 512;
const headerBytes = 12;
const doBit = 0x8000;

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof rcodes;
/** Extended rcode 16 is 1 in the OPT record and 0 in the header (RFC 6891). */
const badVersion = 1;

type Edns = Readonly<{ size: number; version: number; wantsDnssec: boolean }>;

type Query = Readonly<{
  id: number;
  recursive: boolean;
  checkingDisabled: boolean;
  question?: packet.Question;
  edns?: Edns;
}>;

type Opt = Readonly<{ udpPayloadSize: number; ednsVersion: number; flags: number }>;

const ednsOf = ({ additionals = [] }: packet.DecodedPacket): Edns | undefined => {
  const opt = additionals.find(({ type }) => type === "OPT") as unknown as Opt | undefined;
  return (
    opt && { size: opt.udpPayloadSize, version: opt.ednsVersion, wantsDnssec: (opt.flags & doBit) !== 0 }
  );
};

/** `15 (Blocked)` as the option of RFC 8914: its code in two bytes. */
function extendedErrorOption(text: string | undefined): readonly Readonly<{ code: number; data: Buffer }>[] {
  const code = /^\d+/.exec(text ?? "")?.[0];
  if (code === undefined) return [];
  const data = Buffer.alloc(2);
  data.writeUInt16BE(Number(code));
  return [{ code: 15, data }];
}

type Sections = Readonly<Partial<Pick<DnsResponse, "answer" | "authority" | "additional" | "extendedError">>>;

function encoded(
  query: Query,
  rcode: Rcode,
  flags: number,
  { answer = [], authority = [], additional = [], extendedError }: Sections,
  extendedRcode = 0,
): Buffer {
  const opt = {
    type: "OPT",
    name: ".",
    udpPayloadSize: mostBytes,
    extendedRcode,
    ednsVersion: 0,
    flags: query.edns?.wantsDnssec ? doBit : 0,
    options: extendedErrorOption(extendedError),
  };
  return packet.encode({
    type: "response",
    id: query.id,
    flags: flags | (query.recursive ? packet.RECURSION_DESIRED : 0) | rcodes[rcode],
    questions: query.question ? [query.question] : [],
    answers: answer.map(answerOf),
    authorities: authority.map(answerOf),
    additionals: [...additional.map(answerOf), ...(query.edns ? [opt as unknown as packet.Answer] : [])],
  });
}

/** An answer that fits: glue that nobody needs goes first, then everything, and TC sends the asker to TCP. */
function answered(query: Query, response: DnsResponse, transport: Transport): Buffer {
  const { status, authoritative, recursionAvailable, answer, authority } = response;
  const flags =
    (authoritative ? packet.AUTHORITATIVE_ANSWER : 0) |
    (recursionAvailable ? packet.RECURSION_AVAILABLE : 0) |
    (recursionAvailable && query.checkingDisabled ? packet.CHECKING_DISABLED : 0);
  const whole = encoded(query, status, flags, response);
  const most =
    transport === "tcp"
      ? 65_535
      : query.edns
        ? Math.min(mostBytes, Math.max(plainBytes, query.edns.size))
        : plainBytes;
  if (whole.length <= most) return whole;
  const isReferral = !authoritative && answer.length === 0 && authority.length > 0;
  if (!isReferral) {
    const lean = encoded(query, status, flags, { ...response, additional: [] });
    if (lean.length <= most) return lean;
  }
  return encoded(query, status, flags | packet.TRUNCATED_RESPONSE, {});
}

/** What a message asks, or what is answered to one that asks nothing. `undefined` is never answered at all. */
function readQuery(
  message: Buffer,
):
  | Readonly<{ query: Query & Readonly<{ question: packet.Question }> }>
  | Readonly<{ refusal: Buffer }>
  | undefined {
  // Too short to have a header, or an answer: replying to those would let two servers talk for ever.
  if (message.length < headerBytes || (message.readUInt8(2) & 0x80) !== 0) return undefined;
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  const bare: Query = {
    id,
    recursive: (flags & packet.RECURSION_DESIRED) !== 0,
    checkingDisabled: (flags & packet.CHECKING_DISABLED) !== 0,
  };
  const opcode = (flags >> 11) & 0xf;
  if (opcode !== 0) return { refusal: encoded(bare, "NOTIMP", opcode << 11, {}) };
  let decoded: packet.DecodedPacket;
  try {
    decoded = packet.decode(message);
  } catch {
    return { refusal: encoded(bare, "FORMERR", 0, {}) };
  }
  const edns = ednsOf(decoded);
  const [question, ...others] = decoded.questions ?? [];
  const query: Query = { ...bare, ...(edns && { edns }), ...(question && { question }) };
  if (question === undefined || others.length > 0) return { refusal: encoded(bare, "FORMERR", 0, {}) };
  if (edns && edns.version > 0) return { refusal: encoded(query, "NOERROR", 0, {}, badVersion) };
  if (question.class !== "IN" || /^[AI]XFR$/.test(question.type))
    return { refusal: encoded(query, "REFUSED", 0, {}) };
  if ((question.type as string) === "ANY") return { refusal: encoded(query, "NOTIMP", 0, {}) };
  return { query: { ...query, question } };
}

export type Asked = (question: DnsQuestion) => DnsOutcome;

/**
 * Bytes in, bytes out: the server's answer to a message. `silence` for what it never answers, `closed` when its port is.
 */
export function answerMessage(
  message: Buffer,
  transport: Transport,
  ask: Asked,
): Buffer | "silence" | "closed" {
  const read = readQuery(message);
  if (read === undefined) return "silence";
  if ("refusal" in read) return read.refusal;
  const { query } = read;
  const outcome = ask({
    name: decodeName(query.question.name) as Fqdn,
    type: query.question.type,
    recursive: query.recursive,
    checkingDisabled: query.checkingDisabled,
  });
  if (outcome === "timed-out") return "silence";
  if (outcome === "connection-refused") return "closed";
  try {
    return answered(query, outcome, transport);
  } catch (error) {
    // A record that the wire cannot carry.
    if (error instanceof RangeError) return encoded(query, "SERVFAIL", 0, {});
    throw error;
  }
}
