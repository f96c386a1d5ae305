import type { Fqdn } from "../dns/fqdn.ts";
import { isWithin } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { DnsRecord, DnsResponse } from "./dns-message.ts";

type Index = Readonly<{ byName: ReadonlyMap<string, readonly RecordSet[]>; above: ReadonlySet<string> }>;

const indexes = new WeakMap<readonly RecordSet[], Index>();

const parentOf = (name: string): string => name.slice(name.indexOf(".") + 1);

/** `above` are names that exist only because something stands below them (RFC 4592, empty non-terminals). */
function indexOf(zone: Fqdn, sets: readonly RecordSet[]): Index {
  const known = indexes.get(sets);
  if (known !== undefined) return known;
  const byName = Map.groupBy(sets, ({ name }) => name as string);
  const above = new Set<string>();
  for (const name of byName.keys())
    for (let up = name; up !== zone && isWithin(up, zone); up = parentOf(up)) if (up !== name) above.add(up);
  const index = { byName, above };
  indexes.set(sets, index);
  return index;
}

const longestChain = 16;

/**
 * Route 53 answers one record set of a policy at a time, by weights, health and where the asker is. The model answers as
 * for an asker anywhere with all targets healthy: the primary, the heaviest, the default location, else the first.
 */
function chosen(sets: readonly RecordSet[]): readonly RecordSet[] {
  const [first] = sets;
  if (first === undefined || sets.length === 1) return sets;
  if (first.routing.policy === "multivalue") return sets.slice(0, 8);
  const primary = sets.find(({ routing }) => routing.policy === "failover" && routing.role === "PRIMARY");
  const anywhere = sets.find(({ routing }) => routing.policy === "geolocation" && routing.country === "*");
  const weight = ({ routing }: RecordSet) => (routing.policy === "weighted" ? routing.weight : 0);
  const heaviest = sets.reduce((best, set) => (weight(set) > weight(best) ? set : best), first);
  return [primary ?? anywhere ?? heaviest];
}

/** Names in values end in a dot on the wire, however they were entered. */
const withDot: Readonly<Record<string, (value: string) => string>> = Object.fromEntries(
  ["CNAME", "NS", "MX", "PTR", "SRV", "DNAME"].map((type) => [
    type,
    (value: string) => (value.endsWith(".") ? value : `${value}.`),
  ]),
);

const recordsOf = (set: RecordSet, name: Fqdn): readonly DnsRecord[] =>
  set.answer.kind === "alias"
    ? []
    : set.answer.values.map((value) => ({
        name,
        ttl: set.answer.kind === "values" ? set.answer.ttl : 0,
        type: set.type,
        value: withDot[set.type]?.(value) ?? value,
      }));

export type AnswerOptions = Readonly<{
  /** Addresses behind an alias that leaves the zone; without it such an alias has no answer. */
  elsewhere?: (target: Fqdn, type: string) => readonly string[];
}>;

/** Negative answers live for the smaller of the SOA's TTL and its minimum (RFC 2308). */
export function negativeTtl(soa: DnsRecord): number {
  const minimum = Number(soa.value.split(/\s+/)[6]);
  return Number.isFinite(minimum) ? Math.min(soa.ttl, minimum) : soa.ttl;
}

/** What an authoritative server of a zone answers from its record sets; a CNAME that leaves the zone ends the answer. */
export function zoneAnswer(
  zone: Fqdn,
  sets: readonly RecordSet[],
  question: Readonly<{ name: Fqdn; type: string }>,
  options: AnswerOptions = {},
): DnsResponse {
  const index = indexOf(zone, sets);
  const at = (name: string): readonly RecordSet[] => index.byName.get(name) ?? [];
  const exists = (name: string): boolean => index.byName.has(name) || index.above.has(name);
  const answer: DnsRecord[] = [];
  const respond = (
    status: DnsResponse["status"],
    authority: readonly DnsRecord[],
    authoritative = true,
    additional: readonly DnsRecord[] = [],
  ): DnsResponse => ({
    status,
    authoritative,
    recursionAvailable: false,
    answer,
    authority,
    additional,
  });
  const apex = (type: string): readonly DnsRecord[] =>
    at(zone)
      .filter((set) => set.type === type)
      .flatMap((set) => recordsOf(set, zone));
  const negative = (status: DnsResponse["status"]): DnsResponse =>
    respond(
      status,
      apex("SOA").map((soa) => ({ ...soa, ttl: negativeTtl(soa) })),
    );

  /** The zone cut at or above a name, the highest first. */
  const cutAbove = (name: Fqdn): readonly RecordSet[] | undefined => {
    const labels = name
      .slice(0, name.length - zone.length)
      .split(".")
      .filter((label) => label !== "");
    for (let i = labels.length - 1; i >= 0; i--) {
      const cut = [...labels.slice(i), zone].join(".");
      const ns = at(cut).filter(({ type }) => type === "NS");
      if (ns.length > 0) return ns;
    }
    return undefined;
  };

  const resolved = (
    found: readonly RecordSet[],
    name: Fqdn,
    type: string,
    depth: number,
  ): readonly DnsRecord[] =>
    chosen(found).flatMap((set): readonly DnsRecord[] => {
      if (set.answer.kind !== "alias") return recordsOf(set, name);
      const { target } = set.answer;
      if (isWithin(target.name, zone) && depth < longestChain) {
        const behind = at(target.name).filter((other) => other.type === type);
        return resolved(behind, name, type, depth + 1);
      }
      return (options.elsewhere?.(target.name, type) ?? []).map((value) => ({ name, ttl: 60, type, value }));
    });

  const glue = (ns: readonly DnsRecord[]): readonly DnsRecord[] =>
    ns.flatMap(({ value }) => {
      const host = value.replace(/\.$/, "") as Fqdn;
      return at(host)
        .filter(({ type }) => type === "A" || type === "AAAA")
        .flatMap((set) => recordsOf(set, host));
    });

  let name = question.name;
  for (let hop = 0; hop < longestChain; hop++) {
    const cut = cutAbove(name);
    if (cut !== undefined && !(question.type === "DS" && cut[0]?.name === name)) {
      const ns = cut.flatMap((set) => recordsOf(set, set.name));
      return respond("NOERROR", ns, answer.length > 0, glue(ns));
    }
    let found = at(name);
    if (found.length === 0 && !index.above.has(name)) {
      let encloser = parentOf(name);
      while (encloser !== zone && !exists(encloser)) encloser = parentOf(encloser);
      found = at(`*.${encloser}`);
      if (found.length === 0) return negative("NXDOMAIN");
    }
    const cname = found.filter(({ type }) => type === "CNAME");
    const wanted = found.filter(({ type }) => type === question.type);
    if (wanted.length > 0 || cname.length === 0) {
      const records = resolved(wanted, name, question.type, 0);
      answer.push(...records);
      if (records.length === 0) return negative("NOERROR");
      const isApexNs = name === zone && question.type === "NS";
      return respond("NOERROR", isApexNs ? [] : apex("NS"));
    }
    const [link] = resolved(cname, name, "CNAME", 0);
    if (link === undefined) return negative("NOERROR");
    answer.push(link);
    const target = link.value.replace(/\.$/, "").toLowerCase() as Fqdn;
    if (!isWithin(target, zone)) return respond("NOERROR", apex("NS"));
    name = target;
  }
  return { ...respond("SERVFAIL", []), answer: [] };
}
