import { contains, formatIpv4, networkOf, parseIpv4, parsePrefix } from "./ipv4.ts";
import type { ArpFrame, Port, Segment } from "./segment.ts";
import { broadcastMac } from "./segment.ts";
import type { ArpingProgram, MachineSpec, NicSpec } from "./site-spec.ts";

export type MachineKind = "node" | "vantage" | "router";

export type Direction = "in" | "out";

export type Tap = Readonly<{
  /** Asks the NIC for frames that are not meant for it. */
  promiscuous: boolean;
  see: (frame: ArpFrame, at: number, direction: Direction) => void;
}>;

export type Nic = {
  spec: NicSpec;
  readonly name: string;
  readonly mac: string;
  readonly ifindex: number;
  up: boolean;
  carrier: boolean;
  readonly taps: Set<Tap>;
  readonly port: Port;
  readonly segment: Segment | undefined;
};

export type Neighbour = {
  dst: string;
  dev: string;
  lladdr?: string;
  state: string;
  /** When sending to it first went unanswered. */
  failingSince?: number;
};

export type Route = Readonly<{
  /** CIDR without host bits, or `default`. */
  dst: string;
  gateway?: string;
  dev: string;
  protocol: string;
  scope: "global" | "link";
  prefsrc?: string;
  metric?: number;
  linkdown: boolean;
}>;

export type Machine = {
  readonly name: string;
  readonly kind: MachineKind;
  spec: MachineSpec;
  readonly nics: readonly Nic[];
  powered: boolean;
  hung: boolean;
  privileged: boolean;
  /** Programs that run; aborted when the machine dies or hangs, and then nobody hears of them again. */
  readonly running: Set<AbortController>;
  readonly missingTools: Set<string>;
  /** Which of the two programs its `arping` is. */
  arping: ArpingProgram;
  /** What somebody set, by key. */
  readonly sysctls: Map<string, string>;
  readonly neighbours: Neighbour[];
  /** IPv4 addresses that somebody added to `lo`, each a /32. */
  readonly loopback: string[];
  /** Addresses that a program put on a dummy interface (`kube-ipvs0`), local to the machine on every NIC. */
  localAddresses: () => readonly string[];
  /** kube-proxy with strictARP sets arp_ignore=1 and arp_announce=2 for all interfaces. */
  strictArp: boolean;
  /** What a MetalLB speaker answers for on a NIC. */
  announces: (ip: string, nic: Nic) => boolean;
  /** Answers for whatever it is asked, as proxy ARP on a router or bridge does; the MAC it answers with. */
  proxyArp: string | undefined;
};

export const isWorking = (machine: Machine, nic: Nic): boolean => machine.powered && nic.up && nic.carrier;

export const promiscuity = (nic: Nic): number => [...nic.taps].filter((tap) => tap.promiscuous).length;

/** The value in force for a key, the kernel's default when nobody set it. */
export function sysctl(machine: Machine, key: string): string | undefined {
  if (machine.strictArp && key === "net.ipv4.conf.all.arp_ignore") return "1";
  if (machine.strictArp && key === "net.ipv4.conf.all.arp_announce") return "2";
  const set = machine.sysctls.get(key);
  if (set !== undefined) return set;
  const perNic = /^net\.ipv4\.conf\.([^.]+)\.([a-z_]+)$/.exec(key);
  if (perNic !== null) {
    const [, nic = "", name = ""] = perNic;
    if (!["all", "default", "lo", ...machine.nics.map((each) => each.name)].includes(nic)) return undefined;
    if (nic !== "all" && nic !== "default") {
      const inherited = machine.sysctls.get(`net.ipv4.conf.default.${name}`);
      if (inherited !== undefined) return inherited;
    }
    return perNicDefaults[name];
  }
  return otherDefaults[key];
}

const perNicDefaults: Readonly<Record<string, string>> = {
  arp_accept: "0",
  arp_announce: "0",
  arp_filter: "0",
  arp_ignore: "0",
  arp_notify: "0",
  drop_gratuitous_arp: "0",
  forwarding: "0",
  proxy_arp: "0",
  rp_filter: "0",
};

const otherDefaults: Readonly<Record<string, string>> = { "net.ipv4.ip_forward": "0" };

/** Effective ARP and reverse path settings are the larger of `all` and the interface (ip-sysctl.rst). */
const effective = (machine: Machine, nic: Nic, name: string): number =>
  Math.max(
    Number(sysctl(machine, `net.ipv4.conf.all.${name}`) ?? 0),
    Number(sysctl(machine, `net.ipv4.conf.${nic.name}.${name}`) ?? 0),
  );

const ipv4Of = (nic: Nic): readonly string[] => nic.spec.addresses.filter((cidr) => !cidr.includes(":"));

export const addressesOf = (nic: Nic): readonly string[] =>
  ipv4Of(nic).map((cidr) => cidr.split("/")[0] ?? cidr);

