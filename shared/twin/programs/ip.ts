import type { Json } from "../../json.ts";
import { broadcastOf, formatIpv4, parseIpv4, parsePrefix } from "../ipv4.ts";
import type { Nic } from "../machine.ts";
import { promiscuity, routesOf, routeTo } from "../machine.ts";
import { briefText, linkText, neighbourText, oneLine, routeText } from "./ip-text.ts";
import type { Program, ProgramContext } from "./program.ts";

type Fields = Record<string, Json | undefined>;

const forever = 4294967295;

/** `fe80::` address that the kernel forms from a MAC (modified EUI-64, RFC 4291). */
export function linkLocal(mac: string): string {
  const octets = mac.split(":").map((octet) => Number.parseInt(octet, 16));
  const id = [(octets[0] ?? 0) ^ 2, octets[1], octets[2], 0xff, 0xfe, octets[3], octets[4], octets[5]].map(
    (octet) => octet ?? 0,
  );
  const words = [0, 2, 4, 6].map((i) => ((id[i] ?? 0) << 8) | (id[i + 1] ?? 0));
  // A first word of zero joins the run of zeros that `::` stands for.
  const shown = words[0] === 0 ? words.slice(1) : words;
  return `fe80::${shown.map((word) => word.toString(16)).join(":")}`;
}

const isVeth = (nic: Nic): boolean => nic.spec.kind === "veth";

/** What `ip -d link` adds for a NIC; hardware values are those of a Raspberry Pi 4 under Debian 12. */
function details(nic: Nic, masterKind: string | undefined): Fields {
  const wireless = nic.spec.wireless === true;
  const hardware = nic.spec.kind === undefined;
  const gso = { gso_max_size: 65536, gso_max_segs: 65535, tso_max_size: hardware ? 65536 : 524280 };
  return {
    promiscuity: promiscuity(nic),
    allmulti: 0,
    min_mtu: 68,
    max_mtu: hardware ? 1500 : 65535,
    linkinfo:
      nic.spec.kind === undefined && masterKind === undefined
        ? undefined
        : defined({ info_kind: nic.spec.kind, info_slave_kind: masterKind }),
    inet6_addr_gen_mode: "eui64",
    num_tx_queues: isVeth(nic) ? 2 : hardware && !wireless ? 5 : 1,
    num_rx_queues: isVeth(nic) ? 2 : hardware && !wireless ? 5 : 1,
    ...gso,
    tso_max_segs: 65535,
    gro_max_size: 65536,
    parentbus: hardware ? (wireless ? "sdio" : "platform") : undefined,
    parentdev: hardware ? (wireless ? "mmc1:0001:1" : "fd580000.ethernet") : undefined,
  };
}

type LinkView = Readonly<{
  detailed: boolean;
  /** As `ip addr` prints a link, without the link's own modes. */
  address: boolean;
  /** `bond` or `bridge` when the NIC is enslaved to one. */
  masterKind: string | undefined;
}>;

function linkFields(nic: Nic, { detailed, address, masterKind }: LinkView): Fields {
  const working = nic.up && nic.carrier;
  const hardware = nic.spec.kind === undefined;
  const overrides = nic.spec.attributes ?? {};
  const all: Fields = {
    ifindex: nic.ifindex,
    link_index: isVeth(nic) ? nic.ifindex + 1 : undefined,
    ifname: nic.name,
    flags: [
      ...(nic.up && !nic.carrier ? ["NO-CARRIER"] : []),
      "BROADCAST",
      "MULTICAST",
      ...(nic.spec.noArp === true ? ["NOARP"] : []),
      ...(masterKind === "bond" ? ["SLAVE"] : []),
      ...(nic.up ? ["UP"] : []),
      ...(working ? ["LOWER_UP"] : []),
    ],
    mtu: nic.spec.mtu ?? 1500,
    qdisc: !hardware ? "noqueue" : nic.spec.wireless === true ? "pfifo_fast" : "mq",
    master: nic.spec.master,
    operstate: working ? "UP" : "DOWN",
    linkmode: address ? undefined : nic.spec.wireless === true ? "DORMANT" : "DEFAULT",
    group: "default",
    txqlen: 1000,
    link_type: "ether",
    address: nic.mac,
    broadcast: "ff:ff:ff:ff:ff:ff",
    link_netnsid: isVeth(nic) ? 0 : undefined,
    ...(detailed ? details(nic, masterKind) : {}),
  };
  for (const [key, value] of Object.entries(overrides)) if (detailed || key in all) all[key] = value;
  if (address) delete all.inet6_addr_gen_mode;
  return defined(all);
}

