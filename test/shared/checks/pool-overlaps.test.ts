import { expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { patchObject } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "pool-overlaps";
const pool = (...addresses: string[]) => patchObject("ipaddresspools", "primary", { spec: { addresses } });

it("passes on a site with nothing wrong, and where the pool lies beside everything", async () => {
  expect(await saidOn(id)).toEqual([]);
  const site = { routerIp: "10.4.0.1", dhcpRanges: ["10.4.2.0-10.4.3.255"] };
  expect(await saidOn(id, { spec: goldentoothL2(), site })).toEqual([]);
});

it("finds nodes in the pool, and names them", async () => {
  const [finding] = await findingsOn(id, { faults: [pool("10.4.0.10-10.4.0.12")] });
  expect(finding).toMatchObject({
    code: "pool-overlaps-node",
    severity: "error",
    subject: { kind: "pool", name: "primary" },
    facts: { addresses: ["10.4.0.10", "10.4.0.11", "10.4.0.12"], assigned: [] },
  });
  expect(plain(finding?.text ?? [])).toBe(
    "pool primary holds addresses of nodes: allyrion 10.4.0.10, bettley 10.4.0.11 and cargyll 10.4.0.12",
  );
});

it("finds the router", async () => {
  const site = { routerIp: "10.4.15.254" };
  expect(await saidOn(id, { site })).toEqual(["pool-overlaps-router primary"]);
  expect(await saidOn(id, { site: { routerIp: "10.4.15.255" } })).toEqual([]);
});

it("finds what the DHCP server hands out, and which of it Services have", async () => {
  const [finding] = await findingsOn(id, { site: { dhcpRanges: ["10.4.8.0-10.4.11.2", "10.4.15.254/32"] } });
  expect(finding).toMatchObject({
    code: "pool-overlaps-dhcp",
    facts: { shared: "10.4.11.0-10.4.11.2, 10.4.15.254", assigned: ["10.4.11.1", "10.4.11.2"] },
  });
  expect(plain(finding?.text ?? [])).toContain("share 4 addresses");
  const [one] = await findingsOn(id, { site: { dhcpRanges: ["10.4.8.0-10.4.11.0"] } });
  expect(plain(one?.text ?? [])).toContain("share one address: 10.4.11.0");
});

it.each([
  ["both edges", ["10.4.0.0/32", "10.4.15.255/32"], ["10.4.0.0", "10.4.15.255"]],
  ["the broadcast address", ["10.4.14.0/23"], ["10.4.15.255"]],
  ["the network address", ["10.4.0.0-10.4.0.3"], ["10.4.0.0"]],
])("finds %s of the segment", async (_, addresses, held) => {
  const all = await findingsOn(id, { faults: [pool(...addresses)] });
  const findings = all.filter(({ code }) => code === "pool-covers-lan-edge");
  expect(findings.map(({ code, facts }) => [code, facts.addresses])).toEqual([
    ["pool-covers-lan-edge", held],
  ]);
});

it("tells everything at once", async () => {
  const site = { routerIp: "10.4.0.1", dhcpRanges: ["10.4.2.0/24"] };
  expect(await saidOn(id, { faults: [pool("10.4.0.0/20")], site })).toEqual([
    "pool-overlaps-node primary",
    "pool-overlaps-router primary",
    "pool-overlaps-dhcp primary",
    "pool-covers-lan-edge primary",
  ]);
});

it("is unknown without the nodes, and no question without MetalLB", async () => {
  expect(await saidOn(id, { denied: ["nodes"] })).toEqual(["unknown denied"]);
  expect(await saidOn(id, { strange: ["ipaddresspools"] })).toEqual([
    "skipped: the cluster does not know ipaddresspools",
  ]);
});
