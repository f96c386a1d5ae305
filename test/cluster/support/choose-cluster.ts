import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { startKubernetesApi } from "#infra/lab/kubernetes/start.ts";
import { connectCluster } from "#shared/adapters/kubernetes.ts";
import { isFault } from "#shared/fault.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";

declare module "vitest" {
  export interface ProvidedContext {
    kubeconfig: string | undefined;
    /** MetalLB's namespace, where its webhooks may be asked: of a real cluster only when METALLB_NAMESPACE says it. */
    metallb: string | undefined;
  }
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The cluster `KUBECONFIG` points at, or the built-in API; the first line says which. */
export default async function chooseCluster(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  if (process.env.KUBECONFIG) {
    const { describeConnection, close } = connectCluster({ requestTimeoutMs: 10_000 });
    const connection = describeConnection();
    close();
    if (isFault(connection)) throw new Error(connection.detail);
    say(`cluster: ${connection.server} as ${connection.user} (KUBECONFIG), in a namespace of its own`);
    const metallb = process.env.METALLB_NAMESPACE;
    if (metallb !== undefined)
      say(
        `MetalLB's webhooks are asked in ${metallb} (METALLB_NAMESPACE): dry runs, and creates they refuse`,
      );
    project.provide("kubeconfig", undefined);
    project.provide("metallb", metallb);
    return undefined;
  }
  say("cluster: KUBECONFIG is not set, so this is the built-in lab API and says nothing about a real one");
  const folder = await mkdtemp(join(tmpdir(), "arpeggio-cluster-"));
  const store = createObjectStore({
    now: Date.now,
    newUid: () => crypto.randomUUID(),
    admit: admitMetalLb,
  });
  store.create("namespaces", { metadata: { name: "metallb-system" } });
  // As old as a cluster whose first revisions have been compacted away.
  store.compact();
  const api = await startKubernetesApi({
    store,
    tokens: { "lab-admin": { user: "admin", groups: ["system:masters"] } },
  });
  const kubeconfig = join(folder, "config");
  await writeKubeconfig({ ...api, token: "lab-admin", cluster: "lab", file: kubeconfig });
  project.provide("kubeconfig", kubeconfig);
  project.provide("metallb", "metallb-system");
  return async () => {
    await api.close();
    await rm(folder, { recursive: true, force: true });
  };
}
