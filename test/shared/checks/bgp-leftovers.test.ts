import { expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { addObject } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { withEnv, withoutEnv } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "bgp-leftovers";
const metadata = (name: string) => ({ name, namespace: "metallb" });
const profile = addObject("bfdprofiles", metadata("fast"), { spec: {} });
const peer = (more: Readonly<Record<string, unknown>> = {}) =>
  addObject("bgppeers", metadata("router"), {
    spec: { myASN: 64500, peerASN: 64501, peerAddress: "10.4.0.1", ...more },
  });

it("passes on a site with nothing wrong, and where BGP is in use", async () => {
  expect(await saidOn(id)).toEqual([]);
  expect(await saidOn(id, { spec: goldentooth() })).toEqual([]);
});

it("finds what the days of BGP left behind", async () => {
  const [finding, ...others] = await findingsOn(id, { spec: goldentoothL2() });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: id,
    severity: "warning",
    facts: { left: ["BGPPeer opnsense", "BFDProfile primary"], mode: "frr" },
  });
});

it("finds that native mode rejects a BFDProfile, and everything with it", async () => {
  const findings = await findingsOn(id, { faults: [profile] });
  expect(findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
    "error native-mode-rejects",
    "warning bgp-leftovers",
  ]);
  expect(plain(findings[0]?.remedy ?? [])).toMatch(/^Do not restart speakers; save and delete it first/);
});

it("takes a speaker that does not say its mode for native", async () => {
  const faults = [profile, withoutEnv("METALLB_BGP_TYPE")];
  expect(await saidOn(id, { faults })).toContain("native-mode-rejects goldentooth");
  for (const mode of ["frr", "frr-k8s"])
    expect(await saidOn(id, { faults: [profile, withEnv("METALLB_BGP_TYPE", mode)] })).toEqual([
      "bgp-leftovers goldentooth",
    ]);
});

it.each([
  ["keepaliveTime", { holdTime: "90s", keepaliveTime: "30s" }],
  ["vrf", { vrf: "red" }],
  ["disableMP", { disableMP: true }],
  ["connectTime", { connectTime: "10s" }],
])("finds %s of a BGPPeer in native mode", async (field, more) => {
  const advertised = addObject("bgpadvertisements", metadata("primary"), { spec: {} });
  const [finding, ...others] = await findingsOn(id, { faults: [advertised, peer(more)] });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: "native-mode-rejects",
    facts: { rejected: [`${field} of BGPPeer router`] },
  });
});

it("lets native mode have a plain BGPPeer", async () => {
  const advertised = addObject("bgpadvertisements", metadata("primary"), { spec: {} });
  expect(await saidOn(id, { faults: [advertised, peer({ vrf: "", disableMP: false })] })).toEqual([]);
  expect(await saidOn(id, { faults: [peer()] })).toEqual(["bgp-leftovers goldentooth"]);
});

it("is unknown where one of the kinds could not be listed", async () => {
  expect(await saidOn(id, { denied: ["bfdprofiles"] })).toEqual(["unknown denied"]);
});
