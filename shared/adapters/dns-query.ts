import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import * as packet from "dns-packet";
import type { AskServer, DnsFlag, DnsReply, DnsSilence, Question, ResourceRecord } from "../dns/answer.ts";
import { decodeName, type Fqdn } from "../dns/fqdn.ts";
import { FaultError } from "../fault.ts";

export type DnsQueryOptions = Readonly<{
  /** For servers that are named without one (`192.0.2.1#5353` names one). */
  port?: number;
  /** For each try, in milliseconds; UDP is tried twice, then TCP once. */
  timeoutMs: number;
}>;

const failure = (kind: "not-modelled" | "unreadable" | "cancelled" | "not-configured", detail: string) =>
  new FaultError({ kind, what: "DNS question", detail });

/** Names as the wire has them: escapes that are printable become the character, others cannot be asked for. */
const wireName = (name: Fqdn): string =>
  name.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => {
    const char = String.fromCharCode(Number.parseInt(digits, 8));
    if (!/[!-~]/.test(char) || char === ".") throw failure("not-modelled", `${name} cannot be asked for`);
    return char;
  });

const quoted = (part: Uint8Array | string): string =>
  `"${Buffer.from(part)
    .toString("latin1")
    .replace(/["\\]/g, "\\$&")
    .replace(/[^ -~]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, "0")}`)}"`;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").toUpperCase();

