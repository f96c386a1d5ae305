import { runInMemory } from "#infra/lab/in-memory.ts";
import { checks } from "#shared/checks/all.ts";
import { type GatherPorts, nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { judgeAll } from "#shared/checks/run.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { healthyPlan } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const count = Number(process.argv[2]);

const hex = (value: number): string => value.toString(16).padStart(2, "0");

/** The healthy site with its thirteen nodes and as many more as are asked for. */
const nodes = Array.from({ length: count }, (_, i) => {
  const known = healthyPlan.nodes[i];
  if (known !== undefined) return known;
  const mac = (last: string): string => `dc:a6:32:${hex(i >> 8)}:${hex(i & 255)}:${last}`;
  return {
    name: `worker-${String(i + 1).padStart(3, "0")}`,
    ip: `10.4.${4 + (i >> 8)}.${i & 255}`,
    mac: mac("0b"),
    idleWlanMac: mac("0c"),
  };
});

/** One `/nodes check` of a site that is only a model, in a process of its own; prints what it took as JSON. */
const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
const spec = buildSite({
  ...healthyPlan,
  nodes,
  pool: { name: "primary", addresses: ["10.4.11.1-10.4.15.254"] },
});
const { twin, deps } = runInMemory(spec, clock);
const [cluster] = [...deps.clusters.values()];
if (cluster === undefined) throw new Error("the site has no cluster");
await clock.advance(60_000);
let nonces = 0;
const ports: GatherPorts = { ...cluster, clock, newNonce: () => `nonce-${String(++nonces)}` };
const begun = performance.now();
const visiting = async () => {
  const lists = await readLists(ports, checks);
  return visitNodes(ports, lists, nodeSource(lists.nodes, cluster.config), { checks });
};
const gathered = await clock.runUntil(visiting());
const visited = performance.now();
const results = judgeAll(checks, gathered);
const judged = performance.now();
const outcomes = (outcome: string): number => results.filter((result) => result.outcome === outcome).length;
twin.stop();
process.stdout.write(
  `${JSON.stringify({
    nodes: gathered.nodes.length,
    checks: checks.length,
    results: results.length,
    failed: outcomes("failed"),
    unknown: outcomes("unknown"),
    visitMs: visited - begun,
    judgeMs: judged - visited,
    peakMiB: process.resourceUsage().maxRSS / 1_024,
  })}\n`,
);
