import type { Check } from "../../checks/check.ts";
import { nodeSource, visitNodes } from "../../checks/gather.ts";
import { ipvsStrictArp } from "../../checks/ipvs-strict-arp.ts";
import { promiscuousWireless } from "../../checks/promiscuous-wireless.ts";
import { rpFilter } from "../../checks/rp-filter.ts";
import { judgeAll } from "../../checks/run.ts";
import type { MetalLbObjects } from "../../metallb/resources.ts";
import { pingHop } from "../../probes/ping-hop.ts";
import { readFrom } from "../node/gather-lost.ts";
import type { DiagnosePorts } from "../runbook.ts";
import { clientVantages } from "./client-views.ts";
import type { Lists, PathEvidence } from "./evidence.ts";
import { within } from "./within.ts";

/** What can make a node that announces lose what it is sent. */
const leaderChecks: readonly Check[] = [rpFilter, promiscuousWireless, ipvsStrictArp];

/** More routers than lie inside any site. */
const anyHops = 64;

type Leader = NonNullable<PathEvidence["leader"]>;

/** Whether the node itself answers a machine of its own segment. */
async function pingNode(
  { clock, config, shell }: DiagnosePorts,
  objects: MetalLbObjects,
  node: string,
  until: number,
): Promise<Leader["ping"]> {
  const address = objects.nodes
    .find(({ name }) => name === node)
    ?.addresses.find(({ type }) => type === "InternalIP")?.address;
  const vantage = clientVantages(config.vantages).find(({ place }) => place !== "behind-router")?.name;
  if (address === undefined || vantage === undefined) return undefined;
  const answer = await within(clock, { until, what: `ping on ${vantage}` }, async (signal) =>
    pingHop.read(await shell({ kind: "vantage", name: vantage }, pingHop.argv(address, anyHops), { signal })),
  );
  return { vantage, answer };
}

/** Visits the node that should announce, once, judges what bears on traffic to it, and pings it from its segment. */
export async function visitLeader(
  ports: DiagnosePorts,
  lists: Lists,
  objects: MetalLbObjects,
  node: string,
  until: number,
): Promise<Leader> {
  const ms = Math.max(500, Math.min(4_000, until - ports.clock.now()));
  const [gathered, ping] = await Promise.all([
    visitNodes({ ...ports, read: readFrom(lists) }, lists, nodeSource(lists.nodes, ports.config), {
      checks: leaderChecks,
      only: [node],
      limits: { nodesAtOnce: 1, perNodeMs: ms, wholeRunMs: ms },
    }),
    pingNode(ports, objects, node, until),
  ]);
  return { node, results: judgeAll(leaderChecks, gathered), ping };
}
