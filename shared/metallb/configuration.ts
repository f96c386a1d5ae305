import type { Cidr } from "./ip.ts";
import { contains, overlaps, parseAddresses, parseIp } from "./ip.ts";
import type { IpAddressPool, L2Advertisement, NodeObject } from "./resources.ts";
import type { LabelSelector } from "./selectors.ts";
import {
  anyMatches,
  goRequirement,
  goSelector,
  goSelectorPointer,
  matches,
  selectorFault,
  selectorIdentity,
} from "./selectors.ts";
import type { ElectionRules } from "./versions.ts";

/**
 * MetalLB's reading of its own objects, as both its webhooks and its speakers do it: one fault makes the whole
 * configuration invalid. Rules and error wording read in internal/config/config.go at v0.16.1; the rules for pools,
 * duplicates and selectors are the same back to v0.13.0.
 */
export type Advertisement = Readonly<{
  /** `namespace/name`. */
  key: string;
  /** Nodes it selects. */
  nodes: ReadonlySet<string>;
  /** Empty means all interfaces. */
  interfaces: readonly string[];
  serviceSelectors: readonly LabelSelector[];
  /** Summed preference weight by node; only `main` gives one. */
  preference: ReadonlyMap<string, number>;
}>;

export type Pool = Readonly<{ name: string; cidrs: readonly Cidr[]; l2: readonly Advertisement[] }>;

export type Configuration =
  | Readonly<{ ok: true; pools: readonly Pool[] }>
  | Readonly<{ ok: false; error: string }>;

const quoted = (value: string): string => JSON.stringify(value);

/** First repeated entry of a list, in MetalLB's words. */
export function duplicateFault(values: readonly string[], what: string): string | undefined {
  const twice = values.find((value, i) => values.indexOf(value) < i);
  return twice === undefined ? undefined : `duplicate definition of ${what} ${quoted(twice)}`;
}

/** Repeated selectors in a list, repeated requirements in a selector, repeated values in a requirement. */
export function duplicateSelectorFault(list: readonly LabelSelector[], what: string): string | undefined {
  const identities = list.map(selectorIdentity);
  for (const [i, selector] of list.entries()) {
    const requirements = selector.matchExpressions.map(({ key, operator, values }) =>
      JSON.stringify([key, operator, [...values].sort()]),
    );
    for (const [j, requirement] of selector.matchExpressions.entries()) {
      const value = duplicateFault(
        [...requirement.values].sort(),
        "match expression value in label selector",
      );
      if (value) return value;
      if (requirements.includes(requirements[j] as string, j + 1))
        return `duplicate definition of match expressions ${goRequirement(requirement, quoted)}`;
    }
    if (identities.includes(identities[i] as string, i + 1))
      return `duplicate definition of ${what} ${goSelector(selector, quoted)}`;
  }
  return undefined;
}

/** The first selector of a list that Kubernetes would refuse, told as MetalLB tells it. */
export function illegalSelectorFault(list: readonly LabelSelector[], context: string): string | undefined {
  for (const selector of list) {
    const fault = selectorFault(selector);
    if (fault) return `${fault}\ninvalid label selector ${goSelector(selector)}\n${context}`;
  }
  return undefined;
}

const joined = (...lines: string[]): string => lines.filter((line) => line !== "").join("\n");

function allocationFault(pool: IpAddressPool): string | undefined {
  const allocation = pool.serviceAllocation;
  if (!allocation) return undefined;
  const { namespaces, namespaceSelectors, serviceSelectors } = allocation;
  if (new Set(namespaces).size < namespaces.length) return "duplicate definition in namespaces field";
  const duplicate =
    duplicateSelectorFault(namespaceSelectors, "namespaceSelectors") ??
    duplicateSelectorFault(serviceSelectors, "serviceSelectors");
  if (duplicate) return duplicate;
  for (const selector of namespaceSelectors) {
    const fault = selectorFault(selector);
    if (fault)
      return joined(
        fault,
        `invalid namespace label selector ${goSelectorPointer(selector)} in ip pool ${pool.name}`,
      );
  }
  for (const selector of serviceSelectors) {
    const fault = selectorFault(selector);
    if (fault)
      return joined(fault, `invalid service label selector ${goSelector(selector)} in ip pool ${pool.name}`);
  }
  return undefined;
}

/** Pools with their prefixes, or the first fault: malformed, empty, duplicate, overlapping. */
export function readPools(
  pools: readonly IpAddressPool[],
): Readonly<{ cidrs: ReadonlyMap<string, readonly Cidr[]> }> | Readonly<{ error: string }> {
  const known = new Map<string, readonly Cidr[]>();
  const taken: Cidr[] = [];
  for (const pool of pools) {
    const because = (fault: string) => ({ error: `parsing address pool ${pool.name}: ${fault}` });
    if (pool.addresses.length === 0) return because("pool has no prefixes defined");
    const cidrs: Cidr[] = [];
    for (const entry of pool.addresses) {
      const parsed = parseAddresses(entry);
      if ("error" in parsed)
        return because(`invalid CIDR ${quoted(entry)} in pool ${quoted(pool.name)}: ${parsed.error}`);
      cidrs.push(...parsed);
    }
    const allocation = allocationFault(pool);
    if (allocation) return because(allocation);
    if (known.has(pool.name)) return { error: `duplicate definition of pool ${quoted(pool.name)}` };
    for (const cidr of cidrs) {
      const other = taken.find((already) => overlaps(already, cidr));
      if (other)
        return {
          error: `CIDR ${quoted(cidr.text)} in pool ${quoted(pool.name)} overlaps with already defined CIDR ${quoted(other.text)}`,
        };
      taken.push(cidr);
    }
    known.set(pool.name, cidrs);
  }
  return { cidrs: known };
}

