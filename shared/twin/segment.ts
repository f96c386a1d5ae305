/** An ARP packet in its Ethernet frame, addresses in lower-case text. */
export type ArpFrame = Readonly<{
  destination: string;
  source: string;
  operation: "request" | "reply";
  senderMac: string;
  senderIp: string;
  targetMac: string;
  targetIp: string;
  /** Bytes after the Ethernet header; 28 is an ARP packet without padding. */
  payloadBytes: number;
}>;

export const broadcastMac = "ff:ff:ff:ff:ff:ff";
export const zeroMac = "00:00:00:00:00:00";

/** Where a NIC is plugged in. */
export type Port = Readonly<{
  /** False while the machine is off, the NIC down or the cable out: then nothing goes in or out. */
  connected: () => boolean;
  /** One way between NIC and switch, milliseconds. */
  delayMs: number;
  receive: (frame: ArpFrame, at: number) => void;
}>;

export type Segment = Readonly<{
  attach: (port: Port) => void;
  /** ARP inspection: from now on the switch drops packets that claim the address for another MAC. */
  bind: (ip: string, mac: string) => void;
  /** The clock's time, or that of the latest frame where it is ahead of the clock. */
  time: () => number;
  /** Sends a frame at a time; every consequence that needs no timer happens before this returns. */
  send: (from: Port, frame: ArpFrame, at: number) => void;
}>;

type Delivery = Readonly<{ at: number; order: number; port: Port; frame: ArpFrame }>;

/**
 * A learning switch. Frames carry times finer than the clock's: a request and its reply lie within one instant of the
 * clock, yet have the delays of the links between them. Broadcasts leave by the port that was attached last first, as
 * a Linux bridge floods.
 */
export function createSegment(now: () => number): Segment {
  const ports: Port[] = [];
  const learnt = new Map<string, Port>();
  const bound = new Map<string, string>();
  const queue: Delivery[] = [];
  let order = 0;
  let latest = 0;
  let draining = false;

  const enqueue = (delivery: Delivery) => {
    let i = queue.length;
    while (
      i > 0 &&
      (queue[i - 1]!.at > delivery.at ||
        (queue[i - 1]!.at === delivery.at && queue[i - 1]!.order > delivery.order))
    )
      i--;
    queue.splice(i, 0, delivery);
  };

  const drain = () => {
    if (draining) return;
    draining = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        latest = Math.max(latest, next.at);
        if (next.port.connected()) next.port.receive(next.frame, next.at);
      }
    } finally {
      draining = false;
    }
  };

  return {
    attach: (port) => {
      ports.push(port);
    },
    bind: (ip, mac) => {
      bound.set(ip, mac);
    },
    time: () => Math.max(now(), latest),
    send(from, frame, at) {
      if (!from.connected()) return;
      learnt.set(frame.source, from);
      if ((bound.get(frame.senderIp) ?? frame.senderMac) !== frame.senderMac) return;
      const known = frame.destination === broadcastMac ? undefined : learnt.get(frame.destination);
      const targets = known === undefined ? ports.filter((port) => port !== from).reverse() : [known];
      for (const port of targets)
        if (port !== from) enqueue({ at: at + from.delayMs + port.delayMs, order: order++, port, frame });
      drain();
    },
  };
}
