import { parseIpv4 } from "../ipv4.ts";
import type { Nic } from "../machine.ts";
import { routeTo, sourceFor, transmit } from "../machine.ts";
import type { ArpFrame } from "../segment.ts";
import { broadcastMac, zeroMac } from "../segment.ts";
import { parseOptions } from "./options.ts";
import type { Program, ProgramContext } from "./program.ts";

const shortUsage = `ARPing 2.23, by Thomas Habets <thomas@habets.se>
usage: arping [ -0aAbdDeFpPqrRuUvzZ ] [ -w <sec> ] [ -W <sec> ] [ -S <host/ip> ]
              [ -T <host/ip ] [ -s <MAC> ] [ -t <MAC> ] [ -c <count> ]
              [ -C <count> ] [ -i <interface> ] [ -m <type> ] [ -g <group> ]
              [ -V <vlan> ] [ -Q <priority> ] <host/ip/MAC | -B>
`;

const seconds = (value: string | undefined): number | undefined =>
  value === undefined || !/^\d+(\.\d*)?$|^\.\d+$/.test(value) ? undefined : Number(value);

/** ARPing 2.23 by Thomas Habets: always broadcasts; `-d` also exits with 0 when nobody answers at all. */
export const arpingHabets: Program = async (args, context) => {
  if (args[0] === "--help") {
    context.out(shortUsage);
    return 0;
  }
  const { values, operands, fault } = parseOptions(args, "0aAbBC:c:dDeFg:hi:I:m:pPqQ:rRs:S:t:T:uUvV:w:W:zZ");
  if (fault !== undefined) {
    context.err(`${context.name}: ${fault}\n`);
    context.out(`${shortUsage}For complete usage info, use --help or check the manpage.\n`);
    return 1;
  }
  const target = operands[0];
  if (target === undefined) {
    context.out(`${shortUsage}For complete usage info, use --help or check the manpage.\n`);
    return 1;
  }
  const wanted = values.get("i") ?? values.get("I");
  const route = routeTo(context.machine, target);
  const name = wanted ?? (route?.type === "unicast" ? route.dev : "lo");
  if (!context.privileged) {
    context.err(
      `arping: libnet_init(LIBNET_LINK, ${name}): libnet_open_link(): UID/EUID 0 or capability CAP_NET_RAW required\n` +
        "arping: you may need to run as root\n",
    );
    return 1;
  }
  const nic = context.machine.nics.find((each) => each.name === name);
  if (nic === undefined && name !== "lo") {
    context.err(`arping: libnet_init(LIBNET_LINK, ${name}): libnet_check_iface() ioctl: No such device\n`);
    return 1;
  }
  if (nic !== undefined && !nic.up) {
    context.err(`arping: libnet_init(LIBNET_LINK, ${name}): libnet_check_iface(): ${name} is down\n`);
    return 1;
  }
  const source =
    values.get("S") ?? (values.has("0") ? "0.0.0.0" : nic === undefined ? "127.0.0.1" : sourceFor(nic, ""));
  if (source === undefined) {
    context.err(
      `arping: Unable to get the IPv4 address of interface ${name}:\n` +
        "arping: libnet_get_ipaddr4(): ioctl(): Cannot assign requested address\n" +
        "arping: Use -S to specify address manually.\n",
    );
    return 1;
  }
  if (parseIpv4(target) === undefined) {
    context.err(`arping: Can't resolve ${target}\n`);
    return 1;
  }
  return probe(context, nic, target, {
    source: values.has("b") ? "255.255.255.255" : source,
    count: seconds(values.get("c")),
    replies: seconds(values.get("C")),
    intervalMs: (seconds(values.get("W")) ?? 1) * 1000,
    deadlineMs: values.has("w") ? (seconds(values.get("w")) ?? 0) * 1000 : undefined,
    duplicates: values.has("d"),
    display: values.has("D") ? "dots" : values.has("q") ? "quiet" : values.has("r") ? "raw" : "normal",
  });
};

