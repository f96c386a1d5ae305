import ipaddr from "ipaddr.js";

/** An address as MetalLB sees it: what Go's `net.ParseIP` accepts, IPv4-mapped IPv6 counted as IPv4. */
export type Ip = Readonly<{
  family: 4 | 6;
  value: bigint;
  /** Text as Go's `net.IP.String` prints it; this is what MetalLB hashes. */
  text: string;
}>;

/** An aligned prefix. */
export type Cidr = Readonly<{ family: 4 | 6; first: bigint; last: bigint; length: number; text: string }>;

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128);

const bytesToBigInt = (bytes: readonly number[]): bigint =>
  bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

const ipv4Text = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");

/** RFC 5952: lower case, the first longest run of at least two zero groups shortened. */
function ipv6Text(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

export const ipOf = (family: 4 | 6, value: bigint): Ip => ({
  family,
  value,
  text: family === 4 ? ipv4Text(value) : ipv6Text(value),
});

/** `undefined` for what Go rejects too: leading zeros, short forms, zones, ports. */
export function parseIp(text: string): Ip | undefined {
  if (text.includes(":")) {
    if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
    const dotted = text.includes(".") ? text.slice(text.lastIndexOf(":") + 1) : undefined;
    if (dotted !== undefined && /(^|\.)0\d/.test(dotted)) return undefined;
    const value = bytesToBigInt(ipaddr.IPv6.parse(text).toByteArray());
    return value >> 32n === 0xffffn ? ipOf(4, value & 0xffffffffn) : ipOf(6, value);
  }
  if (/(^|\.)0\d/.test(text) || !ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  return ipOf(4, bytesToBigInt(ipaddr.IPv4.parse(text).toByteArray()));
}

const cidrOf = (family: 4 | 6, value: bigint, length: number): Cidr => {
  const host = BigInt(width(family) - length);
  const first = (value >> host) << host;
  return {
    family,
    first,
    last: first + (1n << host) - 1n,
    length,
    text: `${ipOf(family, first).text}/${length}`,
  };
};

/** The address as Go holds it, in 16 bytes. */
const mapped = ({ family, value }: Ip): bigint => (family === 4 ? (0xffffn << 32n) | value : value);

/** The fewest prefixes that cover `first` to `last` exactly, lowest first. */
function summarise(family: 4 | 6, first: bigint, last: bigint): readonly Cidr[] {
  const out: Cidr[] = [];
  for (let at = first; at <= last; ) {
    let bits = 0;
    while (
      bits < width(family) &&
      (at & ((1n << BigInt(bits + 1)) - 1n)) === 0n &&
      at + (1n << BigInt(bits + 1)) - 1n <= last
    ) {
      bits++;
    }
    out.push(cidrOf(family, at, width(family) - bits));
    at += 1n << BigInt(bits);
  }
  return out;
}

/**
 * One entry of a pool's `addresses`: a CIDR (host bits are masked away) or `first-last`, inclusive. The error texts are
 * those of MetalLB's configuration parser, which people meet in the webhook's answer (read at v0.16.1).
 */
export function parseAddresses(entry: string): readonly Cidr[] | Readonly<{ error: string }> {
  const dash = entry.indexOf("-");
  if (dash < 0) {
    const [, base, digits] = /^([^/]*)\/(\d{1,7})$/.exec(entry) ?? [];
    const ip = base === undefined ? undefined : parseIp(base);
    const length = Number(digits);
    if (ip === undefined || length > (base?.includes(":") ? 128 : 32))
      return { error: `invalid CIDR "${entry}"` };
    if (ip.family === 6 || !base?.includes(":")) return [cidrOf(ip.family, ip.value, length)];
    // IPv4 written as IPv6 (::ffff:10.0.0.0/120).
    return [length >= 96 ? cidrOf(4, ip.value, length - 96) : cidrOf(6, mapped(ip), length)];
  }
  const [from, to] = [entry.slice(0, dash), entry.slice(dash + 1)];
  const start = parseIp(from.trim());
  if (!start) return { error: `invalid IP range "${entry}": invalid start IP "${from}"` };
  const end = parseIp(to.trim());
  if (!end) return { error: `invalid IP range "${entry}": invalid end IP "${to}"` };
  if (mapped(start) > mapped(end))
    return {
      error: `invalid IP range "${entry}": start IP "${start.text}" is after the end IP "${end.text}"`,
    };
  // MetalLB accepts a range from one family to the other and finds no address in it.
  return start.family === end.family ? summarise(start.family, start.value, end.value) : [];
}

export const contains = (cidr: Cidr, ip: Ip): boolean =>
  cidr.family === ip.family && cidr.first <= ip.value && ip.value <= cidr.last;

export const overlaps = (a: Cidr, b: Cidr): boolean =>
  a.family === b.family && a.first <= b.last && b.first <= a.last;
