import type { Finding, Severity } from "../finding.ts";
import { common, countOf, rangesOf, rangesText, rangeText, without } from "../metallb/address-ranges.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { parseIp } from "../metallb/ip.ts";
import { type Text, text } from "../text.ts";
import { defineCheck, judged, skipped } from "./check.ts";

export const poolOnLan = defineCheck({
  id: "pool-on-lan",
  about: "cluster",
  title: "The segment and its router look for every pool address on the wire",
  codes: [
    "pool-not-in-lan",
    "pool-not-covered-by-router",
    "static-route-via-node",
    "static-route-inside-lan",
  ],
  page: {
    why: `Layer 2 works for addresses that clients and the router ask for by ARP. An address outside the prefix that they
have on the segment goes to a gateway instead, and no speaker hears of it. A router with a smaller prefix than the segment
needs something that covers the whole pool. A static route through a node is not that: the router then asks for the node,
never for the address; leader, failover and gratuitous ARP have no effect, and \`externalTrafficPolicy: Local\` breaks. It
even wins over a connected prefix that would have been right, because it is longer.`,
    looks: `Everything works through that one node, and stops with it. Or the first addresses of a pool work and those
above a certain number do not. Or clients in the segment reach an address that nobody behind the router does.`,
    fix: `Widen the router's prefix on the LAN until it holds the pool, or move the pool inside. Then delete the static
route and look from behind the router whether its addresses still answer; put the route back if they do not. Deleting it
first cuts off whoever depends on it. Correct \`site:\` in the configuration where it does not say what the router has.`,
  },
  needs: [],
  reads: ["nodes", "ipaddresspools", "l2advertisements", "bgpadvertisements"],
  judge: (_, { site, objects }) => {
    // A pool that is announced by BGP alone may lie anywhere: the router learns it.
    const pools = objects.ipAddressPools.filter(
      (pool) =>
        objects.l2Advertisements.some((ad) => selectsPool(ad, pool)) ||
        !objects.bgpAdvertisements.some((ad) => selectsPool(ad, pool)),
    );
    if (objects.ipAddressPools.length > 0 && pools.length === 0)
      return skipped("every pool is announced by BGP alone");
    const lan = rangesOf([site.lanPrefix]);
    const family = lan[0]?.family;
    const routerLan =
      site.routerIp === undefined || site.routerPrefix === undefined
        ? lan
        : rangesOf([`${site.routerIp}/${site.routerPrefix}`]);
    const nodeOf = (address: string): string | undefined => {
      const wanted = parseIp(address)?.text;
      return objects.nodes.find(({ addresses }) =>
        addresses.some((each) => parseIp(each.address)?.text === wanted),
      )?.name;
    };
    const findings: Finding[] = [];
    for (const pool of pools) {
      const ranges = rangesOf(pool.addresses).filter((range) => range.family === family);
      const all = countOf(ranges);
      const tell = (
        what: string,
        severity: Severity,
        facts: Readonly<Record<string, string | number>>,
        said: Text,
        remedy: Text,
      ): void => {
        findings.push({
          code: what,
          severity,
          subject: { kind: "pool", name: pool.name },
          facts: { lanPrefix: site.lanPrefix, ...facts },
          text: said,
          remedy,
        });
      };
      const outside = without(ranges, lan);
      if (outside.length > 0)
        tell(
          "pool-not-in-lan",
          "error",
          { outside: rangesText(outside), addresses: countOf(outside), of: all },
          text`${countOf(outside)} of ${all} addresses of pool ${pool.name} are outside ${site.lanPrefix}: ${rangesText(outside)}`,
          text`Move the pool inside the segment, or widen the segment on router and hosts`,
        );
      const routes = site.staticRoutes.map((route) => ({ ...route, ranges: rangesOf([route.to]) }));
      const inLan = common(ranges, lan);
      const unknownToRouter = without(inLan, routerLan);
      const uncovered = without(
        unknownToRouter,
        routes.flatMap((route) => route.ranges),
      );
      const [first] = uncovered;
      if (first !== undefined)
        tell(
          "pool-not-covered-by-router",
          "error",
          { uncovered: rangesText(uncovered), addresses: countOf(uncovered), of: all },
          text`the router knows no way to ${countOf(uncovered)} of ${all} addresses of pool ${pool.name}, from ${rangeText(first).split("-")[0] ?? ""} on`,
          text`Widen the router's LAN prefix until it holds the pool; no static route is needed then`,
        );
      for (const route of routes) {
        const caught = common(ranges, route.ranges);
        if (caught.length === 0) continue;
        const node = nodeOf(route.via);
        const facts = { to: route.to, via: route.via, addresses: countOf(caught), of: all };
        const connected = without(caught, routerLan).length === 0;
        if (node !== undefined)
          tell(
            "static-route-via-node",
            "error",
            { ...facts, node },
            text`the router sends ${route.to} to ${route.via} (${node}): ${countOf(caught)} of ${all} addresses of pool ${pool.name} hang on that node alone`,
            connected
              ? text`Delete the route on the router: the addresses are in its own LAN prefix; put it back if they stop answering`
              : text`Widen the router's LAN prefix to hold the pool first, then delete the route`,
          );
        else if (connected)
          tell(
            "static-route-inside-lan",
            "warning",
            facts,
            text`the router sends ${route.to} to ${route.via} although it is in its own LAN prefix: it never asks for those addresses by ARP`,
            text`Delete the route unless ${route.via} is meant to answer; put it back if addresses stop answering`,
          );
      }
    }
    return judged(findings);
  },
});
