import { describe, expect, it } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { patchObject, removeObject, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";
import { withImage, withoutSpeakers } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "webhook";
const name = "metallb-webhook-configuration";
const slice = "metallb-webhook-service-4k9fz";

/** Changes every webhook of MetalLB. */
const everyWebhook =
  (change: (webhook: Record<string, unknown>) => Record<string, unknown>): SiteFault =>
  (spec) => {
    const found = spec.objects.find(({ kind }) => kind === "validatingwebhookconfigurations");
    const webhooks = (found?.object as KubeObject & { webhooks: Record<string, unknown>[] }).webhooks;
    return withFaults(
      spec,
      patchObject("validatingwebhookconfigurations", name, { webhooks: webhooks.map(change) }),
    );
  };

const notReady = patchObject("endpointslices", slice, {
  endpoints: [{ addresses: ["172.16.12.9"], conditions: { ready: false } }],
});
const ignored = everyWebhook((each) => ({ ...each, failurePolicy: "Ignore" }));

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

describe("a webhook that does not answer", () => {
  it.each([
    ["no endpoint is ready", notReady],
    ["there is no endpoint", patchObject("endpointslices", slice, { endpoints: [] })],
    ["there is no slice", removeObject("endpointslices", slice)],
    ["there is no Service", removeObject("services", "metallb-webhook-service")],
  ])("refuses every write: %s", async (_, fault) => {
    expect(await findingsOn(id, { faults: [fault] })).toMatchObject([
      {
        code: "webhook-unreachable",
        severity: "error",
        facts: { service: "metallb/metallb-webhook-service", failurePolicy: "Fail" },
      },
    ]);
  });

  it("lets every write through where failures are ignored", async () => {
    const found = await findingsOn(id, { faults: [notReady, ignored] });
    expect(found.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
      "webhook-unreachable warning",
      "webhook-ignored warning",
    ]);
  });

  it("counts an endpoint without conditions as ready, as Kubernetes does", async () => {
    const bare = patchObject("endpointslices", slice, { endpoints: [{ addresses: ["172.16.12.9"] }] });
    expect(await saidOn(id, { faults: [bare] })).toEqual([]);
  });
});

it("finds a configuration that trusts nobody", async () => {
  const fault = everyWebhook((each) => ({
    ...each,
    clientConfig: { ...(each.clientConfig as object), caBundle: "" },
  }));
  expect(await findingsOn(id, { faults: [fault] })).toMatchObject([
    { code: "webhook-without-ca", severity: "error" },
  ]);
});

it("finds that failures are ignored", async () => {
  expect(await findingsOn(id, { faults: [ignored] })).toMatchObject([
    { code: "webhook-ignored", severity: "warning" },
  ]);
});

it("finds that there is none, and passes over those of other controllers", async () => {
  const gone = removeObject("validatingwebhookconfigurations", name);
  expect(await findingsOn(id, { faults: [gone] })).toMatchObject([
    { code: "webhook-missing", facts: { version: "0.16.1" } },
  ]);
  const others = everyWebhook((each) => ({ ...each, rules: [{ apiGroups: ["cert-manager.io"] }] }));
  expect(await saidOn(id, { faults: [others] })).toEqual([expect.stringContaining("webhook-missing")]);
});

it("has no question before 0.13, nor without speakers", async () => {
  const old = buildSite({ ...healthyPlan, metallb: { ...healthyPlan.metallb, version: "0.12.1" } });
  expect(await saidOn(id, { spec: old })).toEqual([expect.stringContaining("skipped: MetalLB 0.12.1")]);
  expect(await saidOn(id, { faults: [withoutSpeakers] })).toEqual([
    "skipped: no MetalLB speaker in the cluster",
  ]);
});

it("is unknown where it may not look, or the release is not known", async () => {
  expect(await saidOn(id, { denied: ["validatingwebhookconfigurations"] })).toEqual(["unknown denied"]);
  expect(await saidOn(id, { denied: ["endpointslices"] })).toEqual(["unknown denied"]);
  const gone = removeObject("validatingwebhookconfigurations", name);
  expect(await saidOn(id, { faults: [gone, withImage("latest")] })).toEqual(["unknown not-modelled"]);
  const strange = patchObject("validatingwebhookconfigurations", name, { webhooks: "none" });
  expect(await saidOn(id, { faults: [strange] })).toEqual(["unknown unreadable"]);
  expect(healthy().objects.some(({ kind }) => kind === "validatingwebhookconfigurations")).toBe(true);
});
