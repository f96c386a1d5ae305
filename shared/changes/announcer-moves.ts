import { text } from "../text.ts";
import { type Change, isIn } from "./change.ts";
import type { Collector } from "./collector.ts";
import type { EventTrace } from "./read-events.ts";
import type { Traced } from "./read-traces.ts";

const assignment = /announcing from node "([^"]+)"(?: with protocol "([^"]+)")?/;

/** A speaker writes event and status object one after the other. */
const sameMomentMs = 5_000;

type Seen = Readonly<{ at: number; node: string; exact: boolean }>;

/** An event tells when a node was first and last seen announcing; resyncs in between are only counted. */
const seenBy = ({ first, last }: EventTrace, node: string): readonly Seen[] => [
  { at: first, node, exact: true },
  ...(last > first ? [{ at: last, node, exact: false }] : []),
];

function serviceMoves(
  service: string,
  events: readonly EventTrace[],
  known: ReadonlyMap<string, number>,
): readonly Change[] {
  const seen = events
    .flatMap((event) => {
      const [, node, protocol = "layer2"] = assignment.exec(event.message) ?? [];
      return node !== undefined && protocol === "layer2" ? [{ event, node }] : [];
    })
    .flatMap(({ event, node }) => seenBy(event, node))
    .sort((a, b) => a.at - b.at);
  const subject = { kind: "Service", name: service };
  const by = "metallb-speaker";
  return seen.flatMap(({ at, node, exact }, i): readonly Change[] => {
    const before = seen[i - 1]?.node;
    if (before === node) return [];
    if (before !== undefined)
      return [
        {
          at,
          ...(exact ? {} : { atLatest: true as const }),
          subject,
          what: text`announcer moved from ${before} to ${node}`,
          by,
          source: "event",
        },
      ];
    // Its own status object is older than the event: what looks like a beginning is a resync. Made with it, it tells more.
    const since = known.get(`${service} ${node}`);
    if (since !== undefined && since <= at + sameMomentMs) return [];
    // A later move names it.
    if (seen.some((later) => later.node !== node)) return [];
    return [
      {
        at,
        subject,
        what: text`${node} announces it; who did before is not in the events`,
        by,
        source: "event",
      },
    ];
  });
}

const serviceOfStatus = ({ object }: Traced): Readonly<{ service: string; node: string }> => {
  const status = object.status as
    | Readonly<{ node?: string; serviceName?: string; serviceNamespace?: string }>
    | undefined;
  const labels = object.metadata.labels ?? {};
  const name = labels["metallb.io/service-name"] ?? status?.serviceName ?? "";
  const namespace = labels["metallb.io/service-namespace"] ?? status?.serviceNamespace ?? "";
  return {
    service: `${namespace}/${name}`,
    node: status?.node || (labels["metallb.io/node"] ?? "an unnamed node"),
  };
};

/**
 * Who announced a Service before and after, from its nodeAssigned events. MetalLB writes one at every resync of the
 * speaker that announces already, so only another node than before is a move.
 */
export const announcerMoves: Collector = {
  source: "event",
  collect: ({ traced, events }, window) => {
    const known = new Map<string, number>();
    for (const each of traced) {
      if (each.kind !== "servicel2statuses" || each.created === undefined) continue;
      const { service, node } = serviceOfStatus(each);
      known.set(`${service} ${node}`, each.created);
    }
    const byService = new Map<string, EventTrace[]>();
    for (const event of events) {
      if (event.reason !== "nodeAssigned" || event.subject.kind !== "Service") continue;
      byService.set(event.subject.name, [...(byService.get(event.subject.name) ?? []), event]);
    }
    return [...byService]
      .flatMap(([service, own]) => serviceMoves(service, own, known))
      .filter(({ at }) => isIn(window, at));
  },
};

/** Status objects that a speaker made because it began to announce. Before MetalLB 0.16.0 a new leader could not. */
export const announcementStatuses: Collector = {
  source: "ServiceL2Status",
  collect: ({ traced }, window) =>
    traced.flatMap((each) => {
      if (each.kind !== "servicel2statuses" || !isIn(window, each.created)) return [];
      const { service, node } = serviceOfStatus(each);
      return [
        {
          at: each.created,
          subject: { kind: "Service", name: service },
          what: text`${node} began to announce it`,
          by: "metallb-speaker",
          source: "ServiceL2Status" as const,
        },
      ];
    }),
};
