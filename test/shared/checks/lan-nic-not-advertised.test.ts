import { expect, it } from "vitest";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { addObject, patchObject, plugIn, removeObject } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "lan-nic-not-advertised";
const interfaces = (...names: string[]) =>
  patchObject("l2advertisements", "primary", { spec: { interfaces: names } });
const only = (node: string, names: readonly string[], name: string) =>
  addObject(
    "l2advertisements",
    { name, namespace: "metallb" },
    {
      spec: {
        ipAddressPools: ["primary"],
        interfaces: names,
        nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": node } }],
      },
    },
  );

it("passes on a site with nothing wrong, and without any restriction", async () => {
  expect(await saidOn(id)).toEqual([]);
  expect(await saidOn(id, { spec: goldentoothL2() })).toEqual([]);
});

it("finds nodes whose LAN interface no advertisement names", async () => {
  const findings = await findingsOn(id, { faults: [interfaces("end0", "wlan0")] });
  expect(findings.length).toBe(13);
  expect(findings[0]).toMatchObject({
    code: id,
    severity: "error",
    subject: { kind: "node", name: "allyrion" },
    facts: { lanNic: ["eth0"], pools: [{ pool: "primary", interfaces: ["end0", "wlan0"] }] },
  });
});

it("takes the union of the advertisements that select the node", async () => {
  const faults = [interfaces("end0"), only("dalt", ["eth0"], "dalt")];
  const said = await saidOn(id, { faults });
  expect(said.length).toBe(12);
  expect(said).not.toContain(`${id} dalt`);
});

it("goes by what the site names", async () => {
  const eth1 = { name: "eth1", mac: "dc:a6:32:0a:aa:01", addresses: ["10.4.3.13/20"] };
  const site = { lanNic: [{ nic: "eth1", nodes: ["dalt"] }] };
  expect(await saidOn(id, { faults: [plugIn("dalt", eth1)], site })).toEqual([`${id} dalt`]);
});

it("leaves members of the LAN bond to the check of that name", () => {
  const object = (kind: ResourceKind, name: string, spec: unknown) => [
    kind,
    [{ metadata: { name, namespace: "metallb" }, spec }],
  ];
  const lists = Object.fromEntries([
    ["nodes", [{ metadata: { name: "dalt" } }]],
    ["pods", []],
    ["daemonsets", []],
    object("ipaddresspools", "primary", { addresses: ["10.4.11.0/24"] }),
    object("l2advertisements", "primary", { interfaces: ["eth0"] }),
  ]);
  const on = (nics: ReturnType<typeof nic>[]) =>
    told(
      judgedBy(registered(id), {
        nodes: [visited("dalt", { "ip-addr": nics, "wireless-nics": [] })],
        lists,
      }),
    );
  const bond0 = nic("bond0", ["10.4.0.20/20"], { kind: "bond" });
  expect(on([nic("eth0", [], { master: "bond0" }), bond0])).toEqual([]);
  expect(on([nic("eth0"), bond0])).toEqual([`${id} dalt`]);
  expect(on([nic("eth0")])).toEqual(["skipped: no interface of the node is in 10.4.0.0/20"]);
});

it("does not ask about nodes that cannot be elected", async () => {
  const label = { metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } } };
  const said = await saidOn(id, { faults: [interfaces("end0"), patchObject("nodes", "dalt", label)] });
  expect(said).toContain(
    "skipped: the node announces nothing: it has node.kubernetes.io/exclude-from-external-load-balancers",
  );
  expect(said).not.toContain(`${id} dalt`);
});

it("is unknown where objects or interfaces could not be read", async () => {
  expect(await saidOn(id, { denied: ["l2advertisements"] })).toEqual(["unknown denied"]);
  expect(await saidOn(id, { strange: ["l2advertisements"] })).toEqual([
    "skipped: the cluster does not know l2advertisements",
  ]);
  const nodes = [visited("dalt", { "ip-addr": { fault: timedOut }, "wireless-nics": [] })];
  const lists = { nodes: [], pods: [], daemonsets: [], ipaddresspools: [], l2advertisements: [] };
  expect(told(judgedBy(registered(id), { nodes, lists }))).toEqual(["unknown timed-out"]);
});

it("has nothing to say without advertisements", async () => {
  expect(await saidOn(id, { faults: [removeObject("l2advertisements", "primary")] })).toEqual([]);
});
