import {
  duplicateFault,
  duplicateSelectorFault,
  illegalSelectorFault,
  readPools,
  selectsPool,
} from "./configuration.ts";
import type { Cidr } from "./ip.ts";
import { parseIp } from "./ip.ts";
import type { BgpAdvertisement, BgpPeer, Community, IpAddressPool, NodeObject } from "./resources.ts";
import { anyMatches, goSelector, selectorFault } from "./selectors.ts";

/*
 * The BGP half of MetalLB's configuration parser: internal/config/config.go and internal/bgp/community at v0.16.1. Left
 * out: what depends on the BGP implementation (native, FRR) and references to Secrets and BFD profiles, which MetalLB
 * treats as transient.
 */

const quoted = (value: string): string => JSON.stringify(value);

const unsigned = (text: string, bits: 16 | 32): boolean => /^\d+$/.test(text) && Number(text) < 2 ** bits;

/** Why a community is not a value (`65535:65282` or `large:a:b:c`), in MetalLB's words. */
export function communityFault(value: string): string | undefined {
  const parts = value.split(":");
  const section = (text: string, bits: 16 | 32): string | undefined => {
    if (unsigned(text, bits)) return undefined;
    const detail = /^\d+$/.test(text) ? "value out of range" : "invalid syntax";
    const parse = `strconv.ParseUint: parsing ${quoted(text)}: ${detail}`;
    return `invalid community value: invalid section ${quoted(text)} of community ${quoted(value)}, err: ${quoted(parse)}`;
  };
  if (parts.length === 2) return parts.map((part) => section(part, 16)).find((fault) => fault !== undefined);
  if (parts.length === 4) {
    if (parts[0] !== "large")
      return (
        "invalid community value: invalid marker for large community, expected community to be of format " +
        `large:<uint32>:<uint32>:<uint32> but got ${quoted(value)} instead`
      );
    return parts
      .slice(1)
      .map((part) => section(part, 32))
      .find((fault) => fault !== undefined);
  }
  return `invalid community format: ${value}`;
}

export function communitiesFault(communities: readonly Community[]): string | undefined {
  const names = new Set<string>();
  for (const { name, value } of communities.flatMap((object) => object.communities)) {
    const fault = communityFault(value);
    if (fault) return `parsing community ${quoted(name)}: ${fault}`;
    if (names.has(name)) return `duplicate definition of community ${quoted(name)}`;
    names.add(name);
  }
  return undefined;
}

const seconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** A Go duration in seconds. */
export function goDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const total = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (seconds[unit as string] as number),
    0,
  );
  return text.startsWith("-") ? -total : total;
}