const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function loopback(detailed: boolean, address: boolean): Fields {
  return defined({
    ifindex: 1,
    ifname: "lo",
    flags: ["LOOPBACK", "UP", "LOWER_UP"],
    mtu: 65536,
    qdisc: "noqueue",
    operstate: "UNKNOWN",
    linkmode: address ? undefined : "DEFAULT",
    group: "default",
    txqlen: 1000,
    link_type: "loopback",
    address: "00:00:00:00:00:00",
    broadcast: "00:00:00:00:00:00",
    ...(detailed
      ? {
          promiscuity: 0,
          allmulti: 0,
          min_mtu: 0,
          max_mtu: 0,
          inet6_addr_gen_mode: address ? undefined : "eui64",
          num_tx_queues: 1,
          num_rx_queues: 1,
          gso_max_size: 65536,
          gso_max_segs: 65535,
          tso_max_size: 524280,
          tso_max_segs: 65535,
          gro_max_size: 65536,
        }
      : {}),
  });
}

const loopbackAddresses = (added: readonly string[]): readonly Fields[] => [
  {
    family: "inet",
    local: "127.0.0.1",
    prefixlen: 8,
    scope: "host",
    label: "lo",
    valid_life_time: forever,
    preferred_life_time: forever,
  },
  ...added.map((local) => ({
    family: "inet",
    local,
    prefixlen: 32,
    scope: "global",
    label: "lo",
    valid_life_time: forever,
    preferred_life_time: forever,
  })),
  {
    family: "inet6",
    local: "::1",
    prefixlen: 128,
    scope: "host",
    valid_life_time: forever,
    preferred_life_time: forever,
  },
];

function addressFields(nic: Nic): readonly Fields[] {
  const ipv4 = nic.spec.addresses.flatMap((cidr): Fields[] => {
    const prefix = parsePrefix(cidr);
    if (prefix === undefined) return [];
    return [
      defined({
        family: "inet",
        local: formatIpv4(prefix.address),
        prefixlen: prefix.length,
        broadcast: prefix.length < 31 ? formatIpv4(broadcastOf(prefix)) : undefined,
        scope: "global",
        label: nic.name,
        valid_life_time: forever,
        preferred_life_time: forever,
      }),
    ];
  });
  const ipv6 = nic.spec.addresses
    .filter((cidr) => cidr.includes(":"))
    .map((cidr): Fields => {
      const [local, length] = cidr.split("/");
      return {
        family: "inet6",
        local,
        prefixlen: Number(length ?? 128),
        scope: "global",
        valid_life_time: forever,
        preferred_life_time: forever,
      };
    });
  const own: Fields = {
    family: "inet6",
    local: linkLocal(nic.mac),
    prefixlen: 64,
    scope: "link",
    valid_life_time: forever,
    preferred_life_time: forever,
  };
  return [...ipv4, ...(nic.up ? [...ipv6, own] : [])];
}

const print = (
  context: ProgramContext,
  style: Style,
  entries: readonly Fields[],
  asText: (entry: Fields) => string,
): number => {
  if (style.json) context.out(`${JSON.stringify(entries)}\n`);
  else
    for (const entry of entries)
      context.out(style.layout === "one-line" ? oneLine(asText(entry)) : asText(entry));
  return 0;
};

const refuse = (context: ProgramContext, text: string, exitCode: number): number => {
  context.err(text);
  return exitCode;
};

type Style = Readonly<{
  json: boolean;
  layout: "full" | "one-line" | "brief";
  detailed: boolean;
  /** `-4`: IPv4 addresses alone, and nothing of the link layer's own addresses. */
  ipv4Only: boolean;
}>;

const withoutLinkLayer = ({ link_type: _t, address: _a, broadcast: _b, ...rest }: Fields): Fields => rest;

function deviceArgument(args: readonly string[]): string | undefined {
  const words = args.filter((arg) => !["show", "list", "ls", "sh", "s"].includes(arg));
  const dev = words.indexOf("dev");
  return dev >= 0 ? words[dev + 1] : words[0];
}

