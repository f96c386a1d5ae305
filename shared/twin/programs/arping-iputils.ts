import { parseIpv4 } from "../ipv4.ts";
import type { Nic } from "../machine.ts";
import { addressesOf, isLocal, routeTo, sourceFor, transmit } from "../machine.ts";
import type { ArpFrame } from "../segment.ts";
import { broadcastMac } from "../segment.ts";
import { parseOptions } from "./options.ts";
import type { Program, ProgramContext } from "./program.ts";

const usage = `
Usage:
  arping [options] <destination>

Options:
  -f            quit on first reply
  -q            be quiet
  -b            keep on broadcasting, do not unicast
  -D            duplicate address detection mode
  -U            unsolicited ARP mode, update your neighbours
  -A            ARP answer mode, update your neighbours
  -V            print version and exit
  -c <count>    how many packets to send
  -w <timeout>  how long to wait for a reply
  -i <interval> set interval between packets (default: 1 second)
  -I <device>   which ethernet device to use
  -s <source>   source ip address
  <destination> dns name or ip address

For more details see arping(8).
`;

const version = `arping from iputils 20221126
libcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes
`;

function chooseNic(context: ProgramContext, wanted: string | undefined, target: string): Nic | string {
  if (wanted === undefined) {
    const route = routeTo(context.machine, target);
    const by = route?.type === "unicast" ? route.dev : undefined;
    return (
      context.machine.nics.find((nic) => nic.name === by && nic.spec.noArp !== true) ??
      "arping: Suitable device could not be determined. Please, use option -I.\n"
    );
  }
  if (wanted === "lo") return `Interface "lo" is not ARPable\n`;
  const nic = context.machine.nics.find((each) => each.name === wanted);
  if (nic === undefined) return `arping: Device ${wanted} not available.\n`;
  if (!nic.up) return `Interface "${wanted}" is down\n`;
  if (nic.spec.noArp === true) return `Interface "${wanted}" is not ARPable\n`;
  return nic;
}

/** iputils arping 20221126 (Debian 12), its exit codes and their quirk with duplicates included. */
export const arpingIputils: Program = async (args, context) => {
  const { values, operands, fault } = parseOptions(args, "h?bfDUAqc:w:i:s:I:V");
  if (fault !== undefined) {
    context.err(`arping: ${fault}\n${usage}`);
    return 2;
  }
  if (values.has("V")) {
    context.out(version);
    return 0;
  }
  const numbers = new Map<string, number>();
  for (const [letter, least] of [
    ["c", 1],
    ["w", 0],
    ["i", 0],
  ] as const) {
    const value = values.get(letter);
    if (value === undefined) continue;
    if (!/^[+-]?\d+$/.test(value)) {
      context.err(`arping: invalid argument: '${value}'\n`);
      return 1;
    }
    if (Number(value) < least || Number(value) > 2147483647) {
      context.err(`arping: invalid argument: '${value}': out of range: ${least} <= value <= 2147483647\n`);
      return 1;
    }
    numbers.set(letter, Number(value));
  }
  const target = operands[0];
  if (operands.length !== 1 || target === undefined) {
    context.err(usage);
    return 2;
  }
  if (!context.privileged) {
    context.err("arping: socket: Operation not permitted\n");
    return 2;
  }
  const nic = chooseNic(context, values.get("I"), target);
  if (typeof nic === "string") {
    // What is wrong with an interface goes to stdout, all else to stderr.
    (nic.startsWith("Interface") ? context.out : context.err)(nic);
    return 2;
  }
  if (parseIpv4(target) === undefined) {
    context.err(`arping: ${target}: Temporary failure in name resolution\n`);
    return 2;
  }
  return probe(context, nic, target, {
    count: numbers.get("c"),
    deadlineMs: numbers.has("w") ? (numbers.get("w") ?? 0) * 1000 : undefined,
    intervalMs: (numbers.get("i") ?? 1) * 1000,
    source: values.get("s"),
    broadcastOnly: values.has("b"),
    quitOnReply: values.has("f") || values.has("D"),
    dad: values.has("D"),
    unsolicited: values.has("A") ? "reply" : values.has("U") ? "request" : undefined,
    quiet: values.has("q"),
  });
};

type Mode = Readonly<{
  count: number | undefined;
  deadlineMs: number | undefined;
  intervalMs: number;
  source: string | undefined;
  broadcastOnly: boolean;
  quitOnReply: boolean;
  dad: boolean;
  unsolicited: "request" | "reply" | undefined;
  quiet: boolean;
}>;

