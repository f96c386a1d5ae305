import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import type { ApiRequest } from "#infra/lab/kubernetes/request.ts";
import { type KubernetesApi, startKubernetesApi, type Trouble } from "#infra/lab/kubernetes/start.ts";
import { connectCluster } from "#shared/adapters/kubernetes.ts";
import type { ReadLogs } from "#shared/kubernetes/logs.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import { podLogOf } from "#shared/twin/pod-log.ts";
import { onMachine, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinOf } from "#test/shared/twin/twin-fixture.ts";

describe("container logs over the Kubernetes API", () => {
  const { twin } = twinOf(withFaults(healthy(), onMachine("dalt", { droppedUdpPorts: [7946] })));
  const direct = logsOn(twin);
  const { namespace } = twin.spec.metallb;
  const pod =
    twin.store
      .list("pods", namespace)
      .items.find(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "speaker")?.metadata
      .name ?? "";
  const seen: ApiRequest[] = [];
  let trouble: Trouble | undefined;
  let folder: string;
  let api: KubernetesApi;
  let logs: ReadLogs;
  let nobody: ReadLogs;
  const closers: (() => void)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kubernetes-logs-"));
    api = await startKubernetesApi({
      store: twin.store,
      podLog: (request) => podLogOf(twin, request),
      tokens: {
        "token-of-reader": {
          user: "reader",
          groups: [],
          rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods/log"] }],
        },
        "token-of-nobody": { user: "nobody", groups: [], rules: [] },
      },
      faults: {
        respond: (request) => {
          seen.push(request);
          return trouble;
        },
      },
    });
    const connect = async (who: string): Promise<ReadLogs> => {
      const file = join(folder, who);
      await writeKubeconfig({ ...api, token: `token-of-${who}`, cluster: "lab", file });
      const cluster = connectCluster({ kubeconfig: file, requestTimeoutMs: 5_000 });
      closers.push(cluster.close);
      return cluster.logs;
    };
    logs = await connect("reader");
    nobody = await connect("nobody");
  });
  afterAll(async () => {
    for (const close of closers) close();
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    { tailLines: 5 },
    { tailLines: 0 },
    { tailLines: 4_000 },
    { tailLines: 1_000, sinceSeconds: 60 },
  ])("are the lines the container wrote: %j", async (which) => {
    const request = { namespace, pod, container: "speaker", ...which };
    expect(await logs(request)).toEqual(await direct(request));
  });

  it("are asked for with a container, a number of lines and whole seconds", async () => {
    seen.length = 0;
    await logs({ namespace, pod, container: "speaker", tailLines: 7, sinceSeconds: 0.2 });
    expect(seen.map(({ method, path, query }) => [method, path, query.toString()])).toEqual([
      [
        "GET",
        `/api/v1/namespaces/${namespace}/pods/${pod}/log`,
        "tailLines=7&container=speaker&sinceSeconds=1",
      ],
    ]);
  });

  it.each([
    [{ pod: "absent" }, "not-configured", 'pods "absent" not found'],
    [
      { container: "sidecar" },
      "unreadable",
      /^the server answered 400: container sidecar is not valid for pod/,
    ],
  ])("of %j are %s", async (asked, kind, detail) => {
    const request = { namespace, pod, container: "speaker", tailLines: 5, ...asked };
    await expect(logs(request)).rejects.toMatchObject({
      fault: { kind, what: `log of pod ${namespace}/${request.pod}`, detail: expect.stringMatching(detail) },
    });
  });

  it("are denied in the API's words", async () => {
    await expect(nobody({ namespace, pod, tailLines: 5 })).rejects.toMatchObject({
      fault: {
        kind: "denied",
        detail: `pods "${pod}" is forbidden: User "nobody" cannot get resource "pods/log" in API group "" in the namespace "${namespace}"`,
      },
    });
  });

  it.each<[Trouble, string]>([
    [{ status: 500, message: "Internal error occurred" }, "refused"],
    [{ status: 401, message: "Unauthorized" }, "denied"],
    ["reset", "unreachable"],
  ])("after %j are unknown", async (answer, kind) => {
    trouble = answer;
    await expect(logs({ namespace, pod, tailLines: 5 })).rejects.toMatchObject({ fault: { kind } });
    trouble = undefined;
  });
});