/** The first fault of an L2Advertisement on its own; pools it names need not exist. */
export function l2AdvertisementFault(ad: L2Advertisement, rules: ElectionRules): string | undefined {
  const services = rules.serviceSelectors ? ad.serviceSelectors : [];
  const fault =
    duplicateFault(ad.ipAddressPools, "ipAddressPools") ??
    duplicateSelectorFault(ad.ipAddressPoolSelectors, "ipAddressPoolSelectors") ??
    duplicateSelectorFault(ad.nodeSelectors, "nodeSelectors") ??
    duplicateSelectorFault(services, "serviceSelectors") ??
    illegalSelectorFault(ad.nodeSelectors, `failed to parse node selector for ${ad.name}`);
  if (fault) return fault;
  for (const selector of services) {
    const illegal = selectorFault(selector);
    if (illegal)
      return joined(
        `invalid service selector ${goSelector(selector)}: ${illegal}`,
        `failed to parse service selector for ${ad.name}`,
      );
  }
  if (rules.preferredNodes) {
    for (const { preference } of ad.preferredNodeSelectors) {
      const illegal = preference && selectorFault(preference);
      if (preference && illegal)
        return joined(
          illegal,
          `invalid preferred node selector ${goSelector(preference)}`,
          `failed to parse preferred node selectors for ${ad.name}`,
        );
    }
  }
  for (const selector of ad.ipAddressPoolSelectors) {
    const illegal = selectorFault(selector);
    if (illegal) return joined(illegal, `invalid label selector ${goSelector(selector)}`);
  }
  return undefined;
}

/** All pools only when both lists are empty; otherwise the union of names and labels. Unknown names select nothing. */
export const selectsPool = (
  ad: Readonly<{ ipAddressPools: readonly string[]; ipAddressPoolSelectors: readonly LabelSelector[] }>,
  pool: Readonly<{ name: string; labels: Readonly<Record<string, string>> }>,
): boolean =>
  (ad.ipAddressPools.length === 0 && ad.ipAddressPoolSelectors.length === 0) ||
  ad.ipAddressPools.includes(pool.name) ||
  anyMatches(ad.ipAddressPoolSelectors, pool.labels);

function advertisement(
  ad: L2Advertisement,
  nodes: readonly NodeObject[],
  rules: ElectionRules,
): Advertisement {
  const selected = nodes.filter(
    (node) =>
      !rules.nodeSelectors || ad.nodeSelectors.length === 0 || anyMatches(ad.nodeSelectors, node.labels),
  );
  const preferred = rules.preferredNodes ? ad.preferredNodeSelectors : [];
  return {
    key: `${ad.namespace}/${ad.name}`,
    nodes: new Set(selected.map(({ name }) => name)),
    interfaces: rules.interfaces ? ad.interfaces : [],
    serviceSelectors: rules.serviceSelectors ? ad.serviceSelectors : [],
    preference: new Map(
      selected.map((node) => [
        node.name,
        preferred
          .filter(({ preference }) => preference === undefined || matches(preference, node.labels))
          .reduce((sum, { weight }) => sum + weight, 0),
      ]),
    ),
  };
}

/** Reads pools and L2 advertisements the way a speaker does. */
export function readConfiguration(
  given: Readonly<{
    ipAddressPools: readonly IpAddressPool[];
    l2Advertisements: readonly L2Advertisement[];
    nodes: readonly NodeObject[];
  }>,
  rules: ElectionRules,
): Configuration {
  const pools = readPools(given.ipAddressPools);
  if ("error" in pools) return { ok: false, error: pools.error };
  for (const ad of given.l2Advertisements) {
    const error = l2AdvertisementFault(ad, rules);
    if (error) return { ok: false, error };
  }
  const advertisements = given.l2Advertisements.map((ad) => ({
    ad,
    read: advertisement(ad, given.nodes, rules),
  }));
  return {
    ok: true,
    pools: given.ipAddressPools.map((pool) => ({
      name: pool.name,
      cidrs: pools.cidrs.get(pool.name) ?? [],
      l2: advertisements.filter(({ ad }) => selectsPool(ad, pool)).map(({ read }) => read),
    })),
  };
}

/** The pool that holds every one of a Service's addresses; a Service spread over two pools has none. */
export const poolOf = (pools: readonly Pool[], addresses: readonly string[]): Pool | undefined =>
  pools.find((pool) =>
    addresses.every((address) => {
      const ip = parseIp(address);
      return ip !== undefined && pool.cidrs.some((cidr) => contains(cidr, ip));
    }),
  );
