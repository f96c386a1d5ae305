import type { Fault } from "../fault.ts";
import type { ArpingProgram } from "./arping-identify.ts";
import { firstLine } from "./command-failure.ts";

/** One answer as printed. */
export type ArpingReply = Readonly<{
  /** Lower case. */
  mac: string;
  /**
   * How the frame was addressed to us, as iputils prints it. The program by Thomas Habets does not print it, and then
   * it is not known.
   */
  kind: "unicast" | "broadcast" | "unknown";
  /** Somebody else's request that carries the address as its sender counts as a claim to it. */
  op: "reply" | "request";
  /** Round trip in milliseconds, as the program measured it (iputils prints 0.5 ms too much). */
  ms?: number;
  /** When we received the line, milliseconds since the epoch by our own clock. */
  at?: number;
}>;

/** What a run of either program printed. */
export type ArpingOutput = Readonly<{
  program: ArpingProgram;
  /** The address that was asked for; raw output does not name it. */
  target?: string;
  replies: readonly ArpingReply[];
  /** Distinct MACs in the order of their first answer. */
  macs: readonly string[];
  /** Requests sent, from the summary; undefined when no summary was printed. */
  sent?: number;
  /** Of those, how many went to everybody (iputils says so; the other program always broadcasts). */
  broadcasts?: number;
  /** Answers according to the summary. */
  received?: number;
  /** Why this is not the whole story: no summary, or one that counts answers which are not here. */
  incomplete?: string;
}>;

export type ArpingText = Readonly<{ text: string; at?: number }>;

/** What was read, or why it cannot be read; then `macs` holds every MAC that the text shows anywhere. */
export type ArpingReading =
  | Readonly<{ ok: true; output: ArpingOutput }>
  | Readonly<{ ok: false; fault: Fault; program?: ArpingProgram; macs: readonly string[] }>;

const mac = "[0-9a-f]{2}(?::[0-9a-f]{2}){5}";
const ip = "\\d{1,3}(?:\\.\\d{1,3}){3}";