function show(kind: "addr" | "link", args: readonly string[], style: Style, context: ProgramContext): number {
  const wanted = deviceArgument(args.filter((arg) => arg !== "up"));
  const upOnly = args.includes("up");
  const address = kind === "addr";
  const entries: Fields[] = [];
  const add = (link: Fields, addresses: readonly Fields[]) => {
    const shown = style.ipv4Only ? addresses.filter(({ family }) => family === "inet") : addresses;
    if (!address) entries.push(link);
    else if (!style.ipv4Only) entries.push({ ...link, addr_info: shown });
    else if (shown.length > 0) entries.push({ ...withoutLinkLayer(link), addr_info: shown });
  };
  if (wanted === undefined || wanted === "lo")
    add(loopback(style.detailed, address), loopbackAddresses(context.machine.loopback));
  for (const nic of context.machine.nics)
    if ((wanted === undefined || wanted === nic.name) && (!upOnly || nic.up))
      add(
        linkFields(nic, {
          detailed: style.detailed,
          address,
          masterKind: context.machine.nics.find(({ name }) => name === nic.spec.master)?.spec.kind,
        }),
        addressFields(nic),
      );
  if (entries.length === 0 && wanted !== "lo" && !context.machine.nics.some((nic) => nic.name === wanted))
    return refuse(context, `Device "${wanted}" does not exist.\n`, 1);
  return print(context, style, entries, style.layout === "brief" ? briefText : linkText);
}

/** The route of a NIC's IPv6 link-local address, which the kernel makes with it. */
const linkLocalRoute = (nic: Nic, style: Style, wanted: string | undefined): Fields =>
  defined({
    type: style.detailed ? "unicast" : undefined,
    dst: "fe80::/64",
    dev: wanted === undefined ? nic.name : undefined,
    table: style.detailed ? "main" : undefined,
    protocol: "kernel",
    scope: style.detailed ? "global" : undefined,
    metric: 256,
    flags: nic.carrier ? [] : ["linkdown"],
    pref: "medium",
  });

function showRoutes(args: readonly string[], style: Style, context: ProgramContext): number {
  const dev = args.indexOf("dev");
  const wanted = dev >= 0 ? args[dev + 1] : undefined;
  const only = args.find((arg) => arg === "default" || parsePrefix(arg) !== undefined);
  const routes = routesOf(context.machine).filter(
    (route) => (wanted === undefined || route.dev === wanted) && (only === undefined || route.dst === only),
  );
  const everyTable = args.includes("table") && !style.ipv4Only && only === undefined;
  const linkLocals = context.machine.nics.filter(
    (nic) => everyTable && nic.up && (wanted === undefined || nic.name === wanted),
  );
  const main = routes.map((route) =>
    defined({
      type: style.detailed ? "unicast" : undefined,
      dst: route.dst,
      gateway: route.gateway,
      dev: wanted === undefined ? route.dev : undefined,
      table: style.detailed && args.includes("table") ? "main" : undefined,
      protocol: route.protocol === "boot" && !style.detailed ? undefined : route.protocol,
      scope: route.scope === "global" && !style.detailed ? undefined : route.scope,
      prefsrc: route.prefsrc,
      metric: route.metric,
      flags: route.linkdown ? ["linkdown"] : [],
    }),
  );
  return print(
    context,
    style,
    [...main, ...linkLocals.map((nic) => linkLocalRoute(nic, style, wanted))],
    routeText,
  );
}

function routeGet(args: readonly string[], style: Style, context: ProgramContext): number {
  const target = args.find((arg) => !["to", "from", "dev", "oif"].includes(arg)) ?? "";
  if (parseIpv4(target) === undefined)
    return refuse(context, `Error: any valid prefix is expected rather than "${target}".\n`, 1);
  const found = routeTo(context.machine, target);
  if (found === undefined) return refuse(context, "RTNETLINK answers: Network is unreachable\n", 2);
  const uid = context.privileged ? 0 : 1000;
  const answer: Fields =
    found.type === "local"
      ? { type: "local", dst: target, dev: "lo", prefsrc: found.prefsrc, flags: [], uid, cache: ["local"] }
      : defined({
          dst: target,
          gateway: found.gateway,
          dev: found.dev,
          prefsrc: found.prefsrc,
          flags: [],
          uid,
          cache: [],
        });
  return print(context, style, [answer], routeText);
}

function showNeighbours(args: readonly string[], style: Style, context: ProgramContext): number {
  const dev = args.indexOf("dev");
  const wanted = dev >= 0 ? args[dev + 1] : undefined;
  const address = args.find((arg) => parseIpv4(arg) !== undefined);
  return print(
    context,
    style,
    context.machine.neighbours
      .filter(
        (entry) => (wanted === undefined || entry.dev === wanted) && (address ?? entry.dst) === entry.dst,
      )
      .map((entry) =>
        defined({
          dst: entry.dst,
          dev: wanted === undefined ? entry.dev : undefined,
          lladdr: entry.lladdr,
          state: [entry.state],
        }),
      ),
    neighbourText,
  );
}