/** The kernel's main table: connected routes of NICs that are up, and the configured ones whose NIC is up. */
export function routesOf(machine: Machine): readonly Route[] {
  const connected = machine.nics
    .filter((nic) => nic.up)
    .flatMap((nic) =>
      ipv4Of(nic).flatMap((cidr): Route[] => {
        const prefix = parsePrefix(cidr);
        if (prefix === undefined || prefix.length === 32) return [];
        return [
          {
            dst: `${formatIpv4(networkOf(prefix))}/${prefix.length}`,
            dev: nic.name,
            protocol: "kernel",
            scope: "link",
            prefsrc: formatIpv4(prefix.address),
            ...(nic.spec.metric === undefined ? {} : { metric: nic.spec.metric }),
            linkdown: !nic.carrier,
          },
        ];
      }),
    );
  const configured = (machine.spec.routes ?? []).flatMap((route): Route[] => {
    const nic = machine.nics.find((each) => each.name === route.dev);
    if (nic === undefined || !nic.up) return [];
    return [
      {
        protocol: "boot",
        ...route,
        scope: route.gateway === undefined ? "link" : "global",
        linkdown: !nic.carrier,
      },
    ];
  });
  const key = (route: Route) => (route.dst === "default" ? -1 : (parsePrefix(route.dst)?.address ?? 0));
  return [...configured, ...connected].sort((a, b) => key(a) - key(b) || (a.metric ?? 0) - (b.metric ?? 0));
}

export type Found =
  | Readonly<{ type: "local"; prefsrc: string }>
  | Readonly<{ type: "unicast"; dev: string; gateway?: string; prefsrc: string }>
  | undefined;

/** Longest prefix, then lowest metric, then the table's order. Undefined is "Network is unreachable". */
export function routeTo(machine: Machine, ip: string): Found {
  const address = parseIpv4(ip);
  if (address === undefined) return undefined;
  if (ip.startsWith("127.") || isLocal(machine, ip)) return { type: "local", prefsrc: ip };
  let best: Route | undefined;
  let bestLength = -1;
  for (const route of routesOf(machine)) {
    const prefix = parsePrefix(route.dst === "default" ? "0.0.0.0/0" : route.dst);
    if (prefix === undefined || !contains(prefix, address)) continue;
    if (prefix.length > bestLength) {
      best = route;
      bestLength = prefix.length;
    }
  }
  if (best === undefined) return undefined;
  const nic = machine.nics.find((each) => each.name === best.dev);
  const prefsrc =
    best.prefsrc ?? (nic === undefined ? undefined : sourceFor(nic, best.gateway ?? ip)) ?? "0.0.0.0";
  return {
    type: "unicast",
    dev: best.dev,
    prefsrc,
    ...(best.gateway === undefined ? {} : { gateway: best.gateway }),
  };
}

/** The address a NIC would use towards an address: one in its subnet, else its first. */
export function sourceFor(nic: Nic, ip: string): string | undefined {
  const address = parseIpv4(ip);
  const inSubnet = ipv4Of(nic).find((cidr) => {
    const prefix = parsePrefix(cidr);
    return address !== undefined && prefix !== undefined && contains(prefix, address);
  });
  return (inSubnet ?? ipv4Of(nic)[0])?.split("/")[0];
}

export const isLocal = (machine: Machine, ip: string): boolean =>
  machine.nics.some((nic) => addressesOf(nic).includes(ip)) ||
  machine.loopback.includes(ip) ||
  machine.localAddresses().includes(ip);

/** Whether the kernel answers a request that came in on a NIC: arp_ignore, arp_filter, rp_filter (ip-sysctl.rst). */
function kernelAnswers(machine: Machine, nic: Nic, frame: ArpFrame): boolean {
  if (nic.spec.noArp === true || !isLocal(machine, frame.targetIp)) return false;
  const ignore = effective(machine, nic, "arp_ignore");
  if (ignore >= 8) return false;
  if (ignore >= 1 && !addressesOf(nic).includes(frame.targetIp)) return false;
  if (frame.senderIp === "0.0.0.0") return true;
  if (frame.senderIp === "255.255.255.255") return false;
  const from = parseIpv4(frame.senderIp);
  if (
    ignore >= 2 &&
    !ipv4Of(nic).some((cidr) => {
      const prefix = parsePrefix(cidr);
      return (
        prefix !== undefined &&
        from !== undefined &&
        formatIpv4(prefix.address) === frame.targetIp &&
        contains(prefix, from)
      );
    })
  )
    return false;
  if (isLocal(machine, frame.senderIp)) return false;
  const back = routeTo(machine, frame.senderIp);
  const backBy = back?.type === "unicast" ? back.dev : undefined;
  if (!reversePathAccepts(machine, nic, frame.senderIp)) return false;
  return effective(machine, nic, "arp_filter") !== 1 || backBy === nic.name;
}

/** Whether strict reverse path filtering lets a packet from an address in on a NIC. */
export function reversePathAccepts(machine: Machine, nic: Nic, source: string): boolean {
  if (effective(machine, nic, "rp_filter") !== 1) return true;
  const back = routeTo(machine, source);
  return back?.type === "unicast" && back.dev === nic.name;
}

