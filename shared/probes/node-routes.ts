import * as z from "zod";
import { expectSuccess, readJson, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** A unicast route of the kernel, of any table. */
export type KernelRoute = Readonly<{
  /** CIDR, one address, or `default`. */
  dst: string;
  /** IPv6 when destination or gateway say so. */
  family: 4 | 6;
  /** `main`, another name or a number. */
  table: string;
  nic?: string;
  gateway?: string;
  /** The lower the more preferred; absent means 0. */
  metric: number;
  /** `kernel`, `dhcp`, `boot`, `static`, `bird`, ... */
  protocol?: string;
  scope?: string;
  source?: string;
  /** The interface has no carrier. */
  linkDown: boolean;
}>;

const hop = z.object({ dev: z.string().optional(), gateway: z.string().optional() });

const routeSchema = z.object({
  type: z.string().optional(),
  dst: z.string().min(1),
  table: z.union([z.string(), z.number()]).transform(String).default("main"),
  dev: z.string().optional(),
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  metric: z.int().min(0).default(0),
  protocol: z.union([z.string(), z.number()]).transform(String).optional(),
  scope: z.union([z.string(), z.number()]).transform(String).optional(),
  prefsrc: z.string().optional(),
  flags: z.array(z.string()).default([]),
  nexthops: z.array(hop).default([]),
});

/**
 * `ip -j -d route show table all type unicast`: both families and every table, without the `local` entries that a node
 * in IPVS mode has thousands of. A route over several next hops gives one entry each. No route at all is an answer.
 */
export const nodeRoutes: Probe<readonly [], readonly KernelRoute[]> = {
  id: "ip-routes",
  tool: "ip",
  about: "unicast routes of every table",
  sample: [],
  argv: () => ({
    argv: ["ip", "-j", "-d", "route", "show", "table", "all", "type", "unicast"],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    expectSuccess(output, "ip");
    const parsed = z.array(routeSchema).safeParse(readJson(output, "ip"));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw unreadable("ip route", `not a list of routes: ${issue?.path.join(".")} ${issue?.message}`);
    }
    return parsed.data.flatMap((route): KernelRoute[] => {
      const via = route.gateway ?? route.via?.host;
      const hops = route.nexthops.length > 0 ? route.nexthops : [{ dev: route.dev, gateway: via }];
      return hops.map(({ dev, gateway }) => ({
        dst: route.dst,
        family: `${route.dst} ${gateway ?? ""}`.includes(":") ? 6 : 4,
        table: route.table,
        ...(dev === undefined ? {} : { nic: dev }),
        ...(gateway === undefined ? {} : { gateway }),
        metric: route.metric,
        ...(route.protocol === undefined ? {} : { protocol: route.protocol }),
        ...(route.scope === undefined ? {} : { scope: route.scope }),
        ...(route.prefsrc === undefined ? {} : { source: route.prefsrc }),
        linkDown: route.flags.includes("linkdown"),
      }));
    });
  },
};