function linkSet(args: readonly string[], context: ProgramContext): number {
  const words = args.filter((arg) => arg !== "dev");
  const nic = words[0] ?? "";
  const state = words[1];
  if (!context.privileged) return refuse(context, "RTNETLINK answers: Operation not permitted\n", 2);
  if (!context.machine.nics.some((each) => each.name === nic))
    return refuse(context, `Cannot find device "${nic}"\n`, 1);
  if (state !== "up" && state !== "down")
    return refuse(context, `Error: either "dev" is duplicate, or "${state}" is a garbage.\n`, 255);
  context.setLink(nic, { up: state === "up" });
  return 0;
}

/** `addr add|replace|del ADDRESS/32 dev lo`; the addresses of a NIC are those it was built with. */
function addressSet(args: readonly string[], context: ProgramContext): number {
  const [action = "", ...rest] = args;
  const words = rest.filter((arg) => arg !== "local");
  const dev = words.indexOf("dev");
  const prefix = parsePrefix(words[0] ?? "");
  if (prefix === undefined)
    return refuse(context, `Error: any valid prefix is expected rather than "${words[0] ?? ""}".\n`, 1);
  if (dev < 0) return refuse(context, 'Not enough information: "dev" argument is required.\n', 1);
  const nic = words[dev + 1] ?? "";
  if (nic !== "lo" && !context.machine.nics.some(({ name }) => name === nic))
    return refuse(context, `Cannot find device "${nic}"\n`, 1);
  if (!context.privileged) return refuse(context, "RTNETLINK answers: Operation not permitted\n", 2);
  if (nic !== "lo" || prefix.length !== 32)
    return refuse(context, "RTNETLINK answers: Operation not supported\n", 2);
  const { loopback: added } = context.machine;
  const address = formatIpv4(prefix.address);
  const at = added.indexOf(address);
  if (action === "del") {
    if (at < 0) return refuse(context, "RTNETLINK answers: Cannot assign requested address\n", 2);
    added.splice(at, 1);
    return 0;
  }
  if (at < 0) added.push(address);
  else if (action === "add") return refuse(context, "RTNETLINK answers: File exists\n", 2);
  return 0;
}

const objects = ["address", "link", "route", "neighbour"] as const;

/** iproute2 takes any beginning of an object's name. */
const objectNamed = (word: string): (typeof objects)[number] | undefined =>
  word === "neighbor" ? "neighbour" : objects.find((object) => word !== "" && object.startsWith(word));

/** iproute2 6.1: the read side, `link set DEV up|down`, and addresses of `lo`. Of `-d` the text output shows nothing. */
export const ip: Program = (args, context) => {
  let detailed = false;
  let ipv4Only = false;
  let json = false;
  let layout: Style["layout"] = "full";
  let i = 0;
  for (; args[i]?.startsWith("-") === true; i++) {
    const flag = args[i] ?? "";
    if (flag === "-V" || flag === "-Version") {
      context.out("ip utility, iproute2-6.1.0, libbpf 1.1.2\n");
      return 0;
    }
    if (flag === "-d" || flag === "-details") detailed = true;
    else if (flag === "-4") ipv4Only = true;
    else if (flag === "-j" || flag === "-json") json = true;
    else if (flag === "-o" || flag === "-oneline") layout = "one-line";
    else if (flag === "-br" || flag === "-brief") layout = "brief";
    else return refuse(context, `Option "${flag}" is unknown, try "ip -help".\n`, 255);
  }
  const object = objectNamed(args[i] ?? "");
  if (object === undefined)
    return refuse(context, `Object "${args[i] ?? ""}" is unknown, try "ip help".\n`, 1);
  const rest = args.slice(i + 1);
  const style: Style = { json, layout, detailed, ipv4Only };
  if (object === "link" && rest[0] === "set") return linkSet(rest.slice(1), context);
  if (object === "link") return show("link", rest, style, context);
  if (object === "address" && ["add", "replace", "del"].includes(rest[0] ?? ""))
    return addressSet(rest, context);
  if (object === "address") return show("addr", rest, style, context);
  if (object === "route" && rest[0] === "get") return routeGet(rest.slice(1), style, context);
  if (object === "route") return showRoutes(rest, style, context);
  return showNeighbours(rest, style, context);
};
