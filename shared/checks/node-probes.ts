import { FaultError } from "../fault.ts";
import { type Answer, answerOf } from "../probes/answer.ts";
import { ipAddr } from "../probes/ip-addr.ts";
import { nodeArpSysctls } from "../probes/node-arp-sysctls.ts";
import { nodeMemberlist, type PortState } from "../probes/node-memberlist.ts";
import { nodeNeighbours } from "../probes/node-neighbours.ts";
import { nodeNetworkFiles } from "../probes/node-network-files.ts";
import { nodeNetworkSettings } from "../probes/node-network-settings.ts";
import { nodeNetworkUnits } from "../probes/node-network-units.ts";
import { nodeNmcli } from "../probes/node-nmcli.ts";
import { nodeRfkill } from "../probes/node-rfkill.ts";
import { nodeRoutes } from "../probes/node-routes.ts";
import { nodeSshConnection } from "../probes/node-ssh-connection.ts";
import { nodeToolsProbe } from "../probes/node-tools.ts";
import { nodeWireless } from "../probes/node-wireless.ts";
import type { Probe } from "../probes/probe.ts";
import type { ShellCommand, ShellOutput } from "../probes/shell.ts";

/** What is known of a node before it is visited. */
export type Visit = Readonly<{
  node: string;
  /** The three nodes after it in the order of names, with their InternalIP; undefined when the API did not tell. */
  neighbours: readonly Readonly<{ node: string; address: string }>[] | undefined;
}>;

/** Evidence that one visit brings: the commands to run for it and how to read what they printed, in the same order. */
export type NodeProbe<Evidence> = Readonly<{
  about: string;
  commands: (visit: Visit) => readonly ShellCommand[];
  /** Throws FaultError when there is no evidence. */
  read: (outputs: readonly Answer<ShellOutput>[], visit: Visit) => Evidence;
}>;

/** A probe that is one command without arguments. */
const once = <Evidence>(probe: Probe<readonly [], Evidence>): NodeProbe<Evidence> => ({
  about: probe.about,
  commands: () => [probe.argv()],
  read: ([answer]) => {
    if (answer === undefined) throw new Error(`${probe.id} was not run`);
    if (!answer.ok) throw new FaultError(answer.fault);
    return probe.read(answer.evidence);
  },
});

export type NeighbourPort = Readonly<{ node: string; address: string; port: Answer<PortState> }>;

const memberlist: NodeProbe<readonly NeighbourPort[]> = {
  about: nodeMemberlist.about,
  commands: ({ neighbours }) => (neighbours ?? []).map(({ address }) => nodeMemberlist.argv(address)),
  read: (outputs, { node, neighbours }) => {
    if (neighbours === undefined)
      throw new FaultError({
        kind: "not-configured",
        what: `neighbours of ${node}`,
        detail: "their addresses are known from the API only, and it did not tell",
      });
    return neighbours.map((neighbour, i) => {
      const output = outputs[i];
      if (output === undefined) throw new Error(`${neighbour.node} was not asked`);
      return {
        ...neighbour,
        port: output.ok ? answerOf(() => nodeMemberlist.read(output.evidence)) : output,
      };
    });
  },
};

/**
 * Every probe that checks may need of a node, by its id. All that the asked checks need travel in one SSH exec; each is
 * read once. A new probe is a file under `shared/probes`, a line in `shared/probes/all.ts`, and a line here.
 */
export const nodeProbes = {
  "ip-addr": once(ipAddr),
  "ip-routes": once(nodeRoutes),
  "ip-neigh": once(nodeNeighbours),
  "arp-sysctls": once(nodeArpSysctls),
  "wireless-nics": once(nodeWireless),
  "ssh-connection": once(nodeSshConnection),
  "network-units": once(nodeNetworkUnits),
  "nm-devices": once(nodeNmcli),
  rfkill: once(nodeRfkill),
  "network-files": once(nodeNetworkFiles),
  "network-settings": once(nodeNetworkSettings),
  tools: once(nodeToolsProbe),
  "memberlist-tcp": memberlist,
} as const;

type NodeProbes = typeof nodeProbes;

export type NodeProbeId = keyof NodeProbes;

/** What a probe's answer reads as. */
export type EvidenceOf<P extends NodeProbeId> =
  NodeProbes[P] extends NodeProbe<infer Evidence> ? Evidence : never;
