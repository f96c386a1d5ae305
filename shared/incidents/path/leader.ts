import type { Check } from "../../checks/check.ts";
import { nodeSource, visitNodes } from "../../checks/gather.ts";
import { ipvsStrictArp } from "../../checks/ipvs-strict-arp.ts";
import { promiscuousWireless } from "../../checks/promiscuous-wireless.ts";
import { rpFilter } from "../../checks/rp-filter.ts";
import { judgeAll } from "../../checks/run.ts";
import { readFrom } from "../node/gather-lost.ts";
import type { DiagnosePorts } from "../runbook.ts";
import type { Lists, PathEvidence } from "./evidence.ts";

/** What can make a node that announces lose what it is sent. */
const leaderChecks: readonly Check[] = [rpFilter, promiscuousWireless, ipvsStrictArp];

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