/** A duration as Go prints it: `1m30s`, `500ms`. */
function goDurationText(total: number): string {
  const nanoseconds = Math.round(Math.abs(total) * 1e9);
  const sign = total < 0 ? "-" : "";
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${sign}${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${sign}${nanoseconds / 1e6}ms`;
  const whole = nanoseconds / 1e9;
  const minutes = Math.floor(whole / 60);
  const rest = `${Number((whole - minutes * 60).toFixed(9))}s`;
  if (minutes === 0) return `${sign}${rest}`;
  const hours = Math.floor(minutes / 60);
  return `${sign}${hours > 0 ? `${hours}h${minutes % 60}m` : `${minutes}m`}${rest}`;
}

function timersFault({ holdTime, keepaliveTime }: BgpPeer): string | undefined {
  const given = { hold: goDuration(holdTime ?? ""), keepalive: goDuration(keepaliveTime ?? "") };
  if (given.hold === undefined && given.keepalive === undefined) return undefined;
  const hold = given.hold ?? (given.keepalive ?? 0) * 3;
  const keepalive = given.keepalive ?? hold / 3;
  const shown = (value: number | undefined): string =>
    value === undefined ? '"nil"' : quoted(`&Duration{Duration:${goDurationText(value)},}`);
  const whole = Math.trunc(hold);
  if (whole !== 0 && whole < 3) return `invalid hold time ${shown(given.hold)}: must be 0 or >=3s`;
  if (keepalive > hold)
    return `invalid keepaliveTime ${shown(given.keepalive)}, must be lower than holdTime ${shown(given.hold)}`;
  return undefined;
}

function peerFault(peer: BgpPeer): string | undefined {
  const asn = peer.peerASN ?? 0;
  const dynamic = peer.dynamicASN ?? "";
  if ((peer.myASN ?? 0) === 0) return "missing local ASN";
  if (asn === 0 && dynamic === "") return "missing peer ASN and dynamicASN";
  if (asn !== 0 && dynamic !== "") return "both peer ASN and dynamicASN specified";
  if (dynamic !== "" && dynamic !== "internal" && dynamic !== "external")
    return `invalid dynamicASN ${dynamic}`;
  if (asn === peer.myASN && peer.ebgpMultiHop) return "invalid ebgp-multihop parameter set for an ibgp peer";
  const address = peer.peerAddress ?? "";
  const nic = peer.interface ?? "";
  if (address === "" && nic === "") return "peer has no Address or Interface specified";
  if (address !== "" && nic !== "") return "peer has both Address and Interface specified";
  const timers = timersFault(peer);
  if (timers) return `invalid BGPPeer timers: ${timers}`;
  if (address !== "" && !parseIp(address)) return `invalid BGPPeer address ${quoted(address)}`;
  if (peer.routerID && !parseIp(peer.routerID)) return `invalid router ID ${quoted(peer.routerID)}`;
  if (peer.sourceAddress && !parseIp(peer.sourceAddress))
    return `invalid source IP ${quoted(peer.sourceAddress)}`;
  const duplicate = duplicateSelectorFault(peer.nodeSelectors, "nodeSelectors");
  if (duplicate) return duplicate;
  const illegal = peer.nodeSelectors.map(selectorFault).find((fault) => fault !== undefined);
  if (illegal) return `${illegal}\nfailed to convert peer ${peer.name} node selector`;
  if (peer.inlinePassword && peer.passwordSecret)
    return `can not have both password and secret ref set in peer config "${peer.namespace}"/"${peer.name}"`;
  return undefined;
}

export function peersFault(peers: readonly BgpPeer[]): string | undefined {
  for (const peer of peers) {
    const fault = peerFault(peer);
    if (fault) return `parsing peer ${peer.name} ${fault}`;
  }
  return undefined;
}

/** What Go's `%q` makes of a number. */
const goRune = (value: number): string => {
  const character = value <= 0x10ffff ? String.fromCodePoint(value) : "\uFFFD";
  if (character === "'" || character === "\\") return `'\\${character}'`;
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)
    ? `'${character}'`
    : `'\\u${value.toString(16).padStart(4, "0")}'`;
};

const length4 = (ad: BgpAdvertisement): number => ad.aggregationLength ?? 32;
const length6 = (ad: BgpAdvertisement): number => ad.aggregationLengthV6 ?? 128;

function advertisementFault(ad: BgpAdvertisement, aliases: ReadonlySet<string>): string | undefined {
  const duplicate =
    duplicateFault(ad.ipAddressPools, "ipAddressPools") ??
    duplicateFault(ad.communities, "community") ??
    duplicateFault(ad.peers, "peers") ??
    duplicateSelectorFault(ad.ipAddressPoolSelectors, "ipAddressPoolSelectors") ??
    duplicateSelectorFault(ad.nodeSelectors, "nodeSelectors") ??
    duplicateSelectorFault(ad.serviceSelectors, "serviceSelectors");
  if (duplicate) return duplicate;
  if (ad.serviceSelectors.length > 0) {
    if (length4(ad) !== 32)
      return `serviceSelectors and aggregationLength are mutually exclusive, both cannot be set in ${ad.name}`;
    if (length6(ad) !== 128)
      return `serviceSelectors and aggregationLengthV6 are mutually exclusive, both cannot be set in ${ad.name}`;
  }
  // MetalLB formats the number with %q, which prints it as a quoted rune.
  if (length4(ad) > 32) return `invalid aggregation length ${goRune(length4(ad))} for IPv4`;
  if (length6(ad) > 128) return `invalid aggregation length ${goRune(length6(ad))} for IPv6`;
  for (const community of ad.communities) {
    if (aliases.has(community) || !community.includes(":")) continue;
    const fault = communityFault(community);
    if (fault) return `${fault}\ninvalid community ${quoted(community)} in BGP advertisement`;
  }
  const nodes = illegalSelectorFault(ad.nodeSelectors, `failed to parse node selector for ${ad.name}`);
  if (nodes) return nodes;
  for (const selector of ad.serviceSelectors) {
    const illegal = selectorFault(selector);
    if (illegal)
      return `invalid service selector ${goSelector(selector)}: ${illegal}\nfailed to parse service selector for ${ad.name}`;
  }
  const poolSelector = ad.ipAddressPoolSelectors.find((selector) => selectorFault(selector) !== undefined);
  return poolSelector && `${selectorFault(poolSelector)}\ninvalid label selector ${goSelector(poolSelector)}`;
}

type PoolCidrs = Readonly<{ families: ReadonlySet<number>; entries: readonly (readonly Cidr[])[] }>;

function lengthFault(ad: BgpAdvertisement, pool: IpAddressPool, { entries }: PoolCidrs): string | undefined {
  for (const [i, cidrs] of entries.entries()) {
    const [first] = cidrs;
    if (!first) continue;
    const longest = first.family === 4 ? length4(ad) : length6(ad);
    const lowest = Math.min(...cidrs.map(({ length }) => length));
    if (longest < lowest)
      return `invalid aggregation length ${length4(ad)}: prefix ${lowest} in this pool is more specific than the aggregation length for addresses ${pool.addresses[i]}`;
  }
  return undefined;
}

function preferencesClash(
  a: BgpAdvertisement,
  b: BgpAdvertisement,
  { families }: PoolCidrs,
  nodes: readonly NodeObject[],
): boolean {
  if ((a.localPref ?? 0) === (b.localPref ?? 0)) return false;
  const differ4 = length4(a) !== length4(b);
  const differ6 = length6(a) !== length6(b);
  if (
    families.size === 0 ||
    (differ4 && !families.has(6)) ||
    (differ6 && !families.has(4)) ||
    (differ4 && differ6)
  )
    return false;
  if (a.peers.length > 0 && b.peers.length > 0 && !a.peers.some((peer) => b.peers.includes(peer)))
    return false;
  const selects = (ad: BgpAdvertisement, node: NodeObject): boolean =>
    ad.nodeSelectors.length === 0 || anyMatches(ad.nodeSelectors, node.labels);
  return nodes.some((node) => selects(a, node) && selects(b, node));
}

/** The first fault of the BGP advertisements against pools that are valid by themselves. */
export function bgpAdvertisementsFault(
  ads: readonly BgpAdvertisement[],
  pools: readonly IpAddressPool[],
  nodes: readonly NodeObject[],
  communities: readonly Community[],
): string | undefined {
  const aliases = new Set(communities.flatMap((object) => object.communities.map(({ name }) => name)));
  const attached = new Map<string, BgpAdvertisement[]>();
  for (const ad of ads) {
    const fault = advertisementFault(ad, aliases);
    if (fault) return fault;
    for (const pool of pools.filter((candidate) => selectsPool(ad, candidate))) {
      const entries = pool.addresses.map((entry) => {
        const read = readPools([{ ...pool, addresses: [entry], serviceAllocation: undefined }]);
        return "error" in read ? [] : (read.cidrs.get(pool.name) ?? []);
      });
      const cidrs: PoolCidrs = { entries, families: new Set(entries.flat().map(({ family }) => family)) };
      const tooShort = lengthFault(ad, pool, cidrs);
      if (tooShort) return tooShort;
      const before = attached.get(pool.name) ?? [];
      if (ad.serviceSelectors.length === 0) {
        const clash = before.find(
          (other) => other.serviceSelectors.length === 0 && preferencesClash(ad, other, cidrs, nodes),
        );
        if (clash)
          // "preferernce" is MetalLB's spelling.
          return `invalid local preference ${ad.localPref ?? 0}: local preferernce ${clash.localPref ?? 0} was already set for the same type of BGP update. Check existing BGP advertisements with common pools and aggregation lengths`;
      }
      attached.set(pool.name, [...before, ad]);
    }
  }
  return undefined;
}