const upper = (mac: string): string => mac.toUpperCase();

async function probe(context: ProgramContext, nic: Nic, target: string, mode: Mode): Promise<number> {
  const { machine, clock } = context;
  const say = (text: string) => {
    if (!mode.quiet) context.out(text);
  };
  const anywhere = machine.nics.flatMap(addressesOf)[0];
  const source =
    mode.source ??
    (mode.dad ? "0.0.0.0" : mode.unsolicited !== undefined ? target : (sourceFor(nic, target) ?? anywhere));
  if (source === undefined) {
    context.err("arping: Error: could not determine source address\n");
    return 2;
  }
  if (source !== "0.0.0.0" && !isLocal(machine, source)) {
    context.err("arping: bind: Cannot assign requested address\n");
    return 2;
  }
  say(`ARPING ${target} from ${source} ${nic.name}\n`);

  let sent = 0;
  let broadcasts = 0;
  let received = 0;
  let receivedBroadcasts = 0;
  let receivedRequests = 0;
  let lastSent = 0;
  let peer = broadcastMac;
  const done = new AbortController();
  const stop = AbortSignal.any([context.signal, done.signal]);
  const finished = () => stop.aborted;

  const see = (frame: ArpFrame, at: number) => {
    if (finished() || frame.senderIp !== target) return;
    if (mode.dad ? frame.senderMac === nic.mac : frame.targetIp !== source || frame.targetMac !== nic.mac)
      return;
    const unicast = frame.destination !== broadcastMac;
    const micros = Math.round((at - lastSent) * 1000) + 500;
    say(
      `${unicast ? "Unicast" : "Broadcast"} ${frame.operation} from ${target} [${upper(frame.senderMac)}]` +
        `${mode.dad && frame.targetMac !== nic.mac ? ` for [${upper(frame.targetMac)}]` : ""}` +
        `  ${Math.floor(micros / 1000)}.${String(micros % 1000).padStart(3, "0")}ms\n`,
    );
    received++;
    if (mode.deadlineMs !== undefined && received === mode.count) return done.abort();
    if (!unicast) receivedBroadcasts++;
    if (frame.operation === "request") receivedRequests++;
    if (mode.quitOnReply) return done.abort();
    if (!mode.broadcastOnly) peer = frame.senderMac;
  };
  const tap = {
    promiscuous: false,
    see: (frame: ArpFrame, at: number, direction: string) => {
      if (direction === "in") see(frame, at);
    },
  };
  const send = () => {
    const destination = mode.unsolicited === undefined ? peer : broadcastMac;
    if (destination === broadcastMac) broadcasts++;
    sent++;
    lastSent = nic.segment?.time() ?? clock.now();
    transmit(machine, nic, {
      destination,
      source: nic.mac,
      operation: mode.unsolicited ?? "request",
      senderMac: nic.mac,
      senderIp: source,
      targetMac: mode.unsolicited === "reply" ? nic.mac : destination,
      targetIp: target,
      payloadBytes: 28,
    });
  };

  nic.taps.add(tap);
  try {
    const start = clock.now();
    for (let tick = 1; !finished(); tick++) {
      if (mode.count !== undefined && tick > mode.count) break;
      const elapsed = (tick - 1) * mode.intervalMs;
      // The deadline and the timer fire together: the last probe leaves, its reply is no longer read.
      const last = mode.deadlineMs !== undefined && elapsed >= mode.deadlineMs;
      if (last) nic.taps.delete(tap);
      send();
      if (last || finished()) break;
      const next = Math.min(tick * mode.intervalMs, mode.deadlineMs ?? Number.POSITIVE_INFINITY);
      await clock.sleep(start + next - clock.now(), stop);
      if (next < tick * mode.intervalMs) break;
    }
  } finally {
    nic.taps.delete(tap);
  }

  const kinds = [
    ...(receivedRequests > 0 ? [`${receivedRequests} request(s)`] : []),
    ...(receivedBroadcasts > 0 ? [`${receivedBroadcasts} broadcast(s)`] : []),
  ];
  say(
    `Sent ${sent} probes (${broadcasts} broadcast(s))\n` +
      `Received ${received} response(s)${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}\n`,
  );
  if (mode.dad) return broadcasts === received ? 1 : 0;
  if (mode.unsolicited !== undefined) return 0;
  if (mode.deadlineMs !== undefined && mode.count === undefined) return received > 0 ? 0 : 1;
  return sent === received ? 0 : 1;
}
