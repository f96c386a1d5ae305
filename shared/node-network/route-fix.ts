import type { FixPlan, Lines } from "../checks/fix.ts";
import type { KernelRoute } from "../probes/node-routes.ts";
import { renderArgv } from "../probes/render-argv.ts";
import { code, type Text, text } from "../text.ts";
import { armed } from "./disable-nic.ts";
import type { Claim } from "./managers.ts";

type Lasting = Readonly<{ change: Lines; undo: Lines; lasts: Text }>;

/** Where a route comes from again at the next start, by who wrote it and who manages its interface. */
function lasting({ dst, gateway = "", protocol = "" }: KernelRoute, claim: Claim | undefined): Lasting {
  const words = (lasts: Text): Lasting => ({ change: [], undo: [], lasts });
  if (protocol === "dhcp")
    return words(
      text`DHCP handed the route out and does so again with the next lease: take it out of option 121 there`,
    );
  if (["bird", "bgp", "ospf", "zebra"].includes(protocol))
    return words(text`${protocol} wrote the route and writes it again: withdraw it where it is announced`);
  if (claim?.manager === "NetworkManager" && claim.profile !== undefined) {
    const modify = (sign: string) =>
      renderArgv([
        "nmcli",
        "connection",
        "modify",
        claim.profile ?? "",
        `${sign}ipv4.routes`,
        `${dst} ${gateway}`,
      ]);
    return {
      change: [`sudo ${modify("-")}`],
      undo: [`sudo ${modify("+")}`],
      lasts: text`the profile ${code(claim.profile)} of NetworkManager no longer has the route`,
    };
  }
  const where: Readonly<Record<string, string>> = {
    "systemd-networkd": `the [Route] section with Destination=${dst} in ${claim?.file ?? "/etc/systemd/network"} (with netplan: under routes: in /etc/netplan)`,
    ifupdown: `the line with ${dst} under the interface in ${claim?.file ?? "/etc/network/interfaces"}`,
    dhcpcd: `static_routes in /etc/dhcpcd.conf, or a file in /lib/dhcpcd/dhcpcd-hooks`,
  };
  const place = claim === undefined ? undefined : where[claim.manager];
  return words(
    place === undefined
      ? text`whatever set it may set it again: ${code(`sudo grep -rnF ${dst} /etc`)} finds it`
      : text`it comes back at the next start until this is gone: ${place}`,
  );
}

/** Takes one route away. `claim` is who manages the interface it leaves by. */
export function routePlan(
  node: string,
  route: KernelRoute,
  address: string,
  claim: Claim | undefined,
): FixPlan {
  const { dst, gateway = "", nic = "", metric, protocol } = route;
  const line = renderArgv([
    dst,
    "via",
    gateway,
    "dev",
    nic,
    ...(protocol === undefined ? [] : ["proto", protocol]),
    ...(metric === 0 ? [] : ["metric", String(metric)]),
  ]);
  const last = lasting(route, claim);
  return {
    title: text`Remove the route ${dst} by way of ${gateway} from ${node}`,
    ...armed("route", [`ip route add ${line}`]),
    change: [`sudo ip route del ${line}`, ...last.change],
    lasts: last.lasts,
    verify: [
      `ip route get ${address}   # without "via"`,
      `arpeggio nodes check ${node} --only route-via-gateway`,
    ],
    undo: [`sudo ip route add ${line}`, ...last.undo],
    instead: [],
    notes: [],
  };
}
