import { expect, it } from "vitest";
import { calicoUses, patchObject, plugIn, wifiOn } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { judgedBy, registered, timedOut, told, visited } from "./gathered.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const eth1 = { name: "eth1", mac: "dc:a6:32:0a:aa:01", addresses: ["10.99.0.13/24"], segment: null };
const id = "calico-address-nic";

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds the node of the story, and says both interfaces", async () => {
  const [finding, ...others] = await findingsOn(id, { spec: goldentooth() });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: "calico-address-nic",
    severity: "error",
    subject: { kind: "nic", name: "karstark/wlan0" },
    facts: { address: "10.4.1.20", lanNic: ["eth0"] },
  });
});

it("finds an address that the node no longer has", async () => {
  expect(await saidOn(id, { faults: [calicoUses("dalt", "10.4.9.9/20")] })).toEqual([
    "calico-address-absent dalt",
  ]);
});

it("has nothing against a wired cluster network that kubelet uses too", async () => {
  const address = [{ type: "InternalIP", address: "10.99.0.13" }];
  const both = [
    plugIn("dalt", eth1),
    calicoUses("dalt", "10.99.0.13/24"),
    patchObject("nodes", "dalt", { status: { addresses: address } }),
  ];
  expect(await saidOn(id, { faults: both })).toEqual([]);
  expect(await saidOn(id, { faults: both.slice(0, 2) })).toEqual(["calico-address-nic dalt/eth1"]);
});

it("has no question where Calico is not", async () => {
  const gone = { metadata: { annotations: { "projectcalico.org/IPv4Address": null } } };
  expect(await saidOn(id, { faults: [patchObject("nodes", "dalt", gone)] })).toEqual([
    "skipped: the Node has no address of Calico",
  ]);
});

it("does not mind Wi-Fi that Calico does not use", async () => {
  expect(await saidOn(id, { faults: [wifiOn("dalt", "10.4.1.13/20")] })).toEqual([]);
});

it("is unknown where the node did not answer", () => {
  const nodes = [visited("dalt", { "ip-addr": { fault: timedOut }, "wireless-nics": [] })];
  const lists = { nodes: [{ metadata: { name: "dalt" } }] };
  expect(told(judgedBy(registered(id), { nodes, lists }))).toEqual(["unknown timed-out"]);
});
