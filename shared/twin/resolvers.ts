import type { Clock } from "../clock.ts";
import { type Fqdn, isWithin } from "../dns/fqdn.ts";
import { isPrivateAddress } from "../dns/private-addresses.ts";
import type { DnsOutcome, DnsQuestion, DnsRecord, DnsResponse } from "./dns-message.ts";
import { negativeTtl, zoneAnswer } from "./zone-answer.ts";
import type { NameServer, TwinZones } from "./zones.ts";

/** What the parent zone says about a zone below it. */
export type DelegationSpec = Readonly<{
  zone: Fqdn;
  servers: readonly NameServer[];
  /** A DS record at the parent: the zone's key matches it, or it was left behind and validation fails. */
  ds?: "matches" | "left-behind";
  /** Seconds; 172,800 as registries have it. */
  ttl?: number;
}>;

/** A registry's zone such as `net`. */
export type ParentSpec = Readonly<{
  zone: Fqdn;
  servers: readonly NameServer[];
  delegations: readonly DelegationSpec[];
}>;

/** A domain that a resolver answers for by itself, whatever the world says (split horizon). */
export type OverrideSpec = Readonly<{
  domain: Fqdn;
  /** Addresses by name; every other name of the domain does not exist. */
  hosts: Readonly<Record<string, string>>;
}>;

export type ResolverSpec = Readonly<{
  name: string;
  ip: string;
  /** The machine it runs on: off with it. */
  machine?: string;
  /** Asks another resolver instead of the world. */
  forwardsTo?: string;
  /**
   * What becomes of private addresses in answers. `empty`: NOERROR and nothing in it (dnsmasq, stop-dns-rebind);
   * `strip`: the addresses are taken out (Unbound, private-address); `zero`: 0.0.0.0 stands in their place.
   */
  privateAddresses?: "empty" | "strip" | "zero";
  /** Domains whose private addresses may pass. */
  privateDomains?: readonly Fqdn[];
  overrides?: readonly OverrideSpec[];
  validates?: boolean;
  /** Answers what has expired when nobody else answers. */
  servesStale?: boolean;
  /** Hosted zones it sees because it stands in their VPC; those answer alone. */
  privateZones?: readonly string[];
}>;

export type DnsSpec = Readonly<{
  parents: readonly ParentSpec[];
  resolvers: readonly ResolverSpec[];
}>;

export type ServerState = "answers" | "silent" | "closed" | "lame";

export type Resolvers = Readonly<{
  /** Asks the server at an address: a resolver, a name server of a zone or of a parent. */
  ask: (ip: string, question: DnsQuestion) => DnsOutcome;
  /** Address of a resolver by its name. */
  addressOf: (resolver: string) => string | undefined;
  /** Address of a server by its host name, as the model's own hosts have it. */
  hostAddress: (name: string) => string | undefined;
  servers: () => readonly Readonly<{ ip: string; name: string; kind: "resolver" | "zone" | "parent" }>[];
  setServer: (ip: string, state: ServerState) => void;
  /** Changes what the parent says; caches keep the old until it expires. */
  setDelegation: (delegation: DelegationSpec) => void;
  removeDelegation: (zone: Fqdn) => void;
  /** Changes the habits of a resolver, by name. */
  setHabits: (resolver: string, habits: Partial<Omit<ResolverSpec, "name" | "ip">>) => void;
  /** Forgets what a resolver has cached. */
  flush: (resolver: string) => void;
}>;

/** How long a server's failure is remembered is left out; an answer without SOA is not kept (RFC 2308). */
type Cached = Readonly<{
  response: DnsResponse;
  storedAt: number;
  expiresAt: number;
}>;

type Resolver = {
  spec: ResolverSpec;
  readonly cache: Map<string, Cached>;
  readonly delegations: Map<string, Readonly<{ servers: readonly NameServer[]; expiresAt: number }>>;
};

const longestChain = 8;
const staleTtl = 30;

const empty = (status: DnsResponse["status"], more: Partial<DnsResponse> = {}): DnsResponse => ({
  status,
  authoritative: false,
  recursionAvailable: true,
  answer: [],
  authority: [],
  additional: [],
  ...more,
});

