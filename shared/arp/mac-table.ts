import type { Fault } from "../fault.ts";
import { contains, parseAddresses, parseIp } from "../metallb/ip.ts";
import type { Nic } from "../probes/ip-addr.ts";
import type { Site } from "../site/site.ts";

/** The interfaces of one node, or why they could not be read. */
export type NodeNics =
  | Readonly<{ node: string; nics: readonly Nic[] }>
  | Readonly<{ node: string; fault: Fault }>;

export type MacOwner = Readonly<{ node: string; nic: string }>;

/** Whose a MAC is. More than one node with it is told, not guessed; a node that was not read could be the owner. */
export type MacOwnership =
  | Readonly<{ kind: "node"; owner: MacOwner }>
  | Readonly<{ kind: "several-nodes"; owners: readonly MacOwner[] }>
  | Readonly<{ kind: "could-be"; nodes: readonly string[] }>
  | Readonly<{ kind: "nobody" }>;

export type MacTable = Readonly<{
  ownerOf: (mac: string) => MacOwnership;
  nicsOf: (node: string) => readonly Nic[] | undefined;
  unread: readonly Readonly<{ node: string; fault: Fault }>[];
  nodes: readonly string[];
}>;

/** In the segment by an address of its own. Service addresses that kube-proxy keeps on dummy interfaces do not count. */
export const isAddressedIn = (nic: Nic, lanPrefix: string): boolean => {
  const prefix = parseAddresses(lanPrefix);
  if ("error" in prefix || nic.linkType === "loopback" || nic.kind === "dummy") return false;
  if (nic.flags.includes("NOARP")) return false;
  return nic.addresses.some(({ address }) => {
    const ip = parseIp(address);
    return ip !== undefined && prefix.some((range) => contains(range, ip));
  });
};

/**
 * The interfaces of a node that its announcements should leave by: what the site names for the node, else those
 * addressed in the LAN prefix (a bond, bridge or VLAN as well as hardware). Two mean that the node is dual-homed.
 */
export function lanNics(node: string, nics: readonly Nic[], site: Site): readonly Nic[] {
  const named = site.lanNic.find(({ nodes }) => nodes.includes(node));
  if (named) return nics.filter(({ name }) => name === named.nic);
  return nics.filter((nic) => isAddressedIn(nic, site.lanPrefix));
}

/** The one LAN NIC where that is certain: named by the site, the only one, or the only one that is not wireless. */
export function theLanNic(node: string, nics: readonly Nic[], site: Site): Nic | undefined {
  const candidates = lanNics(node, nics, site);
  if (candidates.length === 1) return candidates[0];
  const wired = candidates.filter(({ wireless }) => !wireless);
  return wired.length === 1 ? wired[0] : undefined;
}

/**
 * Of several interfaces that share a MAC on one node (a bond and its members, a bridge and its port, a VLAN), the one
 * that answers: in the LAN, then without a master, then the lowest index.
 */
function answering(node: string, nics: readonly Nic[], site: Site): Nic {
  const lan = new Set(lanNics(node, nics, site));
  return nics.toSorted(
    (a, b) =>
      Number(lan.has(b)) - Number(lan.has(a)) ||
      Number(a.master !== undefined) - Number(b.master !== undefined) ||
      a.index - b.index,
  )[0] as Nic;
}

/** Maps every MAC of every node that could be read. */
export function macTable(read: readonly NodeNics[], site: Site): MacTable {
  const unread = read.filter((each) => "fault" in each);
  const known = new Map(read.flatMap((each) => ("nics" in each ? [[each.node, each.nics] as const] : [])));
  return {
    nicsOf: (node) => known.get(node),
    unread,
    nodes: read.map(({ node }) => node),
    ownerOf: (mac) => {
      const wanted = mac.toLowerCase();
      const owners = [...known].flatMap(([node, nics]): MacOwner[] => {
        const using = nics.filter((nic) => nic.mac === wanted);
        const having = using.length > 0 ? using : nics.filter((nic) => nic.permanentMac === wanted);
        return having.length === 0 ? [] : [{ node, nic: answering(node, having, site).name }];
      });
      const [owner] = owners;
      if (owners.length > 1) return { kind: "several-nodes", owners };
      if (owner !== undefined) return { kind: "node", owner };
      if (unread.length > 0) return { kind: "could-be", nodes: unread.map(({ node }) => node) };
      return { kind: "nobody" };
    },
  };
}
