import type { Clock } from "../clock.ts";
import type { Machine, Nic } from "./machine.ts";
import { transmit } from "./machine.ts";
import type { Schedule } from "./schedule.ts";
import { broadcastMac } from "./segment.ts";

/** A round at once, then every 1.1 s for 5 s (internal/layer2/announcer.go, spamLoop); any resync starts the 5 s anew. */
const roundMs = 1_100;
const windowMs = 5_000;
/** The two frames of a round leave one right after the other. */
const betweenFramesMs = 0.05;

export type GratuitousArp = Readonly<{
  /** `nics` is asked at each round; none of them means that the address is no longer ours. */
  announce: (machine: Machine, ip: string, nics: () => readonly Nic[]) => void;
}>;

/** A round is an ARP request and an ARP reply on every interface, both broadcast, sender and target the address. */
export function shout(machine: Machine, ip: string, nics: readonly Nic[]): void {
  for (const nic of nics) {
    const at = nic.segment?.time() ?? 0;
    (["request", "reply"] as const).forEach((operation, i) => {
      transmit(
        machine,
        nic,
        {
          destination: broadcastMac,
          source: nic.mac,
          operation,
          senderMac: nic.mac,
          senderIp: ip,
          targetMac: broadcastMac,
          targetIp: ip,
          payloadBytes: 28,
        },
        at + i * betweenFramesMs,
      );
    });
  }
}

export function createGratuitousArp({
  clock,
  schedule,
}: Readonly<{ clock: Clock; schedule: Schedule }>): GratuitousArp {
  const until = new Map<string, number>();
  return {
    announce(machine, ip, nics) {
      const key = `${machine.name} ${ip}`;
      const running = until.has(key);
      until.set(key, clock.now() + windowMs);
      if (running) return;
      const round = () => {
        const targets = nics();
        if (targets.length === 0 || clock.now() > (until.get(key) ?? 0)) {
          until.delete(key);
          return;
        }
        shout(machine, ip, targets);
        schedule(roundMs, round);
      };
      round();
    },
  };
}
