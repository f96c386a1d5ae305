import type { CheckResult } from "#shared/check-result.ts";
import { checks } from "#shared/checks/all.ts";
import type { Check } from "#shared/checks/check.ts";
import type { Gathered, NodeAnswers } from "#shared/checks/evidence.ts";
import type { EvidenceOf, NodeProbeId } from "#shared/checks/node-probes.ts";
import { judgeAll } from "#shared/checks/run.ts";
import type { Fault } from "#shared/fault.ts";
import type { Answer } from "#shared/probes/answer.ts";
import type { Nic } from "#shared/probes/ip-addr.ts";
import type { KernelRoute } from "#shared/probes/node-routes.ts";
import type { Site } from "#shared/site/site.ts";

export const labSite: Site = {
  lanPrefix: "10.4.0.0/20",
  routerIp: "10.4.0.1",
  staticRoutes: [],
  dhcpRanges: [],
  resolvers: [],
  lanNic: [],
};

/** A working interface; a name that starts with `wl` is nothing special here, see the `wireless-nics` probe. */
export const nic = (name: string, cidrs: readonly string[] = [], more: Partial<Nic> = {}): Nic => ({
  name,
  index: 2,
  mac: "dc:a6:32:0a:11:0b",
  flags: ["BROADCAST", "UP", "LOWER_UP"],
  up: true,
  carrier: true,
  linkType: "ether",
  mtu: 1500,
  wireless: name.startsWith("wl"),
  addresses: cidrs.map((cidr) => {
    const [address = "", length = ""] = cidr.split("/");
    return {
      family: address.includes(":") ? (6 as const) : (4 as const),
      address,
      prefixLength: Number(length),
      scope: address.startsWith("fe80") ? "link" : "global",
    };
  }),
  ...more,
});

export const down: Partial<Nic> = { up: false, carrier: false, flags: ["BROADCAST"] };
export const unplugged: Partial<Nic> = { carrier: false, flags: ["NO-CARRIER", "BROADCAST", "UP"] };

export const route = (dst: string, dev: string, more: Partial<KernelRoute> = {}): KernelRoute => ({
  dst,
  family: dst.includes(":") ? 6 : 4,
  table: "main",
  nic: dev,
  metric: 0,
  linkDown: false,
  ...more,
});

export const defaultRoute = (dev: string, more: Partial<KernelRoute> = {}): KernelRoute =>
  route("default", dev, { gateway: "10.4.0.1", ...more });

export const timedOut: Fault = { kind: "timed-out", what: "ip on karstark", detail: "not done after 5 s" };

type Given = Readonly<{ [P in NodeProbeId]?: EvidenceOf<P> | Readonly<{ fault: Fault }> }>;

const isGivenFault = (given: unknown): given is Readonly<{ fault: Fault }> =>
  typeof given === "object" && given !== null && "fault" in given;

/** What a visit to one node brought back; a probe given as `{fault}` could not be read. */
export const visited = (node: string, probes: Given): NodeAnswers => ({
  node,
  probes: Object.fromEntries(
    Object.entries(probes).map(([id, given]): [string, Answer<unknown>] => [
      id,
      isGivenFault(given) ? { ok: false, fault: given.fault } : { ok: true, evidence: given },
    ]),
  ),
});

export const gathered = (more: Partial<Gathered>): Gathered => ({
  cluster: "goldentooth",
  site: labSite,
  nodes: [],
  lists: {},
  ...more,
});

/** The registered check: taking it off the list fails its test. */
export function registered(id: string): Check {
  const check = checks.find((each) => each.id === id);
  if (check === undefined) throw new Error(`${id} is not in shared/checks/all.ts`);
  return check;
}

/** Judges one check on its own. */
export const judgedBy = (check: Check, evidence: Partial<Gathered>): readonly CheckResult[] =>
  judgeAll([check], gathered(evidence));

/** `code subject: text` of every finding, in order; `unknown KIND` and `skipped: WHY` for those outcomes. */
export const told = (results: readonly CheckResult[]): readonly string[] =>
  results.flatMap((result) => {
    if (result.outcome === "passed") return [];
    if (result.outcome === "unknown") return [`unknown ${result.fault.kind}`];
    if (result.outcome === "skipped") return [`skipped: ${result.because}`];
    return result.findings.map(({ code, subject }) => `${code} ${subject.name}`);
  });
