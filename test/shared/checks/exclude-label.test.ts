import { expect, it } from "vitest";
import { patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import { goldentoothNodes } from "#shared/twin/sites/goldentooth-plan.ts";
import { withImage, withoutSpeakers } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "exclude-label";
const label = "node.kubernetes.io/exclude-from-external-load-balancers";
const exclude = (name: string, value = ""): SiteFault =>
  patchObject("nodes", name, { metadata: { labels: { [label]: value } } });
const controlPlanes = goldentoothNodes.filter(({ controlPlane }) => controlPlane).map(({ name }) => name);
const everyone = goldentoothNodes.map(({ name }) => exclude(name));

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("remarks on control planes, as kubeadm labels them", async () => {
  const [finding] = await findingsOn(id, { faults: controlPlanes.map((name) => exclude(name)) });
  expect(finding).toMatchObject({
    code: id,
    severity: "info",
    facts: { nodes: controlPlanes, candidates: 10 },
  });
});

it("warns of any other node, whatever the label's value", async () => {
  const [finding] = await findingsOn(id, { faults: [exclude("dalt", "false")] });
  expect(finding).toMatchObject({ code: id, severity: "warning", facts: { nodes: ["dalt"] } });
});

it("finds that nobody is left", async () => {
  const [finding, ...others] = await findingsOn(id, { faults: everyone });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: "exclude-label-everywhere",
    severity: "error",
    subject: { kind: "pool", name: "primary" },
  });
});

it("finds that nobody is left of those that the advertisement selects", async () => {
  const selector = [{ matchLabels: { "kubernetes.io/hostname": "dalt" } }];
  const faults = [
    exclude("dalt"),
    patchObject("l2advertisements", "primary", { spec: { nodeSelectors: selector } }),
  ];
  expect(await saidOn(id, { faults })).toEqual(["exclude-label-everywhere primary"]);
});

it("does not ask where speakers ignore the label, or do not know it", async () => {
  const ignoring = withImage("v0.16.1", ["--ignore-exclude-lb"]);
  expect(await saidOn(id, { faults: [...everyone, ignoring] })).toEqual([
    "skipped: the speakers run with --ignore-exclude-lb",
  ]);
  expect(await saidOn(id, { faults: [...everyone, withImage("v0.13.12")] })).toEqual([
    "skipped: MetalLB 0.13.12 does not look at the label",
  ]);
  // The flag came with 0.14.4; an older speaker would not even start with it.
  const tooOld = withImage("v0.14.3", ["--ignore-exclude-lb"]);
  expect(await saidOn(id, { faults: [...everyone, tooOld] })).toEqual(["exclude-label-everywhere primary"]);
});

it("has no question without speakers, and no answer without the nodes", async () => {
  expect(await saidOn(id, { faults: [withoutSpeakers] })).toEqual([
    "skipped: no MetalLB speaker in the cluster",
  ]);
  expect(await saidOn(id, { denied: ["nodes"] })).toEqual(["unknown denied"]);
});
