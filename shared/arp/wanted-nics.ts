import { parseIp } from "../metallb/ip.ts";
import type { Nic } from "../probes/ip-addr.ts";
import type { Site } from "../site/site.ts";
import { lanNics } from "./mac-table.ts";

/**
 * The LAN NIC of a node, or NICs where several with a cable are in the segment: those that `lanNics` gives without the
 * wireless ones, unless there is nothing else. `wireless` is the kernel's word. Empty when none is in the segment.
 */
export function wantedNics(
  node: string,
  nics: readonly Nic[],
  wireless: readonly string[],
  site: Site,
): readonly Nic[] {
  const lan = lanNics(node, nics, site);
  const wired = lan.filter(({ name }) => !wireless.includes(name));
  return wired.length > 0 ? wired : lan;
}

/** The interface that carries an address, in any spelling of it. */
export function nicWith(nics: readonly Nic[], address: string): Nic | undefined {
  const wanted = parseIp(address)?.text;
  if (wanted === undefined) return undefined;
  return nics.find(({ addresses }) => addresses.some((each) => parseIp(each.address)?.text === wanted));
}
