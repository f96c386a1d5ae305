import type { Fault } from "../fault.ts";
import { eventSays, statusSays } from "../metallb/observe.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";

/** What one source beside the wire says about who announces an address. */
export type Claim =
  | Readonly<{
      kind: "node";
      node: string;
      /** Milliseconds since the epoch; when the event was last seen. */
      at?: number;
      /** Why not to lean on it, known from the source itself. */
      doubts: readonly string[];
    }>
  | Readonly<{
      kind: "nodes";
      nodes: readonly string[];
      doubts: readonly string[];
      /** One of them, and which is not known; without it the source names all of them. */
      oneOf?: true;
    }>
  | Readonly<{ kind: "none"; because: string }>
  | Readonly<{ kind: "unknown"; fault: Fault }>;

/** What ServiceL2Status says about a Service (`namespace/name`). */
export function statusClaim(objects: MetalLbObjects, service: string, version: string | undefined): Claim {
  const says = statusSays(objects, service, version);
  const doubts = says.because.map((each) =>
    each.replace(/^MetalLB (\d+\.\d+)\S*: it goes stale.*$/, "$1: may be stale after failover"),
  );
  if (says.node !== undefined && says.objects.length === 1) return { kind: "node", node: says.node, doubts };
  return says.nodes.length > 0
    ? { kind: "nodes", nodes: says.nodes, doubts }
    : { kind: "none", because: "no ServiceL2Status" };
}

/**
 * What the newest event says. nodeAssigned is emitted even when the elected node has none of the interfaces that its
 * advertisements name; then announceFailed is the other half of the story.
 */
export function eventClaim(objects: MetalLbObjects, service: string): Claim {
  const { assigned, nodes, failed, because } = eventSays(objects, service);
  if (assigned === undefined) return { kind: "none", because: "no layer 2 nodeAssigned event is left" };
  const at = assigned.time === undefined ? undefined : Date.parse(assigned.time);
  const doubts = [
    ...because,
    ...(failed !== undefined && nodes.includes(failed.node)
      ? ["announceFailed too: none of the interfaces that the advertisements name exists there"]
      : []),
  ];
  // A tie is a claim about one of them, not about all.
  if (nodes.length > 1) return { kind: "nodes", nodes, doubts, oneOf: true };
  return { kind: "node", node: assigned.node, ...(at === undefined ? {} : { at }), doubts };
}

/** The nodes a claim names. */
export const claimedNodes = (claim: Claim): readonly string[] =>
  claim.kind === "node" ? [claim.node] : claim.kind === "nodes" ? claim.nodes : [];