function dataOf(record: packet.Answer): string {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.data;
    case "NS":
    case "CNAME":
    case "PTR":
    case "DNAME":
      return decodeName(record.data);
    case "TXT": {
      const parts = Array.isArray(record.data) ? record.data : [record.data];
      return parts.map(quoted).join(" ");
    }
    case "SOA": {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      return `${mname}. ${rname}. ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case "DS": {
      const { keyTag, algorithm, digestType, digest } = record.data;
      return `${keyTag} ${algorithm} ${digestType} ${hex(digest)}`;
    }
    case "MX":
      return `${record.data.preference ?? 0} ${record.data.exchange}.`;
    case "SRV":
      return `${record.data.priority ?? 0} ${record.data.weight ?? 0} ${record.data.port} ${record.data.target}.`;
    default:
      return JSON.stringify((record as { data?: unknown }).data ?? null);
  }
}

const records = (answers: readonly packet.Answer[] | undefined): readonly ResourceRecord[] =>
  (answers ?? [])
    .filter((record) => record.type !== "OPT")
    .map((record) => ({
      name: decodeName(record.name) as Fqdn,
      ttl: (record as { ttl?: number }).ttl ?? 0,
      type: record.type,
      data: dataOf(record),
    }));

/** Extended DNS errors (RFC 8914) are option 15 of the OPT record: two bytes of code, then text. */
const extendedErrors = (answers: readonly packet.Answer[] | undefined): readonly number[] =>
  (answers ?? []).flatMap((record) =>
    record.type === "OPT"
      ? (record.options as readonly Readonly<{ code: number; data?: Buffer }>[]).flatMap(({ code, data }) =>
          code === 15 && data && data.length >= 2 ? [data.readUInt16BE(0)] : [],
        )
      : [],
  );

function replyOf(decoded: packet.DecodedPacket): DnsReply {
  const marks: readonly (readonly [DnsFlag, boolean])[] = [
    ["aa", decoded.flag_aa],
    ["tc", decoded.flag_tc],
    ["rd", decoded.flag_rd],
    ["ra", decoded.flag_ra],
    ["ad", decoded.flag_ad],
    ["cd", decoded.flag_cd],
  ];
  return {
    kind: "answer",
    rcode: (decoded as unknown as { rcode: string }).rcode,
    flags: marks.filter(([, on]) => on).map(([flag]) => flag),
    answer: records(decoded.answers),
    authority: records(decoded.authorities),
    additional: records(decoded.additionals),
    extendedErrors: extendedErrors(decoded.additionals),
  };
}

const silenceOf = (error: unknown): DnsSilence => {
  const { code } = error as NodeJS.ErrnoException;
  return { kind: "silence", because: code === "ECONNREFUSED" ? "refused" : "unreachable" };
};

type Server = Readonly<{ address: string; port: number }>;

type Attempt = Readonly<{ signal: AbortSignal; timeoutMs: number }>;

/** Resolves with the decoded answer, or with a silence. Answers to other questions are not for us and are left alone. */
function overUdp(
  server: Server,
  query: Buffer,
  id: number,
  { signal, timeoutMs }: Attempt,
): Promise<packet.DecodedPacket | DnsSilence> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(server.address) === 6 ? "udp6" : "udp4");
    const end = (result: packet.DecodedPacket | DnsSilence): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abandoned);
      socket.close();
      resolve(result);
    };
    const abandoned = (): void => end({ kind: "silence", because: "timed-out" });
    const timer = setTimeout(abandoned, timeoutMs);
    signal.addEventListener("abort", abandoned, { once: true });
    socket.on("error", (error) => end(silenceOf(error)));
    socket.on("message", (message) => {
      try {
        const decoded = packet.decode(message);
        if (decoded.id === id && decoded.type === "response") end(decoded);
      } catch {
        // Not DNS: wait on for the answer, as a resolver does.
      }
    });
    // Connected, so that a closed port is told by ICMP and strangers' datagrams never get here.
    socket.connect(server.port, server.address, () => socket.send(query));
  });
}

function overTcp(
  server: Server,
  query: Buffer,
  { signal, timeoutMs }: Attempt,
): Promise<packet.DecodedPacket | DnsSilence> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: server.port });
    const parts: Buffer[] = [];
    const end = (result: packet.DecodedPacket | DnsSilence): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abandoned);
      socket.destroy();
      resolve(result);
    };
    const abandoned = (): void => end({ kind: "silence", because: "timed-out" });
    const timer = setTimeout(abandoned, timeoutMs);
    signal.addEventListener("abort", abandoned, { once: true });
    socket.on("error", (error) => end(silenceOf(error)));
    socket.on("connect", () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on("data", (part: Buffer) => {
      parts.push(part);
      const all = Buffer.concat(parts);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      try {
        end(packet.decode(all.subarray(2, 2 + all.readUInt16BE(0))));
      } catch {
        end({ kind: "silence", because: "unreachable" });
      }
    });
    socket.on("close", () => end({ kind: "silence", because: "unreachable" }));
  });
}

const isDecoded = (result: packet.DecodedPacket | DnsSilence): result is packet.DecodedPacket =>
  "id" in result;

/** Asks name servers from this machine: UDP twice, then TCP, which also follows a cut answer. Only addresses are asked. */
export function createDnsQuery(options: DnsQueryOptions): AskServer {
  return async (server, question: Question, signal) => {
    const [address = "", port] = server.split("#");
    if (isIP(address) === 0) throw failure("not-configured", `${server} is no address of a server`);
    const to: Server = { address, port: Number(port ?? options.port ?? 53) };
    const id = randomInt(65_536);
    const query = packet.encode({
      type: "query",
      id,
      flags:
        (question.recurse ? packet.RECURSION_DESIRED : 0) |
        (question.checkingDisabled === true ? packet.CHECKING_DISABLED : 0),
      questions: [{ type: question.type as packet.RecordType, name: wireName(question.name), class: "IN" }],
      additionals: [
        { type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0, options: [] } as unknown as packet.Answer,
      ],
    });
    const attempt: Attempt = { signal: signal ?? new AbortController().signal, timeoutMs: options.timeoutMs };
    let silence: DnsSilence = { kind: "silence", because: "timed-out" };
    for (let tries = 0; tries < 2; tries++) {
      const result = await overUdp(to, query, id, attempt);
      if (attempt.signal.aborted) throw failure("cancelled", "ended before the answer came");
      if (isDecoded(result)) {
        if (!result.flag_tc) return replyOf(result);
        break;
      }
      silence = result;
    }
    const result = await overTcp(to, query, attempt);
    if (attempt.signal.aborted) throw failure("cancelled", "ended before the answer came");
    if (isDecoded(result)) return replyOf(result);
    return silence.because === "timed-out" ? result : silence;
  };
}
