import { expect, it } from "vitest";
import { onNic, patchObject } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "named-nic-missing";
const interfaces = (...names: string[]) =>
  patchObject("l2advertisements", "primary", { spec: { interfaces: names } });

it("passes on a site with nothing wrong, and where nothing is named", async () => {
  expect(await saidOn(id)).toEqual([]);
  expect(await saidOn(id, { spec: goldentoothL2() })).toEqual([]);
});

it("finds nodes that have none of the names", async () => {
  const findings = await findingsOn(id, { faults: [interfaces("end0", "enp1s0")] });
  expect(findings.length).toBe(13);
  expect(findings[3]).toMatchObject({
    code: id,
    severity: "error",
    subject: { kind: "node", name: "dalt" },
    facts: { pools: ["primary"], interfaces: ["end0", "enp1s0"] },
  });
});

it("takes a list of names for a fleet of several makes", async () => {
  expect(await saidOn(id, { faults: [interfaces("end0", "eth0")] })).toEqual([]);
});

it("finds a named interface that is there and down", async () => {
  expect(
    await saidOn(id, { faults: [interfaces("wlan0"), onNic("dalt", "wlan0", { up: true })] }),
  ).toHaveLength(12);
  expect(await saidOn(id, { faults: [interfaces("wlan0")] })).toContain("named-nic-down dalt");
});

it("asks the nodes that an advertisement selects, and no others", async () => {
  const selector = [{ matchLabels: { "kubernetes.io/hostname": "dalt" } }];
  const faults = [
    interfaces("end0"),
    patchObject("l2advertisements", "primary", { spec: { nodeSelectors: selector } }),
  ];
  expect(await saidOn(id, { faults })).toEqual([`${id} dalt`]);
});

it("is unknown where advertisements could not be listed", async () => {
  expect(await saidOn(id, { denied: ["l2advertisements"] })).toEqual(["unknown denied"]);
});