const registrySoa = (parent: Fqdn, server: string | undefined): DnsRecord => ({
  name: parent,
  ttl: 900,
  type: "SOA",
  value: `${server ?? parent}. nstld.verisign-grs.com. 1 1800 900 604800 900`,
});

const nsRecords = (zone: Fqdn, servers: readonly NameServer[], ttl: number): readonly DnsRecord[] =>
  servers.map(({ name }) => ({ name: zone, ttl, type: "NS", value: `${name}.` }));

const isResponse = (outcome: DnsOutcome): outcome is DnsResponse => typeof outcome === "object";

/** Parents, name servers and resolvers with their caches and habits, over the zones of the account. */
export function createResolvers(
  options: Readonly<{ spec: DnsSpec; zones: TwinZones; clock: Clock; isUp: (machine: string) => boolean }>,
): Resolvers {
  const { spec, zones, clock, isUp } = options;
  const states = new Map<string, ServerState>();
  const parents = spec.parents.map((parent) => ({
    ...parent,
    delegations: new Map(parent.delegations.map((each) => [each.zone as string, each])),
  }));
  const resolvers = new Map<string, Resolver>(
    spec.resolvers.map((each) => [each.ip, { spec: each, cache: new Map(), delegations: new Map() }]),
  );
  const named = (name: string): Resolver => {
    const found = [...resolvers.values()].find((each) => each.spec.name === name);
    if (found === undefined) throw new Error(`no resolver ${name} in the model`);
    return found;
  };

  const parentOf = (name: string) =>
    parents.filter(({ zone }) => isWithin(name, zone)).sort((a, b) => b.zone.length - a.zone.length)[0];
  const delegationOf = (name: string): DelegationSpec | undefined => {
    const found = [...(parentOf(name)?.delegations.values() ?? [])].filter(({ zone }) =>
      isWithin(name, zone),
    );
    return found.sort((a, b) => b.zone.length - a.zone.length)[0];
  };

  /** Name servers of hosted zones: by address, the public zones they are in the delegation set of. */
  const hosted = (ip: string) =>
    zones
      .all()
      .filter((zone) => !zone.private)
      .flatMap((zone) => {
        const server = zones.nameServers(zone.id).findIndex((each) => each.ip === ip);
        return server < 0 ? [] : [{ zone, server }];
      });

  const fromZones = (ip: string, { name, type }: DnsQuestion): DnsResponse | undefined => {
    const here = hosted(ip);
    if (here.length === 0) return undefined;
    const [best] = here
      .filter(({ zone }) => isWithin(name, zone.name))
      .sort((a, b) => b.zone.name.length - a.zone.name.length);
    if (best === undefined) return empty("REFUSED", { recursionAvailable: false });
    return zoneAnswer(best.zone.name, zones.served(best.zone.id, best.server), { name, type });
  };

  const fromParents = (ip: string, { name, type }: DnsQuestion): DnsResponse | undefined => {
    const here = parents.filter(({ servers }) => servers.some((server) => server.ip === ip));
    if (here.length === 0) return undefined;
    const [parent] = here
      .filter(({ zone }) => isWithin(name, zone))
      .sort((a, b) => b.zone.length - a.zone.length);
    if (parent === undefined) return empty("REFUSED", { recursionAvailable: false });
    const soa = registrySoa(parent.zone, parent.servers[0]?.name);
    const own = (more: Partial<DnsResponse>): DnsResponse =>
      empty("NOERROR", { recursionAvailable: false, authoritative: true, ...more });
    if (name === parent.zone) {
      const answer =
        type === "NS" ? nsRecords(parent.zone, parent.servers, 172_800) : type === "SOA" ? [soa] : [];
      return own(answer.length > 0 ? { answer } : { authority: [soa] });
    }
    const delegation = [...parent.delegations.values()]
      .filter(({ zone }) => isWithin(name, zone))
      .sort((a, b) => b.zone.length - a.zone.length)[0];
    if (delegation === undefined) return own({ status: "NXDOMAIN", authority: [soa] });
    if (type === "DS" && name === delegation.zone) {
      const answer: readonly DnsRecord[] =
        delegation.ds === undefined ? [] : [{ name, ttl: 86_400, type: "DS", value: dsValue(delegation) }];
      return own(answer.length > 0 ? { answer } : { authority: [soa] });
    }
    const ttl = delegation.ttl ?? 172_800;
    return empty("NOERROR", {
      recursionAvailable: false,
      authority: nsRecords(delegation.zone, delegation.servers, ttl),
      additional: delegation.servers
        .filter((server) => isWithin(server.name, parent.zone))
        .map((server) => ({ name: server.name, ttl, type: "A", value: server.ip })),
    });
  };

  const hostAddress = (host: string): string | undefined => {
    for (const parent of parents) {
      for (const each of parent.servers) if (each.name === host) return each.ip;
      for (const { servers } of parent.delegations.values())
        for (const each of servers) if (each.name === host) return each.ip;
    }
    for (const zone of zones.all())
      for (const each of zones.nameServers(zone.id)) if (each.name === host) return each.ip;
    return undefined;
  };

  /** A server of the world, not of the site. */
  const authority = (ip: string, question: DnsQuestion): DnsOutcome => {
    const state = states.get(ip) ?? "answers";
    if (state === "silent") return "timed-out";
    if (state === "closed") return "connection-refused";
    const found = fromZones(ip, question) ?? fromParents(ip, question);
    if (found === undefined) return "timed-out";
    return state === "lame" ? empty("REFUSED", { recursionAvailable: false }) : found;
  };

  const now = () => clock.now();
  const aged = ({ response, storedAt }: Cached): DnsResponse => {
    const passed = Math.floor((now() - storedAt) / 1_000);
    const age = (record: DnsRecord): DnsRecord => ({ ...record, ttl: Math.max(0, record.ttl - passed) });
    return {
      ...response,
      authoritative: false,
      answer: response.answer.map(age),
      authority: response.authority.map(age),
    };
  };
  /** An answer that nobody checked is not kept for those who ask for a checked one. */
  const keyOf = ({ name, type, checkingDisabled }: DnsQuestion): string =>
    `${name} ${type}${checkingDisabled ? " unchecked" : ""}`;
  const store = (resolver: Resolver, question: DnsQuestion, response: DnsResponse): void => {
    const soa = response.authority.find(({ type }) => type === "SOA");
    const ttl =
      response.answer.length > 0
        ? Math.min(...response.answer.map((record) => record.ttl))
        : response.status === "NOERROR" || response.status === "NXDOMAIN"
          ? soa && negativeTtl(soa)
          : undefined;
    if (ttl === undefined || ttl === 0) return;
    resolver.cache.set(keyOf(question), {
      response,
      storedAt: now(),
      expiresAt: now() + ttl * 1_000,
    });
  };

  /** Asks servers one after the other, as resolvers do when one fails them. */
  const firstOf = (servers: readonly NameServer[], question: DnsQuestion): DnsResponse | undefined => {
    for (const server of servers) {
      const ip = hostAddress(server.name) ?? server.ip;
      const outcome = authority(ip, { ...question, recursive: false });
      if (isResponse(outcome) && (outcome.status === "NOERROR" || outcome.status === "NXDOMAIN"))
        return outcome;
    }
    return undefined;
  };

  const serversFor = (resolver: Resolver, question: DnsQuestion): readonly NameServer[] | DnsResponse => {
    const cached = [...resolver.delegations]
      .filter(([zone, { expiresAt }]) => isWithin(question.name, zone) && expiresAt > now())
      .sort(([a], [b]) => b.length - a.length)[0];
    if (cached !== undefined) return cached[1].servers;
    const parent = parentOf(question.name);
    if (parent === undefined)
      return empty("NXDOMAIN", {
        authority: [
          {
            name: "." as Fqdn,
            ttl: 86_400,
            type: "SOA",
            value: "a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400",
          },
        ],
      });
    const referral = firstOf(parent.servers, question);
    if (referral === undefined) return empty("SERVFAIL");
    return referralServers(resolver, referral) ?? referral;
  };

  /** Where a referral leads; undefined when the answer is none. What it says is kept for its TTL. */
  const referralServers = (resolver: Resolver, response: DnsResponse): readonly NameServer[] | undefined => {
    const ns = response.authority.filter(({ type }) => type === "NS");
    const [first] = ns;
    if (response.authoritative || response.answer.length > 0 || first === undefined) return undefined;
    const servers = ns.map(({ value }): NameServer => {
      const name = value.replace(/\.$/, "") as Fqdn;
      const glue = response.additional.find((record) => record.name === name && record.type === "A");
      return { name, ip: glue?.value ?? hostAddress(name) ?? "" };
    });
    resolver.delegations.set(first.name, { servers, expiresAt: now() + first.ttl * 1_000 });
    return servers;
  };

  const iterate = (resolver: Resolver, question: DnsQuestion, depth: number): DnsResponse => {
    // Hosts of name servers live in domains that are no part of the model and always resolve.
    const host = question.type === "A" ? hostAddress(question.name) : undefined;
    if (host !== undefined)
      return empty("NOERROR", {
        answer: [{ name: question.name, ttl: 172_800, type: "A", value: host }],
      });
    let servers = serversFor(resolver, question);
    for (let hop = 0; hop < longestChain; hop++) {
      // What the registry itself says is passed on, not vouched for.
      if (!Array.isArray(servers))
        return { ...(servers as DnsResponse), authoritative: false, recursionAvailable: true };
      const response = firstOf(servers as readonly NameServer[], question);
      if (response === undefined) return empty("SERVFAIL");
      const next = referralServers(resolver, response);
      if (next !== undefined) {
        servers = next;
        continue;
      }
      const broken = delegationOf(question.name)?.ds === "left-behind";
      if (broken && resolver.spec.validates === true && !question.checkingDisabled)
        return empty("SERVFAIL", { extendedError: "9 (DNSKEY Missing)" });
      return followed(resolver, question, response, depth);
    }
    return empty("SERVFAIL");
  };

  /** A CNAME that leaves the zone is followed to its end. */
  const followed = (
    resolver: Resolver,
    question: DnsQuestion,
    response: DnsResponse,
    depth: number,
  ): DnsResponse => {
    const last = response.answer.at(-1);
    const clean = { ...response, recursionAvailable: true, authoritative: false, additional: [] };
    const isEnd = last === undefined || last.type !== "CNAME" || question.type === "CNAME";
    if (isEnd || depth >= longestChain)
      return { ...clean, authority: response.answer.length > 0 ? [] : response.authority };
    const target = last.value.replace(/\.$/, "").toLowerCase() as Fqdn;
    const rest = found(resolver, { ...question, name: target }, depth + 1);
    return {
      ...clean,
      status: rest.status,
      answer: [...response.answer, ...rest.answer],
      authority: rest.authority,
    };
  };

  const fromPrivateZone = ({ spec: { privateZones = [] } }: Resolver, question: DnsQuestion) => {
    const [zone] = zones
      .all()
      .filter(({ id, name }) => privateZones.includes(id) && isWithin(question.name, name))
      .sort((a, b) => b.name.length - a.name.length);
    return zone === undefined
      ? undefined
      : { ...zoneAnswer(zone.name, zones.recordSets(zone.id), question), recursionAvailable: true };
  };

  /** What a resolver knows or finds out, before its filter. */
  const found = (resolver: Resolver, question: DnsQuestion, depth: number): DnsResponse => {
    const own = fromPrivateZone(resolver, question);
    if (own !== undefined) return own;
    const cached = resolver.cache.get(keyOf(question));
    if (cached !== undefined && cached.expiresAt > now()) return aged(cached);
    if (!question.recursive) return empty("NOERROR");
    const { forwardsTo, servesStale } = resolver.spec;
    let response: DnsResponse;
    if (forwardsTo === undefined) response = iterate(resolver, question, depth);
    else {
      const outcome = ask(forwardsTo, question);
      response = isResponse(outcome) ? { ...outcome, authoritative: false } : empty("SERVFAIL");
    }
    if (response.status === "SERVFAIL" && servesStale === true && cached !== undefined)
      return {
        ...cached.response,
        answer: cached.response.answer.map((record) => ({ ...record, ttl: staleTtl })),
      };
    store(resolver, question, response);
    return response;
  };

  const overridden = ({ spec: { overrides = [] } }: Resolver, { name, type }: DnsQuestion) => {
    const override = overrides.find(({ domain }) => isWithin(name, domain));
    if (override === undefined) return undefined;
    const address = Object.hasOwn(override.hosts, name) ? override.hosts[name] : undefined;
    if (address === undefined) return empty("NXDOMAIN", { authoritative: true });
    const fits = type === (address.includes(":") ? "AAAA" : "A");
    return empty("NOERROR", {
      authoritative: true,
      answer: fits ? [{ name, ttl: 0, type, value: address }] : [],
    });
  };

  const filtered = (
    { spec: { privateAddresses, privateDomains = [] } }: Resolver,
    name: Fqdn,
    response: DnsResponse,
  ) => {
    if (privateAddresses === undefined || privateDomains.some((domain) => isWithin(name, domain)))
      return response;
    const isHidden = ({ type, value }: DnsRecord) =>
      (type === "A" || type === "AAAA") && isPrivateAddress(value);
    if (!response.answer.some(isHidden)) return response;
    if (privateAddresses === "empty")
      return { ...response, answer: [], authority: [], additional: [], extendedError: "15 (Blocked)" };
    if (privateAddresses === "strip")
      return { ...response, answer: response.answer.filter((record) => !isHidden(record)), authority: [] };
    return {
      ...response,
      answer: response.answer.map((record) =>
        isHidden(record) ? { ...record, value: record.type === "A" ? "0.0.0.0" : "::" } : record,
      ),
    };
  };

  function ask(ip: string, question: DnsQuestion): DnsOutcome {
    const resolver = resolvers.get(ip);
    if (resolver === undefined) return authority(ip, question);
    const state = states.get(ip) ?? "answers";
    if (state === "silent" || (resolver.spec.machine !== undefined && !isUp(resolver.spec.machine)))
      return "timed-out";
    if (state === "closed") return "connection-refused";
    if (state === "lame") return empty("SERVFAIL");
    return overridden(resolver, question) ?? filtered(resolver, question.name, found(resolver, question, 0));
  }

  return {
    ask,
    addressOf: (name) => [...resolvers.values()].find((each) => each.spec.name === name)?.spec.ip,
    hostAddress,
    servers: () => {
      const all = new Map<
        string,
        Readonly<{ ip: string; name: string; kind: "resolver" | "zone" | "parent" }>
      >();
      for (const { spec: each } of resolvers.values())
        all.set(each.ip, { ip: each.ip, name: each.name, kind: "resolver" });
      for (const parent of parents)
        for (const { ip, name } of parent.servers) all.set(ip, { ip, name, kind: "parent" });
      for (const zone of zones.all())
        if (!zone.private)
          for (const { ip, name } of zones.nameServers(zone.id)) all.set(ip, { ip, name, kind: "zone" });
      return [...all.values()];
    },
    setServer: (ip, state) => void states.set(ip, state),
    setDelegation: (delegation) => {
      const parent = parents
        .filter(({ zone }) => isWithin(delegation.zone, zone) && zone !== delegation.zone)
        .sort((a, b) => b.zone.length - a.zone.length)[0];
      if (parent === undefined) throw new Error(`no parent of ${delegation.zone} in the model`);
      parent.delegations.set(delegation.zone, delegation);
    },
    removeDelegation: (zone) => {
      for (const parent of parents) parent.delegations.delete(zone);
    },
    setHabits: (name, habits) => {
      const resolver = named(name);
      resolver.spec = { ...resolver.spec, ...habits };
    },
    flush: (name) => {
      const resolver = named(name);
      resolver.cache.clear();
      resolver.delegations.clear();
    },
  };
}

/** Key tag, algorithm 13, digest 2: a digest that only stands for one. */
const dsValue = ({ zone }: DelegationSpec): string => {
  let tag = 0;
  for (const character of zone) tag = (tag * 31 + (character.codePointAt(0) ?? 0)) % 65_536;
  return `${tag} 13 2 ${tag.toString(16).toUpperCase().padStart(4, "0").repeat(16)}`;
};
