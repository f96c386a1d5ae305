import type { Json } from "../../json.ts";

type Fields = Readonly<Record<string, Json | undefined>>;

const word = (value: Json | undefined): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? "");

/** ` name value` when there is a value. */
const part = (name: string, value: Json | undefined): string =>
  value === undefined ? "" : ` ${name} ${word(value)}`;

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const nameOf = (link: Fields): string =>
  link.link_index === undefined ? word(link.ifname) : `${word(link.ifname)}@if${word(link.link_index)}`;

const flagsOf = (link: Fields): string => `<${list(link.flags).map(word).join(",")}>`;

const addressText = (address: Fields): string => {
  const { family, local, prefixlen, broadcast, scope, label } = address;
  const life = (value: Json | undefined) => (value === 4294967295 ? "forever" : `${word(value)}sec`);
  return (
    `    ${word(family)} ${word(local)}/${word(prefixlen)}${part("brd", broadcast)}${part("scope", scope)} ` +
    `${label === undefined ? "" : word(label)}\n` +
    `       valid_lft ${life(address.valid_life_time)} preferred_lft ${life(address.preferred_life_time)}\n`
  );
};

/** A link and its addresses as `ip` prints them for people. */
export function linkText(link: Fields): string {
  const netns = part("link-netnsid", link.link_netnsid);
  const first =
    `${word(link.ifindex)}: ${nameOf(link)}: ${flagsOf(link)}${part("mtu", link.mtu)}${part("qdisc", link.qdisc)}` +
    `${part("master", link.master)}${part("state", link.operstate)}${part("mode", link.linkmode)}` +
    `${part("group", link.group)}${part("qlen", link.txqlen)}`;
  const second =
    link.link_type === undefined
      ? `${netns}\n`
      : `\n    link/${word(link.link_type)} ${word(link.address)}${part("brd", link.broadcast)}${netns}\n`;
  return `${first}${second}${list(link.addr_info)
    .map((address) => addressText(address as Fields))
    .join("")}`;
}

/** One line a link, `ip -br`. */
export function briefText(link: Fields): string {
  const start = `${nameOf(link).padEnd(16)} ${word(link.operstate).padEnd(14)} `;
  if (link.addr_info === undefined) return `${start}${word(link.address)} ${flagsOf(link)} \n`;
  const addresses = list(link.addr_info) as readonly Fields[];
  return `${start}${addresses.map(({ local, prefixlen }) => `${word(local)}/${word(prefixlen)} `).join("")}\n`;
}

/** A route, or the answer to `ip route get`, which has a second line about the cache. */
export function routeText(route: Fields): string {
  const type = route.type === undefined || route.type === "unicast" ? "" : `${word(route.type)} `;
  const line =
    `${type}${word(route.dst)}${part("via", route.gateway)}${part("dev", route.dev)}${part("proto", route.protocol)}` +
    `${part("scope", route.scope)}${part("src", route.prefsrc)}${part("metric", route.metric)}` +
    `${list(route.flags)
      .map((flag) => ` ${word(flag)}`)
      .join("")}${part("uid", route.uid)} \n`;
  if (route.cache === undefined) return line;
  const cache = list(route.cache).map(word).join(",");
  return `${line}    cache ${cache === "" ? "" : `<${cache}> `}\n`;
}

export const neighbourText = (entry: Fields): string =>
  `${word(entry.dst)}${part("dev", entry.dev)}${part("lladdr", entry.lladdr)} ${list(entry.state).map(word).join(",")} \n`;

/** `-o`: line ends inside an entry become backslashes. */
export const oneLine = (text: string): string => `${text.replace(/\n$/, "").replaceAll("\n", "\\")}\n`;
