import type { ReadLogs } from "../kubernetes/logs.ts";
import type { ReadCluster } from "../kubernetes/read.ts";
import type { WriteCluster } from "../kubernetes/write.ts";
import type { OutputLine, Shell } from "../probes/shell.ts";
import type { ClusterAccess, ClusterConnections } from "./cluster-ports.ts";
import type { ClusterHandlers, ClusterWorkerData } from "./cluster-worker.ts";
import { configuredTrees } from "./configured-trees.ts";
import { startWorker, type WorkerOptions, workerFile } from "./worker-calls.ts";

/**
 * The ports of all clusters in one thread: a probe of every node is tens of milliseconds of cryptography and parsing.
 * Same promises and faults as `connectClusterPorts`; times of lines are those of their arrival in that thread.
 */
export async function connectClustersInWorker(
  options: Readonly<{ clusters: readonly ClusterAccess[]; log: WorkerOptions["log"] }>,
): Promise<ReadonlyMap<string, ClusterConnections>> {
  const { clusters, log } = options;
  const worker = await startWorker<ClusterHandlers>({
    file: workerFile("cluster-worker", import.meta.url),
    data: { clusters } satisfies ClusterWorkerData,
    what: "connections to clusters",
    log,
  });
  const portsOf = ({ name, migration }: ClusterAccess): ClusterConnections => ({
    read: ((kinds, signal) =>
      worker.call("read", [name, kinds], signal === undefined ? {} : { signal })) as ReadCluster,
    write: ((write, { dryRun = false, signal } = {}) =>
      worker.call(
        "write",
        [name, write, dryRun],
        signal === undefined ? {} : { signal },
      )) satisfies WriteCluster,
    logs: ((request, signal) =>
      worker.call("logs", [name, request], signal === undefined ? {} : { signal })) satisfies ReadLogs,
    // Commits are rare and git is a process of its own.
    trees: configuredTrees(migration?.repositories ?? []),
    shell: ((target, command, { signal, onLine } = {}) =>
      worker.call("shell", [name, target, command, onLine !== undefined], {
        ...(signal === undefined ? {} : { signal }),
        ...(onLine === undefined ? {} : { onEvent: (line) => onLine(line as OutputLine) }),
      })) satisfies Shell,
    close: worker.close,
  });
  return new Map(clusters.map((cluster) => [cluster.name, portsOf(cluster)]));
}
