import { expect, it } from "vitest";
import { addObject, patchObject } from "#shared/twin/sites/faults.ts";
import { withImage } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "restriction-cancelled";
const advertisement = (name: string, spec?: Readonly<Record<string, unknown>>) =>
  addObject("l2advertisements", { name, namespace: "metallb" }, spec === undefined ? {} : { spec });
const on = (hostname: string) => [{ matchLabels: { "kubernetes.io/hostname": hostname } }];
const services = (name: string) => [{ matchLabels: { "app.kubernetes.io/name": name } }];

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds the advertisement without a spec beside the restricted one", async () => {
  const [finding, ...others] = await findingsOn(id, { faults: [advertisement("old")] });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: id,
    severity: "warning",
    subject: { kind: "config", name: "metallb/primary" },
    facts: { interfaces: ["eth0"], cancelledBy: "metallb/old", pools: ["primary"] },
  });
});

it.each([
  ["of another pool", { ipAddressPools: ["other"] }, []],
  ["that names the same pool", { ipAddressPools: ["primary"] }, [`${id} metallb/primary`]],
  ["that names interfaces too", { interfaces: ["wlan0"] }, []],
  ["for nodes that there are not", { nodeSelectors: on("nobody") }, []],
  ["for one node", { nodeSelectors: on("dalt") }, [`${id} metallb/primary`]],
  ["for Services that there are not", { serviceSelectors: services("nothing") }, []],
  ["for one Service", { serviceSelectors: services("httpbin") }, [`${id} metallb/primary`]],
] as const)("beside one %s", async (_, spec, said) => {
  expect(await saidOn(id, { faults: [advertisement("old", spec)] })).toEqual(said);
});

it("knows that two halves do not meet", async () => {
  const faults = [
    patchObject("l2advertisements", "primary", { spec: { nodeSelectors: on("dalt") } }),
    advertisement("old", { nodeSelectors: on("fenn") }),
  ];
  expect(await saidOn(id, { faults })).toEqual([]);
});

it("has no question before interfaces came, and no answer without the objects", async () => {
  const faults = [advertisement("old"), withImage("v0.13.4")];
  expect(await saidOn(id, { faults })).toEqual([
    "skipped: MetalLB 0.13.4 has no interfaces in advertisements",
  ]);
  expect(await saidOn(id, { denied: ["services"] })).toEqual(["unknown denied"]);
});
