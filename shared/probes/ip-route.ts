import * as z from "zod";
import { checkedAddress } from "./checked-argument.ts";
import { commandFailure, expectSuccess, firstLine, readJson, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** How a machine would send to an address. Only `on-link` makes it ask by ARP for that address itself. */
export type Route =
  | Readonly<{ kind: "on-link"; nic: string; source?: string }>
  | Readonly<{ kind: "via"; nic: string; gateway: string; source?: string }>
  /** The address is the machine's own. */
  | Readonly<{ kind: "local"; nic: string }>
  | Readonly<{ kind: "unreachable"; because: string }>;

const routeSchema = z.object({
  type: z.string().optional(),
  dev: z.string().optional(),
  gateway: z.string().optional(),
  via: z.object({ host: z.string() }).optional(),
  prefsrc: z.string().optional(),
});

/** `ip -j route get IP`: a `gateway` key means not on-link; exit code 2 means that there is no route. */
export const ipRoute: Probe<readonly [ip: string], Route> = {
  id: "ip-route-get",
  tool: "ip",
  about: "the route to one address: on-link, via a gateway, or none",
  sample: ["10.4.11.1"],
  argv: (ip) => ({
    argv: ["ip", "-j", "route", "get", checkedAddress(ip)],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    const answer = /^RTNETLINK answers: (.+)$/m.exec(output.stderr)?.[1];
    if (output.exitCode === 2 && answer !== undefined) return { kind: "unreachable", because: answer };
    const fault = commandFailure(output, "ip");
    if (!fault && output.exitCode === 2 && output.stdout.trim() === "")
      throw unreadable("ip route get", firstLine(output.stderr) || "exit code 2 without a word");
    expectSuccess(output, "ip");
    const parsed = z.tuple([routeSchema], routeSchema).safeParse(readJson(output, "ip"));
    if (!parsed.success) throw unreadable("ip route get", "not a list with one route");
    const [route] = parsed.data;
    const { type, dev, prefsrc } = route;
    if (type === "unreachable" || type === "prohibit" || type === "blackhole")
      return { kind: "unreachable", because: `${type} route` };
    if (dev === undefined) throw unreadable("ip route get", "the route names no interface");
    if (type === "local") return { kind: "local", nic: dev };
    const source = prefsrc === undefined ? {} : { source: prefsrc };
    const gateway = route.gateway ?? route.via?.host;
    return gateway === undefined
      ? { kind: "on-link", nic: dev, ...source }
      : { kind: "via", nic: dev, gateway, ...source };
  },
};
