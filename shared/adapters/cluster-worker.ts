import { workerData } from "node:worker_threads";
import { FaultError } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { LogRequest } from "../kubernetes/logs.ts";
import type { KubeWrite } from "../kubernetes/write.ts";
import type { ShellCommand, Target } from "../probes/shell.ts";
import { type ClusterAccess, connectClusterPorts } from "./cluster-ports.ts";
import { systemClock } from "./system-clock.ts";
import { type CallContext, serveCalls } from "./worker-calls.ts";

/** Entry of the thread that talks to clusters, nodes and vantages. */

export type ClusterWorkerData = Readonly<{ clusters: readonly ClusterAccess[] }>;

const open = async () => {
  const { clusters } = workerData as ClusterWorkerData;
  const connected = new Map(
    clusters.map((config) => [config.name, connectClusterPorts(config, systemClock)]),
  );
  const of = (name: string) => {
    const ports = connected.get(name);
    if (ports !== undefined) return ports;
    throw new FaultError({ kind: "not-configured", what: `cluster ${name}`, detail: "the config has none" });
  };
  const handlers = {
    read: async ({ signal }: CallContext, cluster: string, kinds: readonly ResourceKind[]) =>
      of(cluster).read(kinds, signal),
    write: async ({ signal }: CallContext, cluster: string, write: KubeWrite, dryRun: boolean) =>
      of(cluster).write(write, { dryRun, signal }),
    logs: async ({ signal }: CallContext, cluster: string, request: LogRequest) =>
      of(cluster).logs(request, signal),
    shell: async (
      { signal, emit }: CallContext,
      cluster: string,
      target: Target,
      command: ShellCommand,
      wantsLines: boolean,
    ) => of(cluster).shell(target, command, wantsLines ? { signal, onLine: emit } : { signal }),
  };
  return {
    handlers,
    close: async () => {
      for (const { close } of connected.values()) await close();
    },
  };
};

export type ClusterHandlers = Awaited<ReturnType<typeof open>>["handlers"];

await serveCalls(open);
