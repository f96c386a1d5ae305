import { ipAddr } from "../probes/ip-addr.ts";
import { nodeArpSysctls } from "../probes/node-arp-sysctls.ts";
import { nodeNeighbours } from "../probes/node-neighbours.ts";
import { nodeRoutes } from "../probes/node-routes.ts";
import { nodeSshConnection } from "../probes/node-ssh-connection.ts";
import { nodeToolsProbe } from "../probes/node-tools.ts";
import { nodeWireless } from "../probes/node-wireless.ts";
import type { Probe } from "../probes/probe.ts";

/**
 * Every probe that checks may need of a node, by its id. All of them that any asked check needs travel in one SSH exec;
 * each is read once. A new probe is a file under `shared/probes`, a line in `shared/probes/all.ts`, and a line here.
 */
export const nodeProbes = {
  "ip-addr": ipAddr,
  "ip-routes": nodeRoutes,
  "ip-neigh": nodeNeighbours,
  "arp-sysctls": nodeArpSysctls,
  "wireless-nics": nodeWireless,
  "ssh-connection": nodeSshConnection,
  tools: nodeToolsProbe,
} as const;

type NodeProbes = typeof nodeProbes;

export type NodeProbeId = keyof NodeProbes;

/** What a probe's answer reads as. */
export type EvidenceOf<P extends NodeProbeId> =
  NodeProbes[P] extends Probe<infer _Args, infer Evidence> ? Evidence : never;
