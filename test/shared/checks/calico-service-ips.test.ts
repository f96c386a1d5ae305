import { expect, it } from "vitest";
import { addObject } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "calico-service-ips";
const announces = (...cidrs: string[]) =>
  addObject(
    "bgpconfigurations",
    { name: "default" },
    { spec: { asNumber: 64512, serviceLoadBalancerIPs: cidrs.map((cidr) => ({ cidr })) } },
  );

it("passes on a site with nothing wrong, and beside Calico's own settings", async () => {
  expect(await saidOn(id)).toEqual([]);
  expect(await saidOn(id, { faults: [announces()] })).toEqual([]);
  expect(await saidOn(id, { faults: [announces("192.168.7.0/24", "10.4.10.0/24")] })).toEqual([]);
});

it("finds a prefix over the pool, and counts", async () => {
  const [finding, ...others] = await findingsOn(id, { faults: [announces("10.4.11.0/24")] });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: id,
    severity: "warning",
    subject: { kind: "pool", name: "primary" },
    facts: { bgpConfiguration: "default", both: "10.4.11.0-10.4.11.255" },
  });
});

it("lets Calico announce what MetalLB does not answer for", async () => {
  expect(await saidOn(id, { spec: goldentooth(), faults: [announces("10.4.0.0/16")] })).toEqual([]);
});

it("has no question without Calico, and no answer without reading", async () => {
  expect(await saidOn(id, { strange: ["bgpconfigurations"] })).toEqual([
    "skipped: the cluster does not know bgpconfigurations",
  ]);
  expect(await saidOn(id, { denied: ["bgpconfigurations"] })).toEqual(["unknown denied"]);
  const odd = addObject(
    "bgpconfigurations",
    { name: "default" },
    { spec: { serviceLoadBalancerIPs: "all" } },
  );
  expect(await saidOn(id, { faults: [odd] })).toEqual(["unknown unreadable"]);
});
