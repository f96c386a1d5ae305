import type { MetalLbSpec, RouterSpec, SiteDnsSpec, VantageSpec } from "../site-spec.ts";
import type { StoredObject } from "./stored-object.ts";

/** A node of a site: its machine and its Node object come from the same words. */
export type NodePlan = Readonly<{
  name: string;
  /** InternalIP, on eth0. */
  ip: string;
  mac: string;
  controlPlane?: boolean;
  /** Wi-Fi that is up and addressed in the same segment. */
  wlan?: Readonly<{ ip: string; mac: string }>;
  /** The address Calico chose; default: eth0's. */
  calicoIp?: string;
  /** The Wi-Fi chip is there but down, as on every other Raspberry Pi. */
  idleWlanMac?: string;
  labels?: Readonly<Record<string, string>>;
  sysctls?: Readonly<Record<string, string>>;
  arping?: "iputils" | "habets";
}>;

export type LoadBalancerPlan = Readonly<{
  name: string;
  namespace: string;
  ip: string;
  port: number;
  /** Names of the nodes that run a pod of it. */
  on: readonly string[];
  policy?: "Cluster" | "Local";
  hostname?: string;
  ttl?: string;
  app?: string;
}>;

export type SitePlan = Readonly<{
  name: string;
  lanPrefix: string;
  routerIp: string;
  nodes: readonly NodePlan[];
  services: readonly LoadBalancerPlan[];
  vantages: readonly VantageSpec[];
  router: RouterSpec;
  metallb: MetalLbSpec;
  pool: Readonly<{ name: string; addresses: readonly string[] }>;
  frr: boolean;
  kubeProxy: Readonly<{ mode: "iptables" | "ipvs"; strictArp: boolean }>;
  externalDns: Readonly<{ version: string; domains: readonly string[]; policy: string }>;
  /** Advertisements, peers and whatever else belongs to this site alone. */
  extra: readonly StoredObject[];
  unusedAddress: string;
  /** Zones as they are without what ExternalDNS publishes in them. */
  dns?: SiteDnsSpec;
}>;
