import { type Ip, parseIp } from "../metallb/ip.ts";
import { comparisonForm, decodeName, type Fqdn } from "./fqdn.ts";

/** Something a provider must know about one record, such as `aws/weight` or `alias`. */
export type ProviderProperty = Readonly<{ name: string; value: string }>;

/**
 * One wanted or existing record as ExternalDNS's planner sees it (kubernetes-sigs/external-dns, endpoint/endpoint.go).
 * Names and targets have no trailing dot; TXT targets are the quoted values.
 */
export type Endpoint = Readonly<{
  name: string;
  /** Upper case: `A`, `AAAA`, `CNAME`, `TXT` … */
  type: string;
  targets: readonly string[];
  /** Seconds; 0 is "not configured", which Route 53 gets as 300. */
  ttl: number;
  /** Empty where the record has no routing policy. */
  setIdentifier: string;
  /** `owner` and `resource` as the registry stores them; other labels come along. */
  labels: Readonly<Record<string, string>>;
  /** `undefined` and an empty list mean the same to people, but the release that compares them holds them different. */
  providerSpecific: readonly ProviderProperty[] | undefined;
}>;

export const ownerLabel = "owner";
export const resourceLabel = "resource";

export const ownerOf = (endpoint: Endpoint): string | undefined => endpoint.labels[ownerLabel];

/** The label is present and equal, byte for byte (endpoint.go IsOwnedBy). */
export const isOwnedBy = (endpoint: Endpoint, owner: string): boolean =>
  Object.hasOwn(endpoint.labels, ownerLabel) && endpoint.labels[ownerLabel] === owner;

export const property = (endpoint: Endpoint, name: string): string | undefined =>
  endpoint.providerSpecific?.find((each) => each.name === name)?.value;

export const hasProperty = (endpoint: Endpoint, name: string): boolean =>
  endpoint.providerSpecific?.some((each) => each.name === name) ?? false;

export function withProperty(endpoint: Endpoint, name: string, value: string): Endpoint {
  const known = endpoint.providerSpecific ?? [];
  const at = known.findIndex((each) => each.name === name);
  const providerSpecific =
    at < 0 ? [...known, { name, value }] : known.map((each, i) => (i === at ? { name, value } : each));
  return { ...endpoint, providerSpecific };
}

export function withoutProperty(endpoint: Endpoint, name: string): Endpoint {
  if (!hasProperty(endpoint, name)) return endpoint;
  return {
    ...endpoint,
    providerSpecific: (endpoint.providerSpecific ?? []).filter((each) => each.name !== name),
  };
}

export const withLabels = (endpoint: Endpoint, labels: Readonly<Record<string, string>>): Endpoint => ({
  ...endpoint,
  labels: { ...endpoint.labels, ...labels },
});

/** Names that IDNA, case or a trailing dot would hold apart are one row to the planner (internal/idna). */
export const comparedName = (name: string): string => comparisonForm(decodeName(name.trim()) as Fqdn);

/** Row of the planner: types are compared inside it (plan/plan.go planKey). */
export const rowKey = (endpoint: Pick<Endpoint, "name" | "setIdentifier">): string =>
  endpoint.setIdentifier === ""
    ? comparedName(endpoint.name)
    : `${comparedName(endpoint.name)}\0${endpoint.setIdentifier}`;

/** IPv4 as A, IPv6 as AAAA, everything else as CNAME. An IPv4-mapped IPv6 address counts as IPv6, as in Go's netip. */
export function suitableType(target: string): "A" | "AAAA" | "CNAME" {
  if (target.includes(":")) return netip(target) === undefined ? "CNAME" : "AAAA";
  return parseIp(target) === undefined ? "CNAME" : "A";
}

type Netip = Readonly<{ family: 4 | 6; value: bigint; text: string }>;

/** As Go's `netip.ParseAddr`, which keeps IPv4-mapped addresses apart from IPv4. */
function netip(target: string): Netip | undefined {
  const ip: Ip | undefined = parseIp(target);
  if (ip === undefined) return undefined;
  return target.includes(":") && ip.family === 4
    ? { family: 6, value: (0xffffn << 32n) | ip.value, text: `::ffff:${ip.text}` }
    : ip;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Go compares strings by bytes; that equals code points but not UTF-16 units, which differ above U+FFFF only. */
const compareTargets = (a: string, b: string): number => {
  const x = netip(a);
  const y = netip(b);
  return x && y ? byText(x.text, y.text) : byText(a, b);
};

export const sortTargets = (targets: readonly string[]): readonly string[] =>
  targets.length < 2 ? targets : [...targets].sort(compareTargets);

const foldCase = (text: string): string => text.toLowerCase();

/**
 * Equal whatever the order and case, IPv6 in any spelling (endpoint.go Targets.Same). The first pair that differs only in
 * spelling settles it, as upstream: what follows is not looked at.
 */
export function sameTargets(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const x = sortTargets(a);
  const y = sortTargets(b);
  for (let i = 0; i < x.length; i++) {
    const one = x[i] as string;
    const other = y[i] as string;
    if (foldCase(one) === foldCase(other)) continue;
    const p = netip(one);
    const q = netip(other);
    return p !== undefined && q !== undefined && p.text === q.text;
  }
  return true;
}

/**
 * Which of two target lists is the smaller, that wins a name two sources claim: fewer targets first, then an address
 * before a name, addresses by value, names by text (endpoint.go Targets.IsLess). Negative when `a` is smaller.
 */
export function compareTargetLists(a: readonly string[], b: readonly string[]): number {
  if (a.length !== b.length) return a.length - b.length;
  const x = sortTargets(a);
  const y = sortTargets(b);
  for (let i = 0; i < x.length; i++) {
    const one = x[i] as string;
    const other = y[i] as string;
    if (one === other) continue;
    const p = netip(one);
    const q = netip(other);
    if (p && q) {
      if (p.family !== q.family) return p.family - q.family;
      if (p.value !== q.value) return p.value < q.value ? -1 : 1;
      return 0;
    }
    if (p) return -1;
    if (q) return 1;
    return byText(one, other);
  }
  return 0;
}

/** Duplicates removed, in plain order of text (endpoint.go NewTargets). */
export const uniqueTargets = (targets: readonly string[]): readonly string[] =>
  targets.length < 2 ? targets : [...new Set(targets)].sort(byText);

/** Total order over endpoints, to choose the same one whatever the order they came in. */
export const canonicalText = (endpoint: Endpoint): string =>
  JSON.stringify([
    endpoint.name,
    endpoint.type,
    endpoint.setIdentifier,
    endpoint.targets,
    endpoint.ttl,
    Object.entries(endpoint.labels).sort(([a], [b]) => byText(a, b)),
    endpoint.providerSpecific ?? [],
  ]);
