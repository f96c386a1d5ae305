import { FaultError } from "../fault.ts";
import { checkedNic } from "./checked-argument.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** One ARP frame as tcpdump saw it. */
export type ArpFrame = Readonly<{
  /** Milliseconds since the epoch, by the clock of the machine that captured. */
  at: number;
  op: "request" | "reply";
  /** Who claims the sender address: from the ARP payload in a reply, from the Ethernet header in a request. */
  senderMac: string;
  senderIp: string;
  /** Destination of the Ethernet frame. */
  targetMac: string;
  /** Whom a request asks for. tcpdump prints none for a reply, unless the reply is gratuitous. */
  targetIp?: string;
  /** Announces its sender's own address to everybody. */
  gratuitous: boolean;
  /** Source of the Ethernet frame where it is another than the MAC that the reply names. */
  etherSource?: string;
}>;

const mac = "[0-9a-f]{2}(?::[0-9a-f]{2}){5}";
const ip = "\\d{1,3}(?:\\.\\d{1,3}){3}";
const broadcast = "ff:ff:ff:ff:ff:ff";

const framePattern = new RegExp(
  `^(\\d+)\\.(\\d{1,9}) (${mac})(?: \\([^)]*\\))? > (${mac}|Broadcast)(?: \\([^)]*\\))?, (?:ethertype|802\\.1Q).*?(?:ARP\\b.*?[,:] |: )(Request who-has|Reply|Announcement|Probe) (${ip})(.*)$`,
  "i",
);

/** Reads one line of `tcpdump -nn -e -tt arp`; `undefined` when the line is no ARP request or reply. */
export function readArpFrame(line: string): ArpFrame | undefined {
  const match = framePattern.exec(line.trim());
  if (!match) return undefined;
  const [, seconds, fraction, source, destination, word, first, rest] = match as unknown as string[];
  const at = Number(seconds) * 1000 + Number(`0.${fraction}`) * 1000;
  const etherSource = source!.toLowerCase();
  const targetMac = /broadcast/i.test(destination!) ? broadcast : destination!.toLowerCase();
  if (/^reply/i.test(word!)) {
    const named = new RegExp(`^ is-at (${mac})`, "i").exec(rest!)?.[1]?.toLowerCase();
    if (named === undefined) return undefined;
    const gratuitous = targetMac === broadcast;
    return {
      at,
      op: "reply",
      senderMac: named,
      senderIp: first!,
      targetMac,
      ...(gratuitous ? { targetIp: first! } : {}),
      gratuitous,
      ...(named === etherSource ? {} : { etherSource }),
    };
  }
  const senderIp = /^announcement/i.test(word!)
    ? first
    : /^probe/i.test(word!)
      ? "0.0.0.0"
      : new RegExp(`tell (${ip})`).exec(rest!)?.[1];
  if (senderIp === undefined) return undefined;
  return {
    at,
    op: "request",
    senderMac: etherSource,
    senderIp,
    targetMac,
    targetIp: first!,
    gratuitous: senderIp === first,
  };
}

/** What tcpdump says beside frames: headers, counters, and notes about checksums of nothing we count. */
const chatter =
  /^(?:tcpdump: (?:verbose output suppressed|listening on|data link type)|listening on |\d+ packets? (?:captured|received by filter|dropped by (?:kernel|interface))|reading from file)/;

/**
 * ARP frames on one interface for a bounded time. The bound is on the remote side too, so that a lost connection
 * leaves no capture running; `-p` keeps promiscuous mode off, because switching it on makes some Wi-Fi chips
 * receive the very broadcasts whose loss is looked for. Ended by its time limit is its normal end.
 */
export const tcpdumpArp: Probe<readonly [nic: string, seconds: number], readonly ArpFrame[]> = {
  id: "tcpdump-arp",
  tool: "tcpdump",
  about: "ARP frames seen on one interface for a bounded time, without promiscuous mode",
  sample: ["eth0", 60],
  argv: (nic, seconds) => ({
    argv: [
      "timeout",
      "-k",
      "1",
      String(Math.max(1, Math.ceil(seconds))),
      "tcpdump",
      "-p",
      "-nn",
      "-e",
      "-tt",
      "-l",
      "-i",
      checkedNic(nic),
      "arp",
    ],
    privileged: true,
    timeoutMs: Math.max(1, Math.ceil(seconds)) * 1000 + 6_000,
  }),
  read: (output) => {
    const listened = /^(?:tcpdump: )?listening on /m.test(output.stderr);
    if (!listened) {
      const fault = commandFailure(output, "tcpdump");
      if (fault) throw new FaultError(fault);
      if (/No such device|doesn't exist/i.test(output.stderr))
        throw new FaultError({ kind: "not-configured", what: "tcpdump", detail: firstLine(output.stderr) });
      throw unreadable("tcpdump", firstLine(output.stderr) || "never said that it was listening");
    }
    const lines = output.stdout.split("\n").filter((line) => line.trim() !== "");
    const frames = lines.flatMap((line) => {
      const frame = readArpFrame(line);
      if (frame) return [frame];
      if (chatter.test(line) || /\bARP\b|0x0806/.test(line)) return [];
      throw unreadable("tcpdump", `not an ARP frame: ${firstLine(line)}`);
    });
    const captured = /^(\d+) packets? captured$/m.exec(output.stderr)?.[1];
    if (captured === undefined)
      throw new FaultError({
        kind: output.exitCode === null ? "cancelled" : "truncated",
        what: "tcpdump",
        detail: "ended without its counters, so frames may be missing",
      });
    if (Number(captured) > lines.length)
      throw new FaultError({
        kind: "truncated",
        what: "tcpdump",
        detail: `captured ${captured} frames, ${lines.length} arrived here`,
      });
    return frames;
  },
};
