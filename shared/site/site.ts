/** What only people know about a site. Parsed from the config (`bot/config.ts`); decisions take these plain values. */

export type VantagePlace = "lan-wired" | "lan-wifi" | "behind-router";

/** How to reach a machine over SSH. Host keys are pinned: an unknown or changed key is refused. */
export type SshAccess = Readonly<{
  host: string;
  port: number;
  user: string;
  /** File with the private key (OpenSSH format). */
  identityFile: string;
  /** OpenSSH known_hosts file; the entry is looked up under `hostKeyAlias` when given, else host and port. */
  knownHostsFile: string;
  hostKeyAlias?: string;
  /** An argv that speaks the SSH protocol on stdin and stdout, instead of a TCP connection. */
  proxyCommand?: readonly string[];
  /** Another machine of the config to go through. */
  jumpHost?: string;
  /** Prefix privileged commands with `sudo -n --`. */
  sudo: boolean;
}>;

export type Vantage = Readonly<{
  name: string;
  place: VantagePlace;
  access: "local" | SshAccess;
  /** For a local vantage: prefix privileged commands with `sudo -n --`. */
  sudo?: boolean;
  /** The node's name when this vantage is a member of the cluster: then it gives ARP evidence only. */
  clusterNode?: string;
}>;

export type Site = Readonly<{
  /** The segment the announced addresses live in, CIDR. */
  lanPrefix: string;
  routerIp?: string;
  /** Prefix length the router uses on the LAN; a router with another one than `lanPrefix` reads the pool differently. */
  routerPrefix?: number;
  staticRoutes: readonly Readonly<{ to: string; via: string }>[];
  dhcpRanges: readonly string[];
  resolvers: readonly string[];
  /** NIC names by node group; without an entry the LAN NIC is the interface addressed in `lanPrefix`. */
  lanNic: readonly Readonly<{ nic: string; nodes: readonly string[] }>[];
  /** IANA name of the time zone of clocks at the site, for exports; without it they show UTC alone. */
  timeZone?: string;
  /** An address of the segment that nobody uses: probing it tells proxy ARP from an announcer. */
  unusedAddress?: string;
}>;

export type NodeAccess = Readonly<{ name: string; access: SshAccess }>;

/** What ExternalDNS and Route 53 have to do with a cluster. */
export type DnsConfig = Readonly<{
  /** Zones by id: names may be taken twice, ids are not. */
  zones: readonly Readonly<{ name: string; id: string }>[];
  /** The domain move of the runbooks, `hellholt.net` to `goldentooth.net`. */
  move?: Readonly<{ from: string; to: string }>;
  /** Two resolvers outside the site, by address. */
  publicResolvers: readonly string[];
  /** The vantage that asks the world's name servers; without it the machine we run on does. */
  askFrom?: string;
}>;

/** A clone that GitOps reads from; acts on what GitOps manages become commits on `branch`. */
export type RepositoryConfig = Readonly<{
  name: string;
  /** Directory of the clone. */
  path: string;
  /** The branch Arpeggio commits to; people merge it, or GitOps follows it. */
  branch: string;
  base: string;
}>;

/** What a migration needs that only people know. */
export type MigrationConfig = Readonly<{
  /** `namespace/service`: its address loses BGP first. */
  canary?: string;
  /** How long old names stay beside new ones after their TTL, seconds. */
  quietSeconds: number;
  repositories: readonly RepositoryConfig[];
  /** Files with the Helm values in use, by release name, as a person handed them over. */
  helmValues: Readonly<Record<string, string>>;
  approvals: Readonly<{
    who: "others" | "self";
    /** How long a request for approval stays open, seconds. */
    openSeconds: number;
    /** Approving in a terminal; only a lab may. */
    local: boolean;
  }>;
}>;

export const defaultMigration: MigrationConfig = {
  quietSeconds: 86_400,
  repositories: [],
  helmValues: {},
  approvals: { who: "others", openSeconds: 1_800, local: false },
};

export type ClusterConfig = Readonly<{
  name: string;
  /** Path of a kubeconfig; absent means `KUBECONFIG` or in-cluster. */
  kubeconfig?: string;
  context?: string;
  site: Site;
  vantages: readonly Vantage[];
  nodes: readonly NodeAccess[];
  dns?: DnsConfig;
  migration?: MigrationConfig;
}>;
