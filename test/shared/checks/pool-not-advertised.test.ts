import { expect, it } from "vitest";
import { addObject, patchObject, removeObject } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "pool-not-advertised";
const gone = removeObject("l2advertisements", "primary");
const spare = addObject(
  "ipaddresspools",
  { name: "spare", namespace: "metallb", labels: { tier: "spare" } },
  { spec: { addresses: ["10.4.9.0/24"] } },
);

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds the pool that no advertisement selects", async () => {
  const [finding] = await findingsOn(id, { faults: [gone] });
  expect(finding).toMatchObject({
    code: id,
    severity: "error",
    subject: { kind: "pool", name: "primary" },
    facts: { addressesInUse: 13, bgpAdvertisements: [] },
  });
});

it("takes an unused pool less hard", async () => {
  const [finding, ...others] = await findingsOn(id, { faults: [spare] });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ severity: "warning", subject: { name: "spare" } });
});

it("says that BGP alone announces, which is no failure", async () => {
  const [finding] = await findingsOn(id, { spec: goldentooth() });
  expect(finding).toMatchObject({
    code: "pool-only-by-bgp",
    severity: "info",
    facts: { bgpAdvertisements: ["primary"] },
  });
});

it("takes selection by label, and an empty spec for all pools", async () => {
  const byLabel = patchObject("l2advertisements", "primary", {
    spec: { ipAddressPoolSelectors: [{ matchLabels: { tier: "spare" } }] },
  });
  expect(await saidOn(id, { faults: [spare, byLabel] })).toEqual([]);
  const all = addObject("l2advertisements", { name: "all", namespace: "metallb" });
  expect(await saidOn(id, { faults: [spare, gone, all] })).toEqual([]);
});

it("is unknown where advertisements could not be listed", async () => {
  expect(await saidOn(id, { faults: [gone], denied: ["l2advertisements"] })).toEqual(["unknown denied"]);
});
