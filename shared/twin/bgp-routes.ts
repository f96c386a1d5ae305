import type { Clock } from "../clock.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { goDuration } from "../metallb/bgp-configuration.ts";
import { bgpType } from "../metallb/bgp-type.ts";
import type { ObjectStore } from "./object-store.ts";
import type { RouterSpec } from "./site-spec.ts";

/** What a speaker tells its peers: a node, the names of the BGPPeers, the addresses. */
export type BgpPath = Readonly<{ node: string; peers: readonly string[] }>;

export type BgpRoutes = Readonly<{
  /** Nodes that the router has a route through for an address, in order of their names. */
  nextHops: (ip: string) => readonly string[];
  /** BGPPeers of a node whose session with the router stands. */
  established: (node: string) => readonly string[];
  /** Whether the router speaks BGP: a new one may not, an old one may be taken away. */
  setSpeaking: (on: boolean) => void;
  isSpeaking: () => boolean;
  /** A node falls silent: the router believes in it until BFD or the hold time says otherwise. */
  crashed: (node: string, ips: readonly string[], peers: readonly string[]) => void;
  returned: (node: string) => void;
  stop: () => void;
}>;

/** From a configured peer to an established session: a connection, OPEN and KEEPALIVE, at the first attempt. */
export const sessionMs = 3_000;

/** MetalLB's own hold time (api/v1beta2 BGPPeer, holdTime). */
const holdMs = 90_000;

type PeerSpec = Readonly<{ peerAddress?: string; holdTime?: string; bfdProfile?: string }>;
type ProfileSpec = Readonly<{
  receiveInterval?: number;
  transmitInterval?: number;
  detectMultiplier?: number;
}>;

const peerSpec = (peer: KubeObject): PeerSpec => (peer.spec ?? {}) as PeerSpec;

/** The routes that a router learns from the speakers, over sessions that come and go. */
export function createBgpRoutes(
  options: Readonly<{
    store: ObjectStore;
    clock: Clock;
    router: RouterSpec;
    namespace: string;
    pathsOf: (ip: string) => readonly BgpPath[];
  }>,
): BgpRoutes {
  const { store, clock, router, namespace, pathsOf } = options;
  const own = new Set(router.nics.flatMap((nic) => nic.addresses.map((cidr) => cidr.split("/")[0] ?? cidr)));
  let speaking = router.speaksBgp;
  let speakingSince = Number.NEGATIVE_INFINITY;
  /** When a peer was configured, where that was after the start. */
  const since = new Map<string, number>();
  const ghosts = new Map<string, Readonly<{ ips: ReadonlySet<string>; until: number }>>();

  const peerNamed = (name: string): KubeObject | undefined => store.get("bgppeers", namespace, name);
  const stands = (name: string): boolean => {
    const peer = peerNamed(name);
    if (!speaking || peer === undefined || !own.has(peerSpec(peer).peerAddress ?? "")) return false;
    const from = Math.max(since.get(name) ?? Number.NEGATIVE_INFINITY, speakingSince);
    return clock.now() >= from + sessionMs;
  };

  const detectionMs = (name: string): number => {
    const peer = peerNamed(name);
    if (peer === undefined) return 0;
    const { bfdProfile, holdTime } = peerSpec(peer);
    const profile = bfdProfile === undefined ? undefined : store.get("bfdprofiles", namespace, bfdProfile);
    if (profile !== undefined && bgpType(store.list("daemonsets").items, namespace) !== "native") {
      const spec = (profile.spec ?? {}) as ProfileSpec;
      const interval = Math.max(spec.receiveInterval ?? 300, spec.transmitInterval ?? 300);
      return interval * (spec.detectMultiplier ?? 3);
    }
    const hold = holdTime === undefined ? undefined : goDuration(holdTime);
    return hold === undefined ? holdMs : hold * 1_000;
  };

  const unsubscribe = store.subscribe(({ kind, type, object }) => {
    if (kind !== "bgppeers") return;
    if (type === "DELETED") since.delete(object.metadata.name);
    else if (type === "ADDED") since.set(object.metadata.name, clock.now());
  });

  return {
    nextHops: (ip) => {
      if (!speaking) return [];
      const hops = new Set(
        pathsOf(ip)
          .filter(({ peers }) => peers.some(stands))
          .map(({ node }) => node),
      );
      for (const [node, { ips, until }] of ghosts)
        if (clock.now() >= until) ghosts.delete(node);
        else if (ips.has(ip)) hops.add(node);
      return [...hops].sort();
    },
    established: (node) =>
      ghosts.has(node)
        ? []
        : store
            .list("bgppeers")
            .items.map(({ metadata }) => metadata.name)
            .filter(stands),
    isSpeaking: () => speaking,
    setSpeaking: (on) => {
      if (on && !speaking) speakingSince = clock.now();
      speaking = on;
      if (!on) ghosts.clear();
    },
    crashed: (node, ips, peers) => {
      const standing = peers.filter(stands);
      if (standing.length === 0) return;
      const until = clock.now() + Math.max(...standing.map(detectionMs));
      ghosts.set(node, { ips: new Set(ips), until });
    },
    returned: (node) => void ghosts.delete(node),
    stop: unsubscribe,
  };
}
