import type { Investigation } from "../../arp/investigate.ts";
import type { Surroundings } from "../../arp/surroundings.ts";
import type { CheckResult } from "../../check-result.ts";
import type { ExplainEvidence } from "../../explain/evidence.ts";
import type { Explanation } from "../../explain/explain.ts";
import type { Wishes } from "../../explain/name-facts.ts";
import type { ResourceKind } from "../../kubernetes/kinds.ts";
import type { Listed } from "../../kubernetes/read.ts";
import type { HopPath } from "../../migration/hops.ts";
import type { Answer } from "../../probes/answer.ts";
import type { HttpAnswer, Scheme } from "../../probes/http-get.ts";
import type { Route } from "../../probes/ip-route.ts";
import type { PortState } from "../../probes/node-memberlist.ts";
import type { Hop } from "../../probes/ping-hop.ts";
import type { ClusterConfig, Vantage } from "../../site/site.ts";
import type { ServiceFacts } from "./service-facts.ts";
import type { PathSubject } from "./subject.ts";

/** What one vantage outside the cluster felt as a client. */
export type ClientView = Readonly<{
  vantage: Vantage;
  route: Answer<Route>;
  /** Machines on the way; undefined where none is expected, in the segment itself. */
  hops: Answer<HopPath> | undefined;
  tcp: readonly Readonly<{ port: number; answer: Answer<PortState> }>[];
  http: Readonly<{ port: number; scheme: Scheme; answer: Answer<HttpAnswer> }> | undefined;
  /** The MAC that its kernel has for the address; undefined where it has none, or the address is behind a router. */
  neighbour: Answer<string | undefined> | undefined;
}>;

/** The router among those that are pinged. No node can be called so. */
export const theRouter = "(router)";

export type NodePing = Readonly<{ node: string; vantage: string; answer: Answer<Hop> }>;

export type NameView = Readonly<{ evidence: ExplainEvidence; explanation: Explanation }>;

export type Lists = Readonly<Partial<Record<ResourceKind, Listed>>>;

/** Everything that one look at a path brought back. Each part came on its own, or says why it did not. */
export type PathEvidence = Readonly<{
  config: ClusterConfig;
  /** When the look began, milliseconds since the epoch. */
  now: number;
  subject: PathSubject;
  lists: Lists;
  surroundings: Surroundings;
  wishes: Wishes;
  /** Undefined when the Service has the address but could not be read, or there is none. */
  service: ServiceFacts | undefined;
  /** Undefined when there is no name to ask about. */
  name: Answer<NameView> | undefined;
  /** Undefined when there is no address to look at. */
  wire: Answer<Investigation> | undefined;
  /** Vantages that could not look at the wire before one did. */
  passedOver: readonly Readonly<{ vantage: string; detail: string }>[];
  clients: readonly ClientView[];
  /** The node that should announce; undefined when nobody is elected. */
  leader:
    | Readonly<{
        node: string;
        results: readonly CheckResult[];
      }>
    | undefined;
  /** Echo requests from a vantage in the segment to nodes that the path hangs on, at their own addresses. */
  pings: readonly NodePing[];
}>;