type Mode = Readonly<{
  source: string;
  count: number | undefined;
  replies: number | undefined;
  intervalMs: number;
  deadlineMs: number | undefined;
  duplicates: boolean;
  display: "normal" | "raw" | "dots" | "quiet";
}>;

/** `9.444 usec`, `1.203 msec`, `1.000 sec`. */
const duration = (ms: number): string =>
  ms < 1
    ? `${(ms * 1000).toFixed(3)} usec`
    : ms < 1000
      ? `${ms.toFixed(3)} msec`
      : `${(ms / 1000).toFixed(3)} sec`;

async function probe(
  context: ProgramContext,
  nic: Nic | undefined,
  target: string,
  mode: Mode,
): Promise<number> {
  const { machine, clock } = context;
  // The newline of a line stays in the stdio buffer until the next line is flushed.
  let owed = "";
  const flush = (text: string, later = "") => {
    context.out(owed + text);
    owed = later;
  };
  const times: number[] = [];
  const macs = new Set<string>();
  let sent = 0;
  let lastSent = 0;
  let answered = false;
  const done = new AbortController();
  const stop = AbortSignal.any([context.signal, done.signal]);

  const tap = {
    promiscuous: false,
    see: (frame: ArpFrame, at: number, direction: string) => {
      if (direction !== "in" || frame.operation !== "reply" || stop.aborted) return;
      if (frame.senderIp !== target || frame.destination === broadcastMac) return;
      const rtt = at - lastSent;
      answered = true;
      macs.add(frame.senderMac);
      if (mode.display === "normal")
        flush(
          `${frame.payloadBytes + 14} bytes from ${frame.senderMac} (${target}): index=${times.length} time=${duration(rtt)}`,
          "\n",
        );
      else if (mode.display === "raw") flush(frame.senderMac, "\n");
      else if (mode.display === "dots") flush("!");
      times.push(rtt);
      if (times.length === mode.replies) done.abort();
    },
  };
  const send = () => {
    sent++;
    lastSent = nic?.segment?.time() ?? clock.now();
    answered = false;
    if (nic !== undefined)
      transmit(machine, nic, {
        destination: broadcastMac,
        source: nic.mac,
        operation: "request",
        senderMac: nic.mac,
        senderIp: mode.source,
        targetMac: zeroMac,
        targetIp: target,
        payloadBytes: 44,
      });
  };

  if (mode.display === "normal") flush(`ARPING ${target}\n`);
  nic?.taps.add(tap);
  try {
    const start = clock.now();
    const deadline = mode.deadlineMs === undefined ? Number.POSITIVE_INFINITY : start + mode.deadlineMs;
    while (!stop.aborted && (mode.count === undefined || sent < mode.count)) {
      const late = clock.now() >= deadline;
      if (late) nic?.taps.delete(tap);
      send();
      if (late) break;
      const wait = Math.min(mode.intervalMs, deadline - clock.now());
      await clock.sleep(wait, stop);
      if (stop.aborted || answered) continue;
      if (mode.display === "normal") flush("Timeout", "\n");
      else if (mode.display === "dots") flush(".");
    }
  } finally {
    nic?.taps.delete(tap);
  }
  if (context.signal.aborted) return 143;

  const lost = Math.max(0, sent - times.length);
  const share = Math.round((100 * lost) / Math.max(1, sent));
  const extra = Math.max(0, times.length - sent);
  if (mode.display === "dots") flush(`\t${String(share).padStart(3)}% packet loss (${extra} extra)\n`);
  else if (mode.display === "normal") {
    flush(
      `\n--- ${target} statistics ---\n` +
        `${sent} packets transmitted, ${times.length} packets received, ${String(share).padStart(3)}% unanswered (${extra} extra)\n`,
    );
    if (times.length === 0) flush("\n");
    else {
      const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
      const deviation = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length);
      flush(
        `rtt min/avg/max/std-dev = ${[Math.min(...times), mean, Math.max(...times), deviation]
          .map((value) => value.toFixed(3))
          .join("/")} ms\n`,
      );
    }
  }
  if (owed !== "") flush("");
  if (mode.duplicates) return macs.size > 1 ? 1 : 0;
  return times.length > 0 ? 0 : 1;
}
