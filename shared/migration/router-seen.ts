import { type Fault, isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { type BgpStatus, bgpStatuses } from "../metallb/observe.ts";
import { anyMatches } from "../metallb/selectors.ts";
import { atLeast } from "../metallb/versions.ts";
import type { Block } from "../reply.ts";
import type { StepContext } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { servedAddresses } from "./addresses.ts";
import { clientVantage } from "./clients.ts";
import { finding } from "./define-step.ts";
import { type HopPath, judgeRouter, pathTo, type RouterJudgement } from "./hops.ts";
import type { MetalLbView } from "./metallb-view.ts";

export type RouterSeen = Readonly<{
  judgement: RouterJudgement | Readonly<{ kind: "unseen"; because: string }>;
  paths: readonly HopPath[];
  findings: readonly Finding[];
  blocks: readonly Block[];
}>;

/** Addresses whose way is worth following; more say the same again. */
const followed = 6;

/** Since when speakers write ServiceBGPStatus (release notes of MetalLB 0.15.0). */
const statusesSince = "0.15.0";

/** What the speakers say they announce by BGP; `silent` in releases that say nothing of it. */
export type ToldByBgp =
  | Readonly<{ kind: "told"; statuses: readonly BgpStatus[] }>
  | Readonly<{ kind: "silent" }>
  | Readonly<{ kind: "unseen"; fault: Fault }>;

export function toldByBgp({ lists: { servicebgpstatuses: listed }, version }: MetalLbView): ToldByBgp {
  if (version !== undefined && !atLeast(version, statusesSince)) return { kind: "silent" };
  return isFault(listed)
    ? { kind: "unseen", fault: listed }
    : { kind: "told", statuses: bgpStatuses(listed) };
}

/** Services that BGP still leads to: their way says nothing about layer 2. */
export function stillByBgp(view: MetalLbView): ReadonlySet<string> {
  const told = toldByBgp(view);
  const services = new Set(told.kind === "told" ? told.statuses.map(({ service }) => service) : []);
  for (const { ip, service } of servedAddresses(view)) {
    const name = view.prediction.addresses.find((each) => each.ip === ip)?.pool;
    const pool = view.own.pools.find((each) => each.name === name);
    const labels =
      view.objects.services.find((each) => `${each.namespace}/${each.name}` === service)?.labels ?? {};
    const led = view.own.bgp.some(
      (ad) =>
        (pool === undefined || selectsPool(ad, pool)) &&
        (!view.own.rules.serviceSelectors ||
          ad.serviceSelectors.length === 0 ||
          anyMatches(ad.serviceSelectors, labels)),
    );
    if (led) services.add(service);
  }
  return services;
}

/**
 * Follows the way from behind the router to addresses that BGP does not lead to any more, and judges the router by it.
 * `announcers` is what the wire showed. Throws FaultError.
 */
export async function seeRouter(
  context: StepContext,
  view: MetalLbView,
  announcers: ReadonlyMap<string, string>,
  bgpDown: boolean,
): Promise<RouterSeen> {
  const vantage = clientVantage(context.ports.config);
  const unseen = (because: string): RouterSeen => ({
    judgement: { kind: "unseen", because },
    paths: [],
    findings: [],
    blocks: [],
  });
  if (vantage === undefined) return unseen("no vantage behind the router is configured");
  const told = toldByBgp(view);
  if (!bgpDown && told.kind === "unseen")
    return unseen(
      `which addresses BGP still leads to is not known (${told.fault.what}: ${told.fault.detail})`,
    );
  const byBgp = bgpDown ? new Set<string>() : stillByBgp(view);
  const candidates = servedAddresses(view).filter(({ service }) => !byBgp.has(service));
  if (candidates.length === 0) return unseen("BGP still leads to every address");
  // Different announcers first: only they tell the router's ARP from a route by way of one node.
  const leaders = new Set<string>();
  const ordered = candidates.toSorted((a, b) => {
    const rank = ({ ip }: { ip: string }): number => (announcers.has(ip) ? 0 : 1);
    return rank(a) - rank(b);
  });
  const chosen = [
    ...ordered.filter(({ ip }) => {
      const leader = announcers.get(ip);
      if (leader === undefined || leaders.has(leader)) return false;
      leaders.add(leader);
      return true;
    }),
    ...ordered,
  ];
  const ips = [...new Set(chosen.map(({ ip }) => ip))].slice(0, followed);
  const paths: HopPath[] = [];
  for (const ip of ips)
    paths.push(await pathTo(context.ports.shell, vantage.name, ip, view.objects, context.signal));
  const judgement = judgeRouter(paths, announcers);
  const findings =
    judgement.kind !== "via-node"
      ? []
      : [
          finding(
            "via-a-node",
            "error",
            { kind: "node", name: judgement.node },
            text`from behind the router, ${judgement.addresses.length} of ${paths.length} addresses are reached via ${code(judgement.node)}, which does not announce them: they hang on that node, and the announcer's death or move does not matter to the router`,
            {
              facts: { addresses: [...judgement.addresses] },
              remedy: text`Delete the route by way of that node on the router; its LAN prefix has to hold the pool`,
            },
          ),
        ];
  return {
    judgement,
    paths,
    findings,
    blocks: [
      {
        kind: "evidence",
        title: `hops from ${vantage.name} (behind-router), ping with a limited time to live`,
        lines: paths.map(
          ({ ip, hops }) =>
            `${ip}  ${hops.join(" > ") || "nothing"}  (answers ARP: ${announcers.get(ip) ?? "not seen"})`,
        ),
      },
    ],
  };
}
