import { expect, it } from "vitest";
import type { KernelRoute } from "#shared/probes/node-routes.ts";
import type { Vantage } from "#shared/site/site.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { defaultRoute, gathered, judgedBy, registered, route, timedOut, told } from "./gathered.ts";
import { onTwin } from "./on-twin.ts";

const check = registered("vantage-route");

/** The wired vantage of the site has one route more. */
const routed = (dst: string, gateway: string): SiteSpec => {
  const spec = healthy();
  return {
    ...spec,
    vantages: spec.vantages.map((vantage) =>
      vantage.place === "lan-wired" && vantage.clusterNode === undefined
        ? {
            ...vantage,
            routes: [...(vantage.routes ?? []), { dst, gateway, dev: vantage.nics[0]?.name ?? "eth0" }],
          }
        : vantage,
    ),
  };
};

it("passes where every machine of the segment asks by ARP", async () => {
  expect(told(await onTwin(healthy()).run([check]))).toEqual([]);
});

it("tells a route through a node from one through something else", async () => {
  const node = healthy().nodes[0]?.nics[0]?.addresses[0]?.split("/")[0] ?? "";
  const through = await onTwin(routed("10.4.11.0/24", node)).run([check]);
  expect(told(through)).toEqual(["vantage-route-via-node ops-host"]);
  const router = await onTwin(routed("10.4.11.0/24", "10.4.0.1")).run([check]);
  expect(told(router)).toEqual(["vantage-route-via-gateway ops-host"]);
});

const ops: Vantage = { name: "ops-host", place: "lan-wired", access: "local" };
const metallb = (routes: readonly KernelRoute[] | undefined, vantage: Vantage = ops) =>
  gathered({
    lists: {
      nodes: [],
      pods: [],
      daemonsets: [],
      ipaddresspools: [
        {
          metadata: { name: "primary", namespace: "metallb-system" },
          spec: { addresses: ["10.4.11.0-10.4.15.254"] },
        },
      ],
    },
    vantageRoutes: [
      {
        vantage,
        routes: routes === undefined ? { ok: false, fault: timedOut } : { ok: true, evidence: routes },
      },
    ],
  });

it("tells a mask that is too short for the pool", () => {
  const short = [route("10.4.0.0/21", "eth0"), defaultRoute("eth0")];
  expect(told(judgedBy(check, metallb(short)))).toEqual(["vantage-route-via-gateway ops-host"]);
  expect(told(judgedBy(check, metallb([route("10.4.0.0/20", "eth0"), defaultRoute("eth0")])))).toEqual([]);
});

it("is unknown when the vantage could not be asked, and skipped without one outside the cluster", () => {
  expect(told(judgedBy(check, metallb(undefined)))).toEqual(["unknown timed-out"]);
  expect(told(judgedBy(check, metallb([], { ...ops, clusterNode: "bettley" })))).toEqual([
    "skipped: no vantage outside the cluster stands in the segment",
  ]);
});