const patterns = {
  iputilsHeader: new RegExp(`^ARPING (?:to )?(${ip}) from (${ip})(?: (?:via )?\\S+)?$`, "i"),
  habetsHeader: new RegExp(`^ARPING (${ip})$`),
  iputilsReply: new RegExp(
    `^(Unicast|Broadcast) (reply|request) from (${ip}) \\[(${mac})\\](?: ?for (?:${ip}|\\[${mac}\\]))*\\s*(?:(\\d+(?:\\.\\d+)?)ms|UNSOLICITED\\?)?$`,
    "i",
  ),
  habetsReply: new RegExp(
    `^\\d+ bytes from (${mac}) \\((${ip})\\): index=\\d+(?:/\\d+)?(?: time=(\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?) (usec|msec|sec))?$`,
    "i",
  ),
  raw: new RegExp(`^(${mac})(?:[ \\t]+(${ip}))?$`, "i"),
  iputilsSent: /^Sent (\d+) probes? \((\d+) broadcast\(s\)\)$/,
  iputilsReceived: /^Received (\d+) response\(s\)(?: \(.*\))?$/,
  habetsStatistics: new RegExp(`^--- (${ip}) statistics ---$`),
  habetsSummary:
    /^(\d+) packets? transmitted, (\d+) packets? received,\s+\d+% unanswered(?: \(\d+ extra\))?$/,
  saysNothing:
    /^(?:rtt min\/avg\/max\/std-dev = .*|Timeout|This box: .*|arping: chdir\(.*|(?:arping: )?WARNING: .*)$/,
  /** A shell prompt with the command, as people paste it. */
  prompt: /^(?:(?:\S.*)?[$#%>❯] *(?:sudo )?(?:\S*\/)?arping(?: .*)?|(?:sudo )?(?:\S*\/)?arping -.*)$/,
  /** A prompt that waits for its next command: `$`, `me@ops:~$`, `[me@ops ~]#`, `bash-5.1$`, `~ %`. */
  barePrompt:
    /^(?!.*[0-9a-f]{2}(?::[0-9a-f]{2}){5})(?:[$#%>❯]|\S+@[^$#%]*[$#%>❯]|[A-Za-z][\w.-]*(?::[~/]\S*)?[$#%]|[~/]\S* ?[$#%>❯])$/i,
  /** What Markdown puts around a paste. */
  fence: /^(?:`{3,}|~{3,})\s*\w*$/,
  nicDown: /^Interface "(.+)" is down$/,
} as const;

const anyMac = new RegExp(`(?<![0-9a-f:])${mac}(?![0-9a-f:])`, "gi");

const complaints: readonly Readonly<{ pattern: RegExp; kind: Fault["kind"] }>[] = [
  {
    pattern:
      /operation not permitted|permission denied|CAP_NET_RAW|need to run as root|must be root|password is required|terminal is required|not in the sudoers|not allowed to/i,
    kind: "missing-privilege",
  },
  { pattern: /command not found|arping: not found|No such file or directory/i, kind: "missing-tool" },
  { pattern: /Device \S+ not available|No such device|SIOCGIFINDEX/i, kind: "not-configured" },
  { pattern: /is down$|Network is (?:down|unreachable)|No route to host/i, kind: "unreachable" },
  { pattern: /invalid argument|invalid option|^usage:/i, kind: "unreadable" },
];

const unit = { usec: 0.001, msec: 1, sec: 1000 } as const;

/** Thousandths of a millisecond are the finest either program prints; more digits would only be rounding noise. */
const inMs = (value: string, factor: number): number => Math.round(Number(value) * factor * 1e6) / 1e6;

type Tally = {
  programs: Set<ArpingProgram>;
  targets: Set<string>;
  replies: ArpingReply[];
  sent: number | undefined;
  broadcasts: number | undefined;
  received: number | undefined;
  headers: number;
  summaries: number;
  raw: boolean;
  fault: Readonly<{ kind: Fault["kind"]; detail: string }> | undefined;
};

type Match = readonly (string | undefined)[];

const plus = (sum: number | undefined, digits: string | undefined): number => (sum ?? 0) + Number(digits);

/** What each kind of line adds to the tally; the first pattern that fits takes the line. */
const rules: readonly Readonly<{
  pattern: RegExp;
  program?: ArpingProgram;
  take: (tally: Tally, match: Match, at: number | undefined) => void;
}>[] = [
  {
    pattern: patterns.iputilsReply,
    program: "iputils",
    take: (tally, [, kind, op, target, responder, ms], at) => {
      tally.targets.add(target!);
      tally.replies.push({
        mac: responder!.toLowerCase(),
        kind: /^unicast$/i.test(kind!) ? "unicast" : "broadcast",
        op: /^reply$/i.test(op!) ? "reply" : "request",
        ...(ms === undefined ? {} : { ms: inMs(ms, 1) }),
        ...(at === undefined ? {} : { at }),
      });
    },
  },
  {
    pattern: patterns.habetsReply,
    program: "habets",
    take: (tally, [, responder, target, time, timeUnit], at) => {
      tally.targets.add(target!);
      const factor = unit[(timeUnit ?? "msec").toLowerCase() as keyof typeof unit];
      tally.replies.push({
        mac: responder!.toLowerCase(),
        kind: "unknown",
        op: "reply",
        ...(time === undefined ? {} : { ms: inMs(time, factor) }),
        ...(at === undefined ? {} : { at }),
      });
    },
  },
  {
    pattern: patterns.raw,
    program: "habets",
    take: (tally, [, responder, target], at) => {
      tally.raw = true;
      if (target !== undefined) tally.targets.add(target);
      tally.replies.push({
        mac: responder!.toLowerCase(),
        kind: "unknown",
        op: "reply",
        ...(at === undefined ? {} : { at }),
      });
    },
  },
  {
    pattern: patterns.iputilsHeader,
    program: "iputils",
    take: (tally, [, target]) => {
      tally.headers++;
      tally.targets.add(target!);
    },
  },
  {
    pattern: patterns.habetsHeader,
    program: "habets",
    take: (tally, [, target]) => {
      tally.headers++;
      tally.targets.add(target!);
    },
  },
  {
    pattern: patterns.iputilsSent,
    program: "iputils",
    take: (tally, [, sent, broadcasts]) => {
      tally.sent = plus(tally.sent, sent);
      tally.broadcasts = plus(tally.broadcasts, broadcasts);
    },
  },
  {
    pattern: patterns.iputilsReceived,
    program: "iputils",
    take: (tally, [, received]) => {
      tally.summaries++;
      tally.received = plus(tally.received, received);
    },
  },
  {
    pattern: patterns.habetsStatistics,
    program: "habets",
    take: (tally, [, target]) => tally.targets.add(target!),
  },
  {
    pattern: patterns.habetsSummary,
    program: "habets",
    take: (tally, [, sent, received]) => {
      tally.summaries++;
      tally.sent = plus(tally.sent, sent);
      tally.broadcasts = tally.sent;
      tally.received = plus(tally.received, received);
    },
  },
  { pattern: patterns.saysNothing, take: () => {} },
  { pattern: patterns.prompt, take: () => {} },
  { pattern: patterns.barePrompt, take: () => {} },
  { pattern: patterns.fence, take: () => {} },
  {
    pattern: patterns.nicDown,
    take: (tally, [, nic]) => {
      tally.fault ??= { kind: "unreachable", detail: `the interface ${nic} is down` };
    },
  },
];

function takeLine(tally: Tally, line: string, at: number | undefined): void {
  for (const { pattern, program, take } of rules) {
    const match = pattern.exec(line);
    if (!match) continue;
    if (program !== undefined) tally.programs.add(program);
    take(tally, match, at);
    return;
  }
  const complaint = complaints.find(({ pattern }) => pattern.test(line));
  tally.fault ??= complaint
    ? { kind: complaint.kind, detail: firstLine(line) }
    : { kind: "unreadable", detail: `a line of neither arping program: ${firstLine(line)}` };
}

/** Why what was understood cannot be taken as the answer about one address. */
function faultOf(tally: Tally, said: boolean): Tally["fault"] {
  if (!said) return { kind: "unreadable", detail: "printed nothing" };
  if (tally.fault) return tally.fault;
  if (tally.programs.size === 0) return { kind: "unreadable", detail: "no line of either arping program" };
  if (tally.programs.size > 1) return { kind: "unreadable", detail: "output of both arping programs mixed" };
  if (tally.targets.size > 1)
    return {
      kind: "unreadable",
      detail: `more than one address in one text: ${[...tally.targets].join(", ")}`,
    };
  return undefined;
}

/**
 * Reads what either arping printed, `stderr` complaints included when they were pasted along. Strict on purpose: a
 * line that is not understood, be it another language or another program, means that the text as a whole was not
 * understood, because such a line could be an answer.
 */
export function readArping(lines: readonly ArpingText[]): ArpingReading {
  const tally: Tally = {
    programs: new Set(),
    targets: new Set(),
    replies: [],
    sent: undefined,
    broadcasts: undefined,
    received: undefined,
    headers: 0,
    summaries: 0,
    raw: false,
    fault: undefined,
  };
  const written = lines
    .flatMap(({ text, at }) =>
      // The terminal echoes the key that stopped the program in front of what it prints next.
      text.split("\n").map((line) => ({
        at,
        line: line
          .replace(/[\r\x07]/g, "")
          .trim()
          .replace(/^(?:\^C)+/, ""),
      })),
    )
    .filter(({ line }) => line !== "");
  for (const { line, at } of written) takeLine(tally, line, at);

  const [program] = tally.programs;
  const fault = faultOf(tally, written.length > 0);
  if (fault !== undefined || program === undefined)
    return {
      ok: false,
      fault: { what: "arping", ...(fault ?? { kind: "unreadable", detail: "printed nothing" }) },
      ...(program === undefined || tally.programs.size > 1 ? {} : { program }),
      macs: [
        ...new Set(
          written.flatMap(({ line }) => line.match(anyMac) ?? []).map((found) => found.toLowerCase()),
        ),
      ],
    };
  const [target] = tally.targets;
  const incomplete = reasonIncomplete(tally);
  return {
    ok: true,
    output: {
      program,
      ...(target === undefined ? {} : { target }),
      replies: tally.replies,
      macs: [...new Set(tally.replies.map((reply) => reply.mac))],
      ...(tally.sent === undefined ? {} : { sent: tally.sent }),
      ...(tally.broadcasts === undefined ? {} : { broadcasts: tally.broadcasts }),
      ...(tally.received === undefined ? {} : { received: tally.received }),
      ...(incomplete === undefined ? {} : { incomplete }),
    },
  };
}

function reasonIncomplete(tally: Tally): string | undefined {
  if (tally.raw && tally.summaries === 0 && tally.headers === 0) return undefined;
  if (tally.summaries === 0 || tally.sent === undefined || tally.received === undefined)
    return "the summary at its end is missing";
  if (tally.headers > tally.summaries) return "a run without its summary";
  if (tally.sent === 0) return "not one request was sent";
  if (tally.received !== tally.replies.length)
    return `the summary counts ${tally.received} answers, ${tally.replies.length} are printed`;
  return undefined;
}
