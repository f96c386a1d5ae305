import type { Fault } from "../fault.ts";
import { FaultError } from "../fault.ts";
import type { ArpingIdentity } from "../probes/arping-identify.ts";
import { arpingIdentify } from "../probes/arping-identify.ts";
import type { Nic } from "../probes/ip-addr.ts";
import { ipAddr } from "../probes/ip-addr.ts";
import type { Probe } from "../probes/probe.ts";
import type { Vantage } from "../site/site.ts";
import type { MacTable } from "./mac-table.ts";
import { lanNics } from "./mac-table.ts";
import type { ArpPorts } from "./surroundings.ts";

const rank = (vantage: Vantage): number =>
  (vantage.clusterNode === undefined ? 0 : 2) + (vantage.place === "lan-wifi" ? 1 : 0);

/**
 * Vantages that can look at a segment by ARP, best first: wired hosts outside the cluster, Wi-Fi hosts outside it,
 * then cluster nodes, which give ARP evidence only. Behind a router there is nothing to see: ARP does not cross it.
 */
export const arpVantages = (vantages: readonly Vantage[]): readonly Vantage[] =>
  vantages.filter(({ place }) => place !== "behind-router").toSorted((a, b) => rank(a) - rank(b));

/** What has to be known about a vantage before it can probe. */
export type ReadyVantage = Readonly<{
  vantage: Vantage;
  identity: ArpingIdentity;
  nic: Nic;
  /** The interface has an address in the LAN prefix. */
  onLan: boolean;
  /** MACs of the vantage's own interfaces in the segment. */
  macs: readonly string[];
}>;

/** Budget and single flights go by the machine, whatever the vantage is called in which cluster. */
export const machineOf = ({ access }: Vantage): string =>
  access === "local" ? "local" : `${access.host}:${access.port}`;

/** Runs one probe on a vantage. Throws FaultError. */
export async function probeVantage<const Args extends readonly unknown[], Evidence>(
  ports: ArpPorts,
  vantage: Vantage,
  probe: Probe<Args, Evidence>,
  ...args: Args
): Promise<Evidence> {
  const output = await ports.shell(
    { kind: "vantage", name: vantage.name },
    probe.argv(...args),
    ports.signal ? { signal: ports.signal } : {},
  );
  return probe.read(output);
}

/** The interface to probe through: addressed in the LAN prefix, up, and of the kind that the vantage's place says. */
function probingNic(nics: readonly Nic[], vantage: Vantage, ports: ArpPorts): Nic | undefined {
  const site = { ...ports.config.site, lanNic: [] };
  const lan = lanNics(vantage.clusterNode ?? vantage.name, nics, site).filter(({ up }) => up);
  return lan.find(({ wireless }) => wireless === (vantage.place === "lan-wifi")) ?? lan[0];
}

/** Finds out what a vantage can do. Throws FaultError: unreachable, without arping, or not on the segment. */
export async function readyVantage(ports: ArpPorts, vantage: Vantage): Promise<ReadyVantage> {
  const [identity, nics] = await Promise.all([
    probeVantage(ports, vantage, arpingIdentify),
    probeVantage(ports, vantage, ipAddr),
  ]);
  const nic = probingNic(nics, vantage, ports);
  if (nic === undefined)
    throw new FaultError({
      kind: "not-configured",
      what: `vantage ${vantage.name}`,
      detail: `no interface that is up has an address in ${ports.config.site.lanPrefix}`,
    });
  const site = { ...ports.config.site, lanNic: [] };
  const macs = lanNics(vantage.clusterNode ?? vantage.name, nics, site).flatMap(({ mac }) => mac ?? []);
  return { vantage, identity, nic, onLan: true, macs };
}

/**
 * The cluster node that a vantage really is, by the MACs of both, whatever the config says it is: a node gets no answer
 * for what it announces itself, declared or not. `undefined` when no node that was read has one of its MACs.
 */
export function nodeOf({ macs }: Pick<ReadyVantage, "macs">, table: MacTable): string | undefined {
  for (const mac of macs) {
    const owner = table.ownerOf(mac);
    if (owner.kind === "node") return owner.owner.node;
  }
  return undefined;
}

export type Skipped = Readonly<{ vantage: string; fault: Fault }>;
