import { createSshShell } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { type Check, defineCheck, passed } from "#shared/checks/check.ts";
import { type GatherPorts, nodeSource, visitNodes } from "#shared/checks/gather.ts";
import type { Fault } from "#shared/fault.ts";
import type { ClusterConfig } from "#shared/site/site.ts";
import type { BenchNode } from "./nodes-sshd.ts";

/** The one question that the peers are asked as well: every interface with its addresses. */
export const sameQuestion: Check = defineCheck({
  id: "bench",
  about: "node",
  title: "ip -j was run",
  codes: ["bench"],
  page: { why: "", looks: "", fix: "" },
  needs: ["ip-addr"],
  reads: [],
  judge: () => passed,
});

const noApi: Fault = { kind: "not-configured", what: "Kubernetes API", detail: "a benchmark has none" };

/** The product's own visit of nodes over its own SSH, on connections that are kept until `close`. */
export function createGatherer(nodes: readonly BenchNode[]) {
  const access = new Map(nodes.map((node) => [node.name, node.access]));
  // As the bot composes it.
  const ssh = createSshShell({
    access: ({ name }) => access.get(name),
    connectTimeoutMs: 5_000,
    idleMs: 5 * 60_000,
    maxConcurrent: 50,
    clock: systemClock,
  });
  const config: ClusterConfig = {
    name: "bench",
    site: { lanPrefix: "127.0.0.0/8", staticRoutes: [], dhcpRanges: [], resolvers: [], lanNic: [] },
    vantages: [],
    nodes: [...nodes],
  };
  const ports: GatherPorts = {
    config,
    read: () => Promise.reject(new Error("not asked")),
    shell: ssh.shell,
    clock: systemClock,
    newNonce: () => crypto.randomUUID(),
  };
  const source = nodeSource(noApi, config);
  return {
    /** Visits every node once. Throws when one of them gave no answer: nothing is measured then. */
    gather: async (checks: readonly Check[]): Promise<void> => {
      const { nodes: answered } = await visitNodes(ports, { nodes: noApi }, source, { checks });
      const failed = answered.find(({ unreached, probes }) => unreached ?? !probes["ip-addr"]?.ok);
      if (failed !== undefined)
        throw new Error(`${failed.node}: ${JSON.stringify(failed.unreached ?? failed.probes["ip-addr"])}`);
      if (answered.length !== nodes.length) throw new Error(`only ${answered.length} nodes were visited`);
    },
    close: ssh.close,
  };
}
