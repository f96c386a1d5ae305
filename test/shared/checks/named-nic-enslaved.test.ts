import { expect, it } from "vitest";
import { onNic, patchObject, plugIn } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "named-nic-enslaved";
const bridge = (node: string) => [
  plugIn(node, { name: "br0", mac: "dc:a6:32:0a:bb:01", addresses: ["10.4.3.13/20"], kind: "bridge" }),
  onNic(node, "eth0", { master: "br0", addresses: [] }),
];
const interfaces = (...names: string[]) =>
  patchObject("l2advertisements", "primary", { spec: { interfaces: names } });

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds a named interface that somebody put into a bridge", async () => {
  const [finding, ...others] = await findingsOn(id, { faults: bridge("dalt") });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: id,
    severity: "error",
    subject: { kind: "nic", name: "dalt/eth0" },
    facts: { pool: "primary", master: "br0", others: [] },
  });
});

it("warns only where another named interface answers", async () => {
  const [finding] = await findingsOn(id, { faults: [...bridge("dalt"), interfaces("eth0", "br0")] });
  expect(finding).toMatchObject({ severity: "warning", facts: { others: ["br0"] } });
});

it("has nothing against members that nobody names", async () => {
  expect(await saidOn(id, { faults: [...bridge("dalt"), interfaces("br0")] })).toEqual([]);
  expect(await saidOn(id, { spec: goldentoothL2(), faults: bridge("dalt") })).toEqual([]);
});

it("is unknown where advertisements could not be listed", async () => {
  expect(await saidOn(id, { faults: bridge("dalt"), denied: ["ipaddresspools"] })).toEqual([
    "unknown denied",
  ]);
});
