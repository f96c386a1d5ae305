import { expect, it } from "vitest";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { healthyPlan } from "#shared/twin/sites/healthy.ts";
import { withImage, withoutSpeakers } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "control-plane-away";

it.each(["v0.11.0", "v0.13.12", "v0.16.1"])("passes with %s", async (tag) => {
  expect(await saidOn(id, { faults: [withImage(tag)] })).toEqual([]);
});

it.each(["v0.9.8", "v0.10.3"])("finds that %s withdraws with the endpoints", async (tag) => {
  expect(await findingsOn(id, { faults: [withImage(tag)] })).toMatchObject([
    {
      code: "withdrawn-with-control-plane",
      severity: "warning",
      facts: { version: tag.slice(1), services: expect.arrayContaining(["httpbin/httpbin"]) },
    },
  ]);
});

it("has no question without speakers or without addresses", async () => {
  expect(await saidOn(id, { faults: [withoutSpeakers] })).toEqual([
    "skipped: no MetalLB speaker in the cluster",
  ]);
  const empty = buildSite({ ...healthyPlan, services: [] });
  expect(await saidOn(id, { spec: empty, faults: [withImage("v0.10.3")] })).toEqual([
    "skipped: no Service has an address",
  ]);
});

it("is unknown where the release is not known or could not be read", async () => {
  expect(await saidOn(id, { faults: [withImage("latest")] })).toEqual(["unknown not-modelled"]);
  expect(await saidOn(id, { faults: [withImage("v0.8.3")] })).toEqual(["unknown not-modelled"]);
  expect(await saidOn(id, { denied: ["daemonsets"] })).toEqual(["unknown denied"]);
});
