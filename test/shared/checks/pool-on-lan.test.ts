import { expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { addObject, patchObject, removeObject } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "pool-on-lan";
const router = { routerIp: "10.4.0.1", routerPrefix: 20 };
const pool = (...addresses: string[]) => patchObject("ipaddresspools", "primary", { spec: { addresses } });
const route = (to: string, via: string) => ({ staticRoutes: [{ to, via }] });

it("passes on a site with nothing wrong, with and without a word on the router", async () => {
  expect(await saidOn(id)).toEqual([]);
  expect(await saidOn(id, { site: router })).toEqual([]);
});

it("finds addresses outside the segment, and counts them", async () => {
  const faults = [pool("10.4.15.250-10.4.16.9")];
  const [finding, ...others] = await findingsOn(id, { faults, site: router });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: "pool-not-in-lan",
    severity: "error",
    facts: { outside: "10.4.16.0-10.4.16.9", addresses: 10, of: 16 },
  });
});

it("finds what a router with a smaller prefix does not know", async () => {
  const site = { routerIp: "10.4.0.1", routerPrefix: 24 };
  const [finding] = await findingsOn(id, { site });
  expect(finding).toMatchObject({
    code: "pool-not-covered-by-router",
    facts: { addresses: 1279, of: 1279, uncovered: "10.4.11.0-10.4.15.254" },
  });
});

it("finds the static route of the story: one node, and a fifth of the pool", async () => {
  const site = { routerIp: "10.4.0.1", routerPrefix: 24, ...route("10.4.11.0/24", "10.4.0.11") };
  const findings = await findingsOn(id, { site });
  expect(findings.map(({ code }) => code)).toEqual(["pool-not-covered-by-router", "static-route-via-node"]);
  expect(findings[0]?.facts).toMatchObject({ addresses: 1023, of: 1279, uncovered: "10.4.12.0-10.4.15.254" });
  expect(plain(findings[0]?.text ?? [])).toContain("from 10.4.12.0 on");
  expect(findings[1]?.facts).toMatchObject({ node: "bettley", addresses: 256, of: 1279 });
  expect(plain(findings[1]?.remedy ?? [])).toContain("prefix to hold the pool first");
});

it.each([
  [
    "through a node, inside the router's prefix",
    route("10.4.11.0/24", "10.4.0.11"),
    ["static-route-via-node"],
  ],
  ["through somebody else", route("10.4.11.0/24", "10.4.0.5"), ["static-route-inside-lan"]],
  ["that has nothing to do with the pool", route("192.168.7.0/24", "10.4.0.11"), []],
])("judges a route %s", async (_, more, codes) => {
  const findings = await findingsOn(id, { site: { ...router, ...more } });
  expect(findings.map(({ code }) => code)).toEqual(codes);
});

it("has nothing against another router for what the first does not know", async () => {
  const site = { routerIp: "10.4.0.1", routerPrefix: 24, ...route("10.4.8.0/21", "10.4.0.5") };
  expect(await saidOn(id, { site })).toEqual([]);
});

it("does not ask where BGP alone announces", async () => {
  expect(await saidOn(id, { spec: goldentooth() })).toEqual([
    "skipped: every pool is announced by BGP alone",
  ]);
  const silent = [removeObject("bgpadvertisements", "primary"), pool("192.168.1.0/24")];
  expect(await saidOn(id, { spec: goldentooth(), faults: silent })).toEqual(["pool-not-in-lan primary"]);
});

it("looks at the addresses of the segment's family", async () => {
  expect(await saidOn(id, { faults: [pool("10.4.11.0/24", "fd00::/120")] })).toEqual([]);
});

it("is unknown where a kind could not be listed", async () => {
  const both = addObject("bgpadvertisements", { name: "b", namespace: "metallb" });
  expect(await saidOn(id, { faults: [both], denied: ["bgpadvertisements"] })).toEqual(["unknown denied"]);
});
