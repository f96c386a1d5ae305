import type { Json } from "../json.ts";
import { parseIp } from "../metallb/ip.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";
import { type Hop, pingHop } from "../probes/ping-hop.ts";
import type { Shell } from "../probes/shell.ts";

/** The machines that a packet to one address passes, as far as they say so. */
export type HopPath = Readonly<{
  ip: string;
  /** Nodes among the hops, in order. */
  nodes: readonly string[];
  hops: readonly string[];
  /** The first hop number at which nothing came back, where that happened before a node was seen. */
  silentAt: number | undefined;
}>;

/** A home router is one hop away; more than this is another site. */
const furthest = 6;

/** Asks hop by hop until a node has shown itself twice, the address answers, or two hops in a row say nothing. Throws FaultError. */
export async function pathTo(
  shell: Shell,
  vantage: string,
  ip: string,
  objects: MetalLbObjects,
  signal?: AbortSignal,
): Promise<HopPath> {
  const nodeOf = (address: string): string | undefined => {
    const wanted = parseIp(address)?.text;
    return objects.nodes.find(({ addresses }) =>
      addresses.some((each) => parseIp(each.address)?.text === wanted),
    )?.name;
  };
  const hops: string[] = [];
  const nodes: string[] = [];
  let silentAt: number | undefined;
  for (let ttl = 1; ttl <= furthest; ttl++) {
    const output = await shell(
      { kind: "vantage", name: vantage },
      pingHop.argv(ip, ttl),
      signal === undefined ? {} : { signal },
    );
    const hop: Hop = pingHop.read(output);
    if (hop.kind === "answer" || hop.kind === "no-route") break;
    if (hop.kind === "silence") {
      if (silentAt !== undefined || nodes.length > 0) break;
      silentAt = ttl;
      hops.push("*");
      continue;
    }
    const node = nodeOf(hop.from);
    // A node that forwards to itself says the same again.
    if (node !== undefined && nodes.at(-1) === node) break;
    hops.push(node === undefined ? hop.from : `${node} ${hop.from}`);
    if (node !== undefined) nodes.push(node);
    if (hop.kind === "unreachable" || nodes.length > 1) break;
  }
  return { ip, nodes, hops, silentAt: nodes.length === 0 ? silentAt : undefined };
}

export type RouterJudgement =
  | Readonly<{ kind: "on-link"; announcers: readonly string[] }>
  | Readonly<{ kind: "via-node"; node: string; addresses: readonly string[] }>
  /** What was seen fits both, and why. */
  | Readonly<{ kind: "open"; because: string }>;

/**
 * Whether the router asks for the addresses itself. The announcing node is the first node on the way in either case,
 * because it forwards what it has no address for; so a first node that is not the announcer means a route by way of that
 * node, and first nodes that follow the announcer over two different announcers mean that the router asks by ARP.
 */
export function judgeRouter(
  paths: readonly HopPath[],
  announcerOf: ReadonlyMap<string, string>,
): RouterJudgement {
  const via = paths.filter(({ ip, nodes }) => nodes[0] !== undefined && nodes[0] !== announcerOf.get(ip));
  const known = via.filter(({ ip }) => announcerOf.has(ip));
  const [first] = known;
  if (first !== undefined)
    return { kind: "via-node", node: first.nodes[0] as string, addresses: known.map(({ ip }) => ip) };
  const seen = paths.filter(({ ip, nodes }) => nodes[0] !== undefined && announcerOf.has(ip));
  const announcers = [...new Set(seen.map(({ nodes }) => nodes[0] as string))];
  if (announcers.length > 1) return { kind: "on-link", announcers };
  const [only] = announcers;
  return {
    kind: "open",
    because:
      only === undefined
        ? "no machine on the way to any address said that it is a node"
        : `${only} announces every address that could be followed, and would be the only node on the way too if it were the gateway`,
  };
}

export const pathsJson = (paths: readonly HopPath[]): Json =>
  paths.map(({ ip, hops, nodes }) => ({ ip, hops: [...hops], nodes: [...nodes] }));