const isGratuitous = (frame: ArpFrame): boolean => frame.senderIp === frame.targetIp;

/** An existing entry follows any ARP packet of its address; a missing one is made only by a request for us. */
function learn(machine: Machine, nic: Nic, frame: ArpFrame, answered: boolean): void {
  if (frame.senderIp === "0.0.0.0") return;
  if (isGratuitous(frame) && effective(machine, nic, "drop_gratuitous_arp") === 1) return;
  const known = machine.neighbours.find((entry) => entry.dst === frame.senderIp && entry.dev === nic.name);
  if (known !== undefined) {
    if (known.state === "PERMANENT" || known.lladdr === frame.senderMac) return;
    known.lladdr = frame.senderMac;
    known.state = "STALE";
  } else if (answered)
    machine.neighbours.push({
      dst: frame.senderIp,
      dev: nic.name,
      lladdr: frame.senderMac,
      state: "STALE",
    });
}

/** Kernel and speaker take a few microseconds each before they answer; a speaker lives in user space. */
const kernelDelayMs = 0.004;
const speakerDelayMs = 0.06;
const proxyDelayMs = 5;

/** Ethernet hardware pads short frames to 60 bytes; virtual and wireless interfaces pass them on as they are. */
const isPadded = (nic: Nic): boolean => nic.spec.kind === undefined && nic.spec.wireless !== true;

function receive(machine: Machine, nic: Nic, sent: ArpFrame, at: number): void {
  const frame = isPadded(nic) ? { ...sent, payloadBytes: Math.max(46, sent.payloadBytes) } : sent;
  const toUs = frame.destination === broadcastMac || frame.destination === nic.mac;
  const deaf =
    frame.destination === broadcastMac && nic.spec.dropsBroadcast === true && promiscuity(nic) === 0;
  if (deaf || (!toUs && promiscuity(nic) === 0)) return;
  for (const tap of [...nic.taps]) tap.see(frame, at, "in");
  if (!toUs) return;
  const isQuestion = frame.operation === "request" && !isGratuitous(frame);
  const answer = (mac: string, delay: number) =>
    transmit(
      machine,
      nic,
      {
        destination: frame.senderMac,
        source: nic.mac,
        operation: "reply",
        senderMac: mac,
        senderIp: frame.targetIp,
        targetMac: frame.senderMac,
        targetIp: frame.senderIp,
        payloadBytes: 28,
      },
      at + delay,
    );
  const kernel = isQuestion && kernelAnswers(machine, nic, frame);
  learn(machine, nic, frame, kernel);
  if (kernel) answer(nic.mac, kernelDelayMs);
  else if (frame.operation === "request" && machine.announces(frame.targetIp, nic))
    answer(nic.mac, speakerDelayMs);
  else if (isQuestion && machine.proxyArp !== undefined && frame.senderIp !== "0.0.0.0")
    answer(machine.proxyArp, proxyDelayMs);
}

/** Puts a frame on the wire of a NIC. Gives the time it was sent. */
export function transmit(machine: Machine, nic: Nic, frame: ArpFrame, at?: number): number {
  if (nic.segment === undefined || !isWorking(machine, nic)) return at ?? 0;
  const sent = at ?? nic.segment.time();
  for (const tap of [...nic.taps]) tap.see(frame, sent, "out");
  nic.segment.send(nic.port, frame, sent);
  return sent;
}

/** Builds a machine and plugs its NICs in. `segment` finds the wire by name. */
export function createMachine(
  kind: MachineKind,
  spec: MachineSpec,
  segment: (name: string) => Segment,
): Machine {
  const nics: Nic[] = [];
  const machine: Machine = {
    name: spec.name,
    kind,
    spec,
    nics,
    powered: true,
    hung: false,
    privileged: true,
    running: new Set(),
    missingTools: new Set(spec.missingTools ?? []),
    arping: spec.arping ?? "iputils",
    sysctls: new Map(Object.entries(spec.sysctls ?? {})),
    neighbours: [],
    loopback: [],
    localAddresses: () => [],
    strictArp: false,
    announces: () => false,
    proxyArp: undefined,
  };
  spec.nics.forEach((nicSpec, i) => {
    const wire = nicSpec.segment === null ? undefined : segment(nicSpec.segment ?? "lan");
    const nic: Nic = {
      spec: nicSpec,
      name: nicSpec.name,
      mac: nicSpec.mac,
      ifindex: nicSpec.ifindex ?? i + 2,
      up: nicSpec.up ?? true,
      carrier: nicSpec.carrier ?? true,
      taps: new Set(),
      segment: wire,
      port: {
        connected: () => isWorking(machine, nic),
        delayMs: nicSpec.wireless === true ? 1.1 : 0.02,
        receive: (frame, at) => receive(machine, nic, frame, at),
      },
    };
    nics.push(nic);
    wire?.attach(nic.port);
  });
  return machine;
}
