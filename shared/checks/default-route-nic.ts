import { isAddressedIn } from "../arp/mac-table.ts";
import { code, join, text } from "../text.ts";
import { defineCheck, found, judged, skipped } from "./check.ts";

export const defaultRouteNic = defineCheck({
  id: "default-route-nic",
  about: "node",
  title: "The default route leaves by the LAN interface",
  codes: ["default-route-nic"],
  page: {
    why: `Replies to clients behind the router leave by the default route. When that is another interface than the one
the addresses are announced on, for instance Wi-Fi because its route has the lower metric, requests come in by cable and
replies go out by radio: asymmetric, slower, and dropped by routers and firewalls that expect both ways in one place.`,
    looks: `Clients in the segment are fine while clients behind the router see time-outs or slow answers.
\`ip route get 1.1.1.1\` on the node names another interface than \`ip route get\` towards the LAN.`,
    fix: `Give the route of the LAN interface the lower metric in the node's network manager
(\`ipv4.route-metric\` of NetworkManager, \`RouteMetric=\` of networkd, \`metric\` of dhcpcd), or take the other
interface down for good. To go back, restore the old metric. Where a second network is meant to hold the default route,
name the LAN interface under \`site.lanNic\` and accept this finding knowingly.`,
  },
  common: "send replies out of the wrong interface",
  needs: ["ip-addr", "ip-routes", "wireless-nics"],
  reads: [],
  judge: ({ node, "ip-addr": nics, "ip-routes": routes, "wireless-nics": wireless }, { site }) => {
    const family = site.lanPrefix.includes(":") ? 6 : 4;
    const defaults = routes.filter(
      (route) =>
        route.dst === "default" && route.family === family && route.table === "main" && !route.linkDown,
    );
    const least = Math.min(...defaults.map(({ metric }) => metric));
    const used = defaults.filter(({ metric }) => metric === least);
    if (used.length === 0) return skipped("no default route in use");
    const named = site.lanNic.find(({ nodes }) => nodes.includes(node))?.nic;
    const inLan = nics.filter((nic) => nic.up && isAddressedIn(nic, site.lanPrefix)).map(({ name }) => name);
    const wired = inLan.filter((name) => !wireless.includes(name));
    const right = named === undefined ? (wired.length > 0 ? wired : inLan) : [named];
    if (right.length === 0) return skipped(`no interface in ${site.lanPrefix}`);
    const wrong = used.flatMap(({ nic }) => (nic !== undefined && !right.includes(nic) ? [nic] : []));
    const [first] = wrong;
    if (first === undefined) return judged([]);
    return judged([
      found({
        code: "default-route-nic",
        severity: "warning",
        node,
        nic: first,
        facts: { uses: used.map(({ nic, metric }) => ({ nic: nic ?? null, metric })), lan: right },
        text: text`default route leaves by ${join(wrong, " and ")} (metric ${least}), not by ${join(right, " or ")}`,
        remedy: text`Give ${join(right, " or ")} the lower metric: ${code("/nodes explain default-route-nic")}`,
      }),
    ]);
  },
});
