import type { Check } from "../../checks/check.ts";
import { nodeSource, visitNodes } from "../../checks/gather.ts";
import { ipvsStrictArp } from "../../checks/ipvs-strict-arp.ts";
import { promiscuousWireless } from "../../checks/promiscuous-wireless.ts";
import { rpFilter } from "../../checks/rp-filter.ts";
import { judgeAll } from "../../checks/run.ts";
import type { MetalLbObjects } from "../../metallb/resources.ts";
import { pingHop } from "../../probes/ping-hop.ts";
import type { Site } from "../../site/site.ts";
import { readFrom } from "../node/gather-lost.ts";
import type { DiagnosePorts } from "../runbook.ts";
import { clientVantages } from "./client-views.ts";
import { type Lists, type NodePing, type PathEvidence, theRouter } from "./evidence.ts";
import { within } from "./within.ts";

/** What can make a node that announces lose what it is sent. */
const leaderChecks: readonly Check[] = [rpFilter, promiscuousWireless, ipvsStrictArp];

/** More routers than lie inside any site. */
const anyHops = 64;

type Pinged = Readonly<{ node: string; address: string }>;

/** The nodes at their own addresses, and the router. */
export const pinged = (objects: MetalLbObjects, nodes: readonly string[], site: Site): readonly Pinged[] => [
  ...[...new Set(nodes)].flatMap((node) => {
    const address = objects.nodes
      .find(({ name }) => name === node)
      ?.addresses.find(({ type }) => type === "InternalIP")?.address;
    return address === undefined ? [] : [{ node, address }];
  }),
  ...(site.routerIp === undefined ? [] : [{ node: theRouter, address: site.routerIp }]),
];

/** Whether machines themselves answer another one of their own segment. */
export async function pingMachines(
  { clock, config, shell }: DiagnosePorts,
  machines: readonly Pinged[],
  until: number,
): Promise<readonly NodePing[]> {
  const vantage = clientVantages(config.vantages).find(({ place }) => place !== "behind-router")?.name;
  if (vantage === undefined) return [];
  return Promise.all(
    machines.map(async ({ node, address }) => ({
      node,
      vantage,
      answer: await within(clock, { until, what: `ping on ${vantage}` }, async (signal) =>
        pingHop.read(
          await shell({ kind: "vantage", name: vantage }, pingHop.argv(address, anyHops), { signal }),
        ),
      ),
    })),
  );
}

/** Visits the node that should announce, once, and judges what bears on traffic to it. */
export async function visitLeader(
  ports: DiagnosePorts,
  lists: Lists,
  node: string,
  until: number,
): Promise<PathEvidence["leader"]> {
  const ms = Math.max(500, Math.min(4_000, until - ports.clock.now()));
  const gathered = await visitNodes(
    { ...ports, read: readFrom(lists) },
    lists,
    nodeSource(lists.nodes, ports.config),
    {
      checks: leaderChecks,
      only: [node],
      limits: { nodesAtOnce: 1, perNodeMs: ms, wholeRunMs: ms },
    },
  );
  return { node, results: judgeAll(leaderChecks, gathered) };
}
