import { FaultError, isFault } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject, Listed } from "../kubernetes/read.ts";
import { predict } from "../metallb/announcer.ts";
import { fromCluster } from "../metallb/from-cluster.ts";
import { type OwnObjects, ownObjects } from "../metallb/own-objects.ts";
import type { Prediction } from "../metallb/prediction.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";
import type { StepContext } from "../steps/step.ts";
import type { GitOpsLists } from "./managers.ts";

/** Everything of MetalLB that a migration touches, in the order in which it may be deleted. */
export const bgpKinds = ["bgpadvertisements", "bgppeers", "bfdprofiles", "communities"] as const;
export const touchedKinds = ["ipaddresspools", "l2advertisements", ...bgpKinds] as const;

const needed = [
  "nodes",
  "namespaces",
  "services",
  "endpointslices",
  "pods",
  "daemonsets",
  ...touchedKinds,
] as const satisfies readonly ResourceKind[];

/** Kinds that other releases or other clusters do not have; unknown to the server is then the same as empty. */
const optional = [
  "applications",
  "kustomizations",
  "helmreleases",
  "servicel2statuses",
  "servicebgpstatuses",
  "configurationstates",
  "events",
] as const satisfies readonly ResourceKind[];

type Needed = (typeof needed)[number];
type Optional = (typeof optional)[number];

export type MetalLbView = Readonly<{
  lists: Readonly<Record<Needed, readonly KubeObject[]>> & Readonly<Record<Optional, Listed>>;
  gitOps: GitOpsLists;
  objects: MetalLbObjects;
  own: OwnObjects;
  /** Where MetalLB lives. */
  namespace: string;
  version: string | undefined;
  prediction: Prediction;
}>;

/** The objects of MetalLB's own namespace: others are no part of its configuration. */
export const ownOf = (view: MetalLbView, kind: (typeof touchedKinds)[number]): readonly KubeObject[] =>
  view.lists[kind].filter(({ metadata }) => metadata.namespace === view.namespace);

/** Reads the cluster. Throws FaultError when a kind without which nothing can be decided could not be read. */
export async function viewMetalLb({
  ports,
  signal,
}: Pick<StepContext, "ports" | "signal">): Promise<MetalLbView> {
  const lists = await ports.read([...needed, ...optional], signal);
  for (const kind of needed) {
    const listed = lists[kind];
    if (isFault(listed)) throw new FaultError(listed);
  }
  const { objects, problems } = fromCluster(lists);
  const [problem] = problems;
  if (problem !== undefined)
    throw new FaultError({
      kind: "unreadable",
      what: "objects of the cluster",
      detail: problems.length === 1 ? problem : `${problem}, and ${problems.length - 1} more`,
    });
  const own = ownObjects(objects);
  const namespace = own.speakers.namespace ?? objects.ipAddressPools[0]?.namespace;
  if (namespace === undefined)
    throw new FaultError({
      kind: "not-configured",
      what: "MetalLB",
      detail: "no speaker and no pool is in the cluster, so its namespace is not known",
    });
  const { applications, kustomizations, helmreleases } = lists;
  return {
    lists: lists as MetalLbView["lists"],
    gitOps: { applications, kustomizations, helmreleases },
    objects,
    own,
    namespace,
    version: own.speakers.version,
    prediction: predict(objects),
  };
}
