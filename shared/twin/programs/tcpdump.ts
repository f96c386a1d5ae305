import { parseIpv4 } from "../ipv4.ts";
import type { ArpFrame } from "../segment.ts";
import { zeroMac } from "../segment.ts";
import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";

type Filter = (frame: ArpFrame) => boolean;

/** One primitive of a filter expression; undefined when this model does not know it. */
function primitive(words: readonly string[]): Filter | undefined {
  const [first = "", second = "", third = ""] = words;
  if (words.length === 1 && first === "arp") return () => true;
  const words2 = first === "arp" && words.length === 3 ? [second, third] : words;
  const [direction, host] = words2.length === 3 && second === "host" ? [first, third] : words2;
  if (host !== undefined && parseIpv4(host) !== undefined) {
    if (direction === "host") return (frame) => frame.senderIp === host || frame.targetIp === host;
    if (direction === "src") return (frame) => frame.senderIp === host;
    if (direction === "dst") return (frame) => frame.targetIp === host;
  }
  const text = words.join("").replaceAll(" ", "");
  if (/^\(?arp\[14:4\]==?arp\[24:4\]\)?$/.test(text)) return (frame) => frame.senderIp === frame.targetIp;
  const operation = /^arp\[6:2\]==?([12])$/.exec(text)?.[1];
  if (operation !== undefined)
    return (frame) => frame.operation === (operation === "1" ? "request" : "reply");
  return undefined;
}

/** `arp and (host A or host B)`: primitives joined by and/or, parentheses, `not`. */
function parseFilter(expression: string): Filter | undefined {
  const tokens = expression
    .replace(/\[\s*([\d:]+)\s*\]/g, "[$1]")
    .replace(/\s*(==?)\s*/g, "$1")
    .replaceAll("(", " ( ")
    .replaceAll(")", " ) ")
    .replaceAll("&&", " and ")
    .replaceAll("||", " or ")
    .split(/\s+/)
    .filter((token) => token !== "");
  if (tokens.length === 0) return () => true;
  let at = 0;
  const unary = (): Filter | undefined => {
    if (tokens[at] === "not" || tokens[at] === "!") {
      at++;
      const inner = unary();
      return inner === undefined ? undefined : (frame) => !inner(frame);
    }
    if (tokens[at] === "(") {
      at++;
      const inner = either();
      if (tokens[at++] !== ")") return undefined;
      return inner;
    }
    const words: string[] = [];
    while (at < tokens.length && !["and", "or", "(", ")", "not"].includes(tokens[at] ?? ""))
      words.push(tokens[at++] ?? "");
    return primitive(words);
  };
  // libpcap gives "and" and "or" the same precedence, from left to right (pcap-filter(7)).
  const either = (): Filter | undefined => {
    let left = unary();
    while (tokens[at] === "and" || tokens[at] === "or") {
      const word = tokens[at++];
      const a = left;
      const b = unary();
      if (a === undefined || b === undefined) return undefined;
      left = word === "and" ? (frame) => a(frame) && b(frame) : (frame) => a(frame) || b(frame);
    }
    return left;
  };
  const filter = either();
  return at === tokens.length ? filter : undefined;
}

/** `1795394709.784315`, seconds with microseconds as `-tt` prints them. */
const stamp = (ms: number): string => {
  const micros = Math.round(ms * 1000);
  return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
};

export function describeFrame(frame: ArpFrame): string {
  const known = frame.targetMac === zeroMac ? "" : ` (${frame.targetMac})`;
  const packet =
    frame.operation === "request"
      ? `Request who-has ${frame.targetIp}${known} tell ${frame.senderIp}`
      : `Reply ${frame.senderIp} is-at ${frame.senderMac}`;
  return (
    `${frame.source} > ${frame.destination}, ethertype ARP (0x0806), length ${frame.payloadBytes + 14}: ` +
    `${packet}, length ${frame.payloadBytes}`
  );
}

/** tcpdump 4.99.3 with `-nn -e -tt -l`, ARP only: the segment of the model carries nothing else. */
export const tcpdump: Program = async (args, context) => {
  const { values, operands, fault } = parseOptions(args, "pnetlUqi:c:s:w:v");
  if (fault !== undefined) {
    context.err(`tcpdump: ${fault}\n`);
    return 1;
  }
  const name = values.get("i") ?? context.machine.nics[0]?.name ?? "lo";
  const nic = context.machine.nics.find((each) => each.name === name);
  if (!context.privileged) {
    context.err(
      `tcpdump: ${name}: You don't have permission to perform this capture on that device\n` +
        "(socket: Operation not permitted)\n",
    );
    return 1;
  }
  if (nic === undefined) {
    context.err(`tcpdump: ${name}: No such device exists\n(No such device exists)\n`);
    return 1;
  }
  if (!nic.up) {
    context.err(`tcpdump: ${name}: That device is not up\n`);
    return 1;
  }
  const filter = parseFilter(operands.join(" "));
  if (filter === undefined) {
    context.err("tcpdump: syntax error in filter expression\n");
    return 1;
  }
  context.err(
    "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n" +
      `listening on ${name}, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n`,
  );
  const limit = values.has("c") ? Number(values.get("c")) : Number.POSITIVE_INFINITY;
  let captured = 0;
  const enough = new AbortController();
  const tap = {
    promiscuous: !values.has("p"),
    see: (frame: ArpFrame, at: number) => {
      if (captured >= limit || !filter(frame)) return;
      captured++;
      context.out(`${stamp(at)} ${describeFrame(frame)}\n`);
      if (captured >= limit) enough.abort();
    },
  };
  nic.taps.add(tap);
  try {
    const stop = AbortSignal.any([context.signal, enough.signal]);
    await new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      else stop.addEventListener("abort", () => resolve());
    });
  } finally {
    nic.taps.delete(tap);
  }
  if (!enough.signal.aborted) context.out("\n");
  const packets = `${captured} packet${captured === 1 ? "" : "s"}`;
  context.err(`${packets} captured\n${packets} received by filter\n0 packets dropped by kernel\n`);
  return 0;
};
