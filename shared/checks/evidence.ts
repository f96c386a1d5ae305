import type { Fault } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject, Listed } from "../kubernetes/read.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";
import type { Answer } from "../probes/answer.ts";
import type { KernelRoute } from "../probes/node-routes.ts";
import type { Site, Vantage } from "../site/site.ts";
import type { EvidenceOf, NodeProbeId } from "./node-probes.ts";

/** Everything one visit to a node brought back. A probe that nobody asked for has no entry. */
export type NodeAnswers = Readonly<{
  node: string;
  /** Why the node could not be visited at all: then every probe is unknown for the same reason. */
  unreached?: Fault;
  probes: Readonly<{ [P in NodeProbeId]?: Answer<EvidenceOf<P>> }>;
}>;

/** All evidence of one run, before any check has seen it. */
export type Gathered = Readonly<{
  cluster: string;
  site: Site;
  nodes: readonly NodeAnswers[];
  /** Lists by kind, as far as any check reads them. */
  lists: Readonly<Partial<Record<ResourceKind, Listed>>>;
  /** The newest lines of each running speaker, by node; undefined when no check wanted them. */
  speakerLogs?: SpeakerLogs;
  /** Vantages in the segment and their routes; undefined when no check wanted them. */
  vantageRoutes?: VantageRoutes;
}>;

/** How each vantage in the segment would send, or why that could not be read. */
export type VantageRoutes = readonly Readonly<{
  vantage: Vantage;
  routes: Answer<readonly KernelRoute[]>;
}>[];

/** The last minutes of each speaker's log, or why it could not be read. */
export type SpeakerLogs = ReadonlyMap<string, Answer<readonly string[]>>;

/** A node of a check that needs probes `P`, with all of them answered. `unreached` is there for checks without probes. */
export type NodeEvidence<P extends NodeProbeId> = Readonly<{ node: string; unreached?: Fault }> &
  Readonly<{ [K in P]: EvidenceOf<K> }>;

/** What every judge sees beside the nodes. */
export type Around<K extends ResourceKind> = Readonly<{
  cluster: string;
  site: Site;
  /** The parsed objects of the kinds that the check reads; other fields are empty because nobody looked. */
  objects: MetalLbObjects;
  /** The same kinds as the API gave them, for fields that `objects` does not have and kinds that it does not know. */
  raw: Readonly<Record<K, readonly KubeObject[]>>;
  /** Empty for checks that do not ask for logs. */
  speakerLogs: SpeakerLogs;
  /** Empty for checks that do not ask for vantages. */
  vantageRoutes: VantageRoutes;
}>;
