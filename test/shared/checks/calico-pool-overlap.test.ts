import { expect, it } from "vitest";
import { addObject } from "#shared/twin/sites/faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "calico-pool-overlap";
const ipPool = (cidr: unknown) =>
  addObject("ippools", { name: "pods" }, { spec: { cidr, natOutgoing: true } });

it("passes on a site with nothing wrong, and with Pods elsewhere", async () => {
  expect(await saidOn(id)).toEqual([]);
  expect(await saidOn(id, { faults: [ipPool("172.16.0.0/20")] })).toEqual([]);
  expect(await saidOn(id, { faults: [ipPool("fd00:4::/64")] })).toEqual([]);
});

it("finds Pods and Services in one range", async () => {
  const [finding] = await findingsOn(id, { faults: [ipPool("10.4.14.0/23")] });
  expect(finding).toMatchObject({
    code: id,
    severity: "error",
    facts: { ipPool: "pods", both: "10.4.14.0-10.4.15.254" },
  });
});

it("has no question without Calico, and no answer without reading", async () => {
  expect(await saidOn(id, { strange: ["ippools"] })).toEqual(["skipped: the cluster does not know ippools"]);
  expect(await saidOn(id, { denied: ["ippools"] })).toEqual(["unknown denied"]);
  expect(await saidOn(id, { faults: [ipPool(7)] })).toEqual(["unknown unreadable"]);
});
