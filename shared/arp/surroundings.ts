import type { Clock } from "../clock.ts";
import type { Fault } from "../fault.ts";
import { FaultError } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import { resourceKinds } from "../kubernetes/kinds.ts";
import type { ReadCluster } from "../kubernetes/read.ts";
import { predict } from "../metallb/announcer.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { type FromCluster, fromCluster } from "../metallb/from-cluster.ts";
import type { Prediction } from "../metallb/prediction.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";
import { speakerSettings } from "../metallb/speakers.ts";
import { ipAddr } from "../probes/ip-addr.ts";
import type { Shell } from "../probes/shell.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { MacTable, NodeNics } from "./mac-table.ts";
import { macTable } from "./mac-table.ts";

/** The ports an investigation works through. */
export type ArpPorts = Readonly<{
  config: ClusterConfig;
  read: ReadCluster;
  shell: Shell;
  clock: Clock;
  signal?: AbortSignal;
}>;

/** Everything beside the wire: what the API says, what it makes us predict, and whose MAC is whose. */
export type Surroundings = Readonly<{
  objects: MetalLbObjects;
  /** Per kind that could not be read. */
  faults: ReadonlyMap<ResourceKind, Fault>;
  prediction: Prediction | Fault;
  version: string | undefined;
  /** The class of Services that MetalLB serves (`--lb-class`); undefined when it has none or it could not be read. */
  loadBalancerClass: string | undefined;
  notReady: ReadonlySet<string>;
  speakers: readonly string[] | undefined;
  table: MacTable;
}>;

const neededToPredict = [
  "nodes",
  "services",
  "endpointslices",
  "ipaddresspools",
  "l2advertisements",
] as const satisfies readonly ResourceKind[];

/** What has to be listed for {@link surroundingsOf}. */
export const surroundingKinds = [
  ...neededToPredict,
  "bgpadvertisements",
  "servicel2statuses",
  "events",
  "pods",
  "daemonsets",
] as const satisfies readonly ResourceKind[];

/** SSH to five hundred nodes at once would be rude to the host it starts from. */
const nodesAtOnce = 32;

/** Runs `work` over all items, so many at a time, keeping their order. `work` must not reject. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}

/** Reads the interfaces of one node; a fault is a value here, because other nodes were read all the same. */
export async function readNode(ports: ArpPorts, node: string): Promise<NodeNics> {
  try {
    const output = await ports.shell(
      { kind: "node", name: node },
      ipAddr.argv(),
      ports.signal ? { signal: ports.signal } : {},
    );
    return { node, nics: ipAddr.read(output) };
  } catch (error) {
    if (error instanceof FaultError) return { node, fault: error.fault };
    throw error;
  }
}

/** Nodes that the API lists and those of the config, sorted. */
export const nodeNames = (objects: MetalLbObjects, config: ClusterConfig): readonly string[] =>
  [...new Set([...objects.nodes.map(({ name }) => name), ...config.nodes.map(({ name }) => name)])].sort();

/** From lists and interfaces that were read, or the reasons why not. Pure. */
export function surroundingsOf(
  { objects, problems, faults }: FromCluster,
  read: readonly NodeNics[],
  config: ClusterConfig,
): Surroundings {
  const missing = neededToPredict.find((kind) => faults.has(kind));
  const unreadable = problems.find((problem) =>
    neededToPredict.some((kind) => problem.includes(`(${resourceKinds[kind].kind} `)),
  );
  const prediction: Prediction | Fault =
    (missing && faults.get(missing)) ??
    (unreadable === undefined
      ? predict(objects)
      : { kind: "unreadable", what: "objects that decide the announcer", detail: unreadable });
  const speakers = speakerSettings(objects);
  const unlisted = faults.get("nodes");
  // A MAC that no known node has may then be one of a node nobody told us of, not a stranger's.
  const beside: readonly NodeNics[] =
    unlisted === undefined ? [] : [{ node: "a node that could not be listed", fault: unlisted }];
  return {
    objects,
    faults,
    prediction,
    version: speakers.version,
    loadBalancerClass: speakers.loadBalancerClass,
    notReady: new Set(
      objects.nodes
        .filter(({ conditions }) =>
          conditions.some(({ type, status }) => type === "Ready" && status !== "True"),
        )
        .map(({ name }) => name),
    ),
    speakers: speakers.speakerNodes,
    table: macTable([...read, ...beside], config.site),
  };
}

/** Reads the cluster, then the interfaces of all its nodes at once. Throws nothing but bugs: what fails is told. */
export async function readSurroundings(ports: ArpPorts): Promise<Surroundings> {
  const cluster = fromCluster(await ports.read(surroundingKinds, ports.signal));
  const nodes = nodeNames(cluster.objects, ports.config);
  const read = await inParallel(nodes, nodesAtOnce, (node) => readNode(ports, node));
  return surroundingsOf(cluster, read, ports.config);
}

/** Whether a BGPAdvertisement selects the pool; undefined when that could not be read. */
export function announcedByBgp(surroundings: Surroundings, name: string | undefined): boolean | undefined {
  const { objects, faults } = surroundings;
  if (faults.has("bgpadvertisements") || faults.has("ipaddresspools") || name === undefined) return undefined;
  const pool = objects.ipAddressPools.find((each) => each.name === name);
  return pool && objects.bgpAdvertisements.some((advertisement) => selectsPool(advertisement, pool));
}
