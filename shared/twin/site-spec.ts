import type { Json } from "../json.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { VantagePlace } from "../site/site.ts";
import type { GitContent } from "./git-ops.ts";
import type { DnsSpec } from "./resolvers.ts";
import type { WebSpec } from "./web.ts";
import type { ZoneSpec } from "./zones.ts";

/** A network interface of a machine, as `ip -d link` tells it and as the segment sees it. */
export type NicSpec = Readonly<{
  name: string;
  /** Lower case, colons. */
  mac: string;
  /** In CIDR notation, IPv4 first. A link-local IPv6 address follows from the MAC and is not listed. */
  addresses: readonly string[];
  /** Default: position in the machine's list, counted from 2 (1 is `lo`). */
  ifindex?: number;
  /** `info_kind` of a virtual interface: veth, bridge, bond, vlan, tun. Absent for hardware. */
  kind?: string;
  /** The bond or bridge it is enslaved to. */
  master?: string;
  /** The wire it is plugged into; absent means `lan`, null means none. */
  segment?: string | null;
  up?: boolean;
  carrier?: boolean;
  noArp?: boolean;
  wireless?: boolean;
  /** Some Wi-Fi chips drop broadcast frames unless the interface is promiscuous (raspberrypi/linux#2677). */
  dropsBroadcast?: boolean;
  /** Metric of the connected routes, as network managers set it. */
  metric?: number;
  mtu?: number;
  /** Values of `ip -j -d link` that differ from the kind's usual ones, by key. */
  attributes?: Readonly<Record<string, Json>>;
}>;

export type RouteSpec = Readonly<{
  /** CIDR or `default`. */
  dst: string;
  gateway?: string;
  dev: string;
  protocol?: string;
  prefsrc?: string;
  metric?: number;
}>;

export type ArpingProgram = "iputils" | "habets";

export type MachineSpec = Readonly<{
  name: string;
  nics: readonly NicSpec[];
  routes?: readonly RouteSpec[];
  /** Keys as `sysctl` writes them, `net.ipv4.conf.all.arp_ignore`; what is missing has the kernel's default. */
  sysctls?: Readonly<Record<string, string>>;
  /** Which of the two programs is installed as `arping`. */
  arping?: ArpingProgram;
  /** Programs that are not installed. */
  missingTools?: readonly string[];
  /** `uname -r`. */
  kernelRelease?: string;
  /** Environment of a command that came in by SSH. */
  env?: Readonly<Record<string, string>>;
  /** systemd units and their state; what is missing is inactive. Default: NetworkManager, as on Raspberry Pi OS 12. */
  units?: Readonly<Record<string, string>>;
  /** Configuration files and their text, by path. */
  files?: Readonly<Record<string, string>>;
  /** Ports whose packets are dropped on their way in. */
  droppedPorts?: readonly number[];
  /** Ports whose UDP packets alone are dropped: TCP says all is well. */
  droppedUdpPorts?: readonly number[];
  /** Name servers of resolv.conf, by address. Default: the site's router. */
  resolvers?: readonly string[];
}>;

export type NodeSpec = MachineSpec &
  Readonly<{
    /** From the start of its containers after a boot until kubelet calls the node Ready; speakers do not wait for it. */
    readyAfterMs?: number;
  }>;

export type VantageSpec = MachineSpec & Readonly<{ place: VantagePlace; clusterNode?: string }>;

export type RouterSpec = MachineSpec &
  Readonly<{
    /** Whether it speaks BGP with the cluster; a consumer router does not. */
    speaksBgp: boolean;
    /** The prefix it believes the LAN has. */
    lanPrefix: string;
    staticRoutes: readonly Readonly<{ to: string; via: string }>[];
  }>;

export type MetalLbSpec = Readonly<{
  /** `0.15.2`; decides which fields and bugs the speakers have. */
  version: string;
  namespace: string;
  /** Without memberlist a dead node is never noticed. */
  memberlist: boolean;
  /** Speakers run with `--ignore-exclude-lb`. */
  ignoreExcludeLabel: boolean;
}>;

/** Names: the hosted zones of the account, the world above them, and the resolvers of the site. */
export type SiteDnsSpec = DnsSpec &
  Readonly<{
    zones: readonly ZoneSpec[];
    /** Until the last name server has a change, milliseconds. */
    propagationMs?: number;
  }>;

/** Everything a twin starts from: hardware, wiring, and the cluster's objects. */
export type SiteSpec = Readonly<{
  name: string;
  lanPrefix: string;
  nodes: readonly NodeSpec[];
  vantages: readonly VantageSpec[];
  router: RouterSpec;
  metallb: MetalLbSpec;
  objects: readonly Readonly<{ kind: ResourceKind; object: KubeObject }>[];
  /** An address of the segment that nobody uses. */
  unusedAddress: string;
  /** Without it nobody answers a DNS question and no ExternalDNS does anything. */
  dns?: SiteDnsSpec;
  /** What Services say to HTTP where it is not the usual. */
  web?: readonly WebSpec[];
  /** What Argo CD and Flux read from git; their own objects are among the others. */
  gitOps?: readonly GitContent[];
}>;
