import { poolOnLan } from "../checks/pool-on-lan.ts";
import { judgeAll } from "../checks/run.ts";
import { type Finding, isFailure } from "../finding.ts";
import { joined, rangesOf, rangesText } from "../metallb/address-ranges.ts";
import { ipOf, parseIp } from "../metallb/ip.ts";
import type { StepContext } from "../steps/step.ts";
import { code, type Text, text } from "../text.ts";
import { couldNotLook } from "./define-step.ts";
import type { MetalLbView } from "./metallb-view.ts";

/** What the router needs so that it asks for the addresses by ARP itself, as the site description says. */
export type RouterNeeds = Readonly<{
  /** `nothing`: the pools are in its own prefix already. `unknown`: the site does not say what the router has. */
  kind: "nothing" | "wider-prefix" | "remove-route" | "other-segment" | "unknown";
  instructions: readonly Text[];
  findings: readonly Finding[];
}>;

/** The longest IPv4 prefix that holds all these addresses. */
export function smallestPrefix(entries: readonly string[]): string | undefined {
  const ranges = joined(rangesOf(entries).filter(({ family }) => family === 4));
  const first = ranges[0]?.first;
  const last = ranges.at(-1)?.last;
  if (first === undefined || last === undefined) return undefined;
  let length = 32;
  while (length > 0 && first >> BigInt(32 - length) !== last >> BigInt(32 - length)) length--;
  const host = BigInt(32 - length);
  return `${ipOf(4, (first >> host) << host).text}/${length}`;
}

export function routerNeeds(context: StepContext, view: MetalLbView): RouterNeeds {
  const { site } = context.ports.config;
  const results = judgeAll([poolOnLan], {
    cluster: context.run.cluster,
    site,
    nodes: [],
    // As it will be: without BGP every pool has to be found on the segment.
    lists: { ...view.lists, bgpadvertisements: [] },
  });
  const findings = results.flatMap((result) =>
    result.outcome === "failed"
      ? result.findings.filter(isFailure)
      : result.outcome === "unknown"
        ? [couldNotLook(result.fault, result.subject)]
        : [],
  );
  const pools = view.own.pools.flatMap(({ addresses }) => addresses);
  const has = (what: string): boolean => findings.some((each) => each.code === what);
  const held = rangesText(rangesOf(pools));
  if (has("pool-not-in-lan"))
    return {
      kind: "other-segment",
      findings,
      instructions: [
        text`Pool addresses ${held} are not in ${site.lanPrefix}: layer 2 cannot announce them there. Move the pool into the segment, or keep BGP`,
      ],
    };
  const router = site.routerIp === undefined ? "the router" : `the router ${site.routerIp}`;
  if (has("pool-not-covered-by-router")) {
    const prefix = smallestPrefix([
      ...pools,
      ...(site.routerIp === undefined ? [] : [`${site.routerIp}/32`]),
    ]);
    return {
      kind: "wider-prefix",
      findings,
      instructions: [
        text`On ${router}, widen the LAN prefix to ${code(site.lanPrefix)}, as the hosts of the segment have it (the smallest that holds router and pool is ${code(prefix ?? site.lanPrefix)})`,
        text`If it takes no wider prefix: an interface route (on-link, no gateway) for ${held} on its LAN interface. A route with a node as gateway is no substitute: everything then hangs on that node`,
        text`Then correct ${code("site.routerPrefix")} in the configuration`,
        text`Way back: set the old prefix again`,
      ],
    };
  }
  const routes = site.staticRoutes.filter(({ to }) =>
    findings.some((each) => each.facts.to === to && each.code.startsWith("static-route")),
  );
  if (routes.length > 0)
    return {
      kind: "remove-route",
      findings,
      instructions: routes.map(
        ({ to, via }) =>
          text`On ${router}, delete the static route ${code(to)} via ${code(via)}: the addresses are in its own LAN prefix. Put it back if they stop answering, and take it out of ${code("site.staticRoutes")}`,
      ),
    };
  if (findings.length > 0) return { kind: "unknown", findings, instructions: [] };
  const known =
    site.routerIp !== undefined && parseIp(site.routerIp) !== undefined && site.routerPrefix !== undefined;
  return known
    ? { kind: "nothing", findings: [], instructions: [] }
    : {
        kind: "unknown",
        findings: [],
        instructions: [
          text`Look on ${router}: its LAN prefix must hold ${held}, and no static route may lead there`,
          text`Then say so in the configuration: ${code("site.routerIp")} and ${code("site.routerPrefix")}`,
        ],
      };
}
