import type { ClusterPorts } from "#bot/commands/command.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { CheckResult } from "#shared/check-result.ts";
import { checks } from "#shared/checks/all.ts";
import type { Check } from "#shared/checks/check.ts";
import type { Gathered } from "#shared/checks/evidence.ts";
import {
  type GatherOptions,
  type GatherPorts,
  nodeSource,
  readLists,
  visitNodes,
} from "#shared/checks/gather.ts";
import { judgeAll } from "#shared/checks/run.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

export type OnTwin = Readonly<{
  twin: Twin;
  ports: GatherPorts;
  gather: (options?: Partial<GatherOptions>) => Promise<Gathered>;
  /** Results of the registered checks, or of those given. */
  run: (only?: readonly Check[]) => Promise<readonly CheckResult[]>;
}>;

/** A site of the model with everything that gathers evidence from it, on a clock of its own. */
export function onTwin(
  spec: SiteSpec,
  around: (ports: ClusterPorts, twin: () => Twin) => ClusterPorts = (ports) => ports,
): OnTwin {
  // A visit is a long chain of awaits: all of it runs before time moves on.
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  const { twin, deps } = runInMemory(spec, clock, (ports) => around(ports, () => twin));
  const cluster = deps.clusters.get("goldentooth") as ClusterPorts;
  let count = 0;
  const ports: GatherPorts = { ...cluster, clock, newNonce: () => `nonce-${String(++count)}` };
  const gather = async (options: Partial<GatherOptions> = {}): Promise<Gathered> => {
    const asked = options.checks ?? checks;
    const reading = (async () => {
      const lists = await readLists(ports, asked);
      return visitNodes(ports, lists, nodeSource(lists.nodes, cluster.config), { checks: asked, ...options });
    })();
    return clock.runUntil(reading);
  };
  return {
    twin,
    ports,
    gather,
    run: async (only = checks) => judgeAll(only, await gather({ checks: only })),
  };
}
