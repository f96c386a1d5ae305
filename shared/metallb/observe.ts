import * as z from "zod";
import type { KubeObject } from "../kubernetes/read.ts";
import type { MetalLbObjects } from "./resources.ts";
import { atLeast } from "./versions.ts";

/** How far a source can be believed, and why not further. Sources never overrule the wire. */
export type Trust = Readonly<{ trust: "as reported" | "may be stale"; because: readonly string[] }>;

export type StatusSays = Trust &
  Readonly<{
    /** The node, when exactly one is named. */
    node: string | undefined;
    /** Every node that a status object of the Service names. */
    nodes: readonly string[];
    interfaces: readonly string[] | "all" | undefined;
    /** Names of the ServiceL2Status objects. */
    objects: readonly string[];
  }>;

const nodeDoubt = (objects: MetalLbObjects, name: string): string | undefined => {
  const node = objects.nodes.find((candidate) => candidate.name === name);
  if (!node) return objects.nodes.length === 0 ? undefined : `there is no node ${name}`;
  const ready = node.conditions.find(({ type }) => type === "Ready")?.status;
  return ready === undefined || ready === "True" ? undefined : `${name} is not Ready`;
};

const trusting = (because: readonly string[]): Trust => ({
  trust: because.length === 0 ? "as reported" : "may be stale",
  because,
});

/**
 * What ServiceL2Status objects say about a Service (`namespace/name`). Before 0.16.0 a new leader could not correct the
 * old leader's object (metallb#2626, #2930), and a dangling one can stay behind in any release.
 */
export function statusSays(
  objects: MetalLbObjects,
  service: string,
  version: string | undefined,
): StatusSays {
  const mine = objects.serviceL2Statuses.filter((status) => status.service === service);
  const nodes = [...new Set(mine.flatMap(({ node }) => (node ? [node] : [])))].sort();
  const [only] = nodes;
  const because: string[] = [];
  if (mine.length > 0) {
    if (version === undefined)
      because.push("MetalLB's version is unknown; before 0.16.0 it goes stale after a failover");
    else if (!atLeast(version, "0.16.0"))
      because.push(`MetalLB ${version}: it goes stale after a failover (fixed in 0.16.0)`);
    if (mine.length > 1)
      because.push(`${mine.length} ServiceL2Status objects for one Service: ${nodes.join(", ")}`);
    if (nodes.length === 0) because.push("its status names no node");
    for (const node of nodes) {
      const doubt = nodeDoubt(objects, node);
      if (doubt) because.push(doubt);
    }
  }
  const interfaces = [...new Set(mine.flatMap((status) => status.interfaces))].sort();
  return {
    node: nodes.length === 1 ? only : undefined,
    nodes,
    interfaces:
      mine.length === 0 ? undefined : mine.some((s) => s.interfaces.length === 0) ? "all" : interfaces,
    objects: mine.map(({ name }) => name),
    ...trusting(because),
  };
}

export type EventSays = Trust &
  Readonly<{
    /** The newest layer 2 assignment. `time` is RFC 3339. */
    assigned: Readonly<{ node: string; time: string | undefined }> | undefined;
    /** Every node that may be the newest: several when the times, which count seconds, do not tell them apart. */
    nodes: readonly string[];
    /** The newest report that a node announces on no NIC because it has none of the named interfaces. */
    failed: Readonly<{ node: string; ip: string; time: string | undefined; message: string }> | undefined;
  }>;

const assignment = /announcing from node "([^"]+)"(?: with protocol "([^"]+)")?/;
const failure = /LB IP "([^"]+)" doesn't exist in assigned node "([^"]+)" with protocol "layer2"/;

/** Every node that announced a Service by layer 2 as far as events are left, which is about an hour. */
export const announcersByEvents = (objects: MetalLbObjects, service: string): readonly string[] => [
  ...new Set(
    objects.events.flatMap(({ object, reason, message }) => {
      const [, node, protocol] =
        (object === service && reason === "nodeAssigned" && assignment.exec(message)) || [];
      return node !== undefined && (protocol ?? "layer2") === "layer2" ? [node] : [];
    }),
  ),
];

const at = (time: string | undefined): number => (time === undefined ? 0 : Date.parse(time));

/** Whether two times cannot be put in order: event times without a fraction stand for the whole second. */
const sameMoment = (a: string | undefined, b: string | undefined): boolean =>
  at(a) === at(b) ||
  (Math.floor(at(a) / 1000) === Math.floor(at(b) / 1000) && !(a?.includes(".") && b?.includes(".")));

const newest = <T extends Readonly<{ time: string | undefined }>>(items: readonly T[]): T | undefined =>
  items.reduce<T | undefined>(
    (best, item) => (best && at(best.time) >= at(item.time) ? best : item),
    undefined,
  );

/**
 * What the Service's events say. The current leader repeats nodeAssigned at every resync and old leaders' events linger
 * for about an hour, so only the newest counts; assignments by BGP are passed over. Before 0.13 no protocol was named.
 */
export function eventSays(objects: MetalLbObjects, service: string): EventSays {
  const mine = objects.events.filter(
    ({ object, kind, component }) =>
      object === service &&
      (kind === undefined || kind === "Service") &&
      (component === undefined || component === "metallb-speaker"),
  );
  const assignments = mine.flatMap(({ reason, message, time }) => {
    const [, node, protocol] = (reason === "nodeAssigned" && assignment.exec(message)) || [];
    return node !== undefined && (protocol ?? "layer2") === "layer2" ? [{ node, time }] : [];
  });
  const failures = mine.flatMap(({ reason, message, time }) => {
    const [, ip, node] = (reason === "announceFailed" && failure.exec(message)) || [];
    return ip !== undefined && node !== undefined ? [{ ip, node, time, message }] : [];
  });
  const assigned = newest(assignments);
  const failed = newest(failures);
  const because: string[] = [];
  const nodes = [
    ...new Set(
      assigned
        ? assignments.filter(({ time }) => sameMoment(time, assigned.time)).map(({ node }) => node)
        : [],
    ),
  ].sort();
  if (assigned) {
    if (assigned.time === undefined) because.push("the event carries no time");
    if (nodes.length > 1) because.push("in the same second: which came last is not known");
    for (const node of nodes) {
      const doubt = nodeDoubt(objects, node);
      if (doubt) because.push(doubt);
    }
  }
  return { assigned, nodes, failed, ...trusting(because) };
}

/** One ServiceBGPStatus: a node announces a Service to these peers. It is intention, no proof of a session. */
export type BgpStatus = Readonly<{ service: string; node: string; peers: readonly string[] }>;

const bgpStatus = z.object({
  status: z.object({
    node: z.string().min(1),
    serviceName: z.string().min(1),
    serviceNamespace: z.string().min(1),
    peers: z.array(z.string()).nullish(),
  }),
});

/** What ServiceBGPStatus objects (0.15.0 and newer) say. One whose status is not filled in says nothing. */
export const bgpStatuses = (objects: readonly KubeObject[]): readonly BgpStatus[] =>
  objects.flatMap((object) => {
    const read = bgpStatus.safeParse(object);
    if (!read.success) return [];
    const { node, serviceName, serviceNamespace, peers } = read.data.status;
    return [{ service: `${serviceNamespace}/${serviceName}`, node, peers: peers ?? [] }];
  });
