import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type ClusterConnection, connectCluster } from "#shared/adapters/kubernetes.ts";
import type { KubeWritten } from "#shared/kubernetes/write.ts";
import { openRawApi, type RawApi } from "./support/raw-api.ts";

const isBuiltIn = inject("kubeconfig") !== undefined;
const registration = "/apis/admissionregistration.k8s.io/v1";

// The built-in API has MetalLB's webhooks and no others.
describe.skipIf(isBuiltIn)("admission on this cluster", () => {
  const name = `arpeggio-test-${crypto.randomUUID().slice(0, 8)}`;
  const label = "arpeggio.test/admission";
  const only = { namespaceSelector: { matchLabels: { [label]: name } } };
  let api: RawApi;
  let cluster: ClusterConnection;
  const made: string[] = [];

  beforeAll(async () => {
    api = await openRawApi(undefined);
    cluster = connectCluster({ requestTimeoutMs: 15_000 });
    await api.call("POST", "/api/v1/namespaces", { metadata: { name, labels: { [label]: name } } });
  });
  afterAll(async () => {
    for (const path of made) await api.call("DELETE", path);
    await api.call("DELETE", `/api/v1/namespaces/${name}`);
    cluster.close();
    await api.close();
  });

  /** Makes it, or says why this user may not. It is for the namespace of this test alone. */
  async function register(kind: string, body: object): Promise<string | undefined> {
    const path = `${registration}/${kind}`;
    const answer = await api.call("POST", path, { ...body, metadata: { name } });
    if (answer.status === 403 || answer.status === 404) return String(answer.body.message);
    expect(answer.status).toBe(201);
    made.unshift(`${path}/${name}`);
    return undefined;
  }
  const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] };

  const object = { metadata: { name: "x", namespace: name } };

  /** Takes away what was registered, and waits until the server has heard of it. */
  async function unregister(): Promise<void> {
    for (const path of made.splice(0)) await api.call("DELETE", path);
    for (let i = 0; i < 100; i++) {
      if ((await cluster.write({ verb: "create", kind: "configmaps", object }, { dryRun: true })).ok) return;
      await new Promise((go) => setTimeout(go, 100));
    }
  }

  /** What becomes of a write once the server has heard of what was registered, dry and not. */
  async function refused(): Promise<readonly KubeWritten[]> {
    const write = (dryRun: boolean) =>
      cluster.write({ verb: "create", kind: "configmaps", object }, { dryRun });
    for (let i = 0; i < 100 && (await write(true)).ok; i++) await new Promise((go) => setTimeout(go, 100));
    return [await write(true), await write(false)];
  }

  it("a policy's no is that of a webhook, in its own words", async ({ skip }) => {
    const why =
      (await register("validatingadmissionpolicies", {
        spec: {
          matchConstraints: { resourceRules: [rule] },
          validations: [{ expression: "false", message: "not here" }],
        },
      })) ??
      (await register("validatingadmissionpolicybindings", {
        spec: { policyName: name, validationActions: ["Deny"], matchResources: only },
      }));
    if (why !== undefined) skip(why);
    for (const written of await refused())
      expect(written).toEqual({
        ok: false,
        because: "webhook",
        message: `configmaps "x" is forbidden: ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: not here`,
      });
    await unregister();
  });

  it("a webhook that does not answer refuses what it should have been asked about", async ({ skip }) => {
    const why = await register("validatingwebhookconfigurations", {
      webhooks: [
        {
          name: "down.arpeggio.test",
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
          failurePolicy: "Fail",
          timeoutSeconds: 2,
          clientConfig: { url: "https://127.0.0.1:1/nobody" },
          rules: [rule],
          ...only,
        },
      ],
    });
    if (why !== undefined) skip(why);
    for (const written of await refused())
      expect(written).toMatchObject({
        ok: false,
        because: "webhook",
        message: expect.stringContaining('failed calling webhook "down.arpeggio.test"'),
      });
  });
});
