import type { AskServer, DnsReply, Question } from "../dns/answer.ts";
import { type Fqdn, labelsOf, readFqdn } from "../dns/fqdn.ts";
import type { HostedZone, ReadZones } from "../dns/zones.ts";
import { type Fault, FaultError } from "../fault.ts";
import { aroundName, zonesFor } from "./around-name.ts";
import type { ExplainEvidence, Looked, OwnershipAtName, ServerReply } from "./evidence.ts";

/** Where questions can be asked from. Each is undefined where it does not exist; what depends on it is then unknown. */
export type ExplainPorts = Readonly<{
  zones: ReadZones | undefined;
  /** Asks servers of the internet from where we run. */
  here: Readonly<{ place: string; ask: AskServer }> | undefined;
  /** Asks the site's resolvers from a machine inside the site. */
  inside: Readonly<{ place: string; ask: AskServer }> | undefined;
  /** Two resolvers outside the site, by address. */
  publicResolvers: readonly string[];
  siteResolvers: readonly string[];
}>;

export type ExplainQuestion = Readonly<{
  name: Fqdn;
  type: string;
  wanted: readonly string[] | undefined;
  ownership: Looked<OwnershipAtName>;
  change: ExplainEvidence["change"];
  /** A TXT below the same zone that is there, for P6: usually the ownership text of the name. */
  txt: Fqdn | undefined;
}>;

const missing = (what: string, detail: string): Readonly<{ ok: false; fault: Fault }> => ({
  ok: false,
  fault: { kind: "not-configured", what, detail },
});

async function look<T>(from: string, act: () => Promise<T>): Promise<Looked<T>> {
  try {
    return { ok: true, from, value: await act() };
  } catch (error) {
    if (error instanceof FaultError) return { ok: false, fault: error.fault };
    throw error;
  }
}

const maxServers = 6;

/** Asks several servers the same at once. Fails only when none could be asked. */
async function askAll(
  ask: AskServer,
  servers: readonly string[],
  question: Question,
  signal: AbortSignal,
): Promise<readonly ServerReply[]> {
  const asked = await Promise.allSettled(
    servers
      .slice(0, maxServers)
      .map(async (server) => ({ server, reply: await ask(server, question, signal) })),
  );
  const replies = asked.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = asked.find((each) => each.status === "rejected");
  if (replies.length === 0 && failed) throw failed.reason;
  return replies;
}

const dataIn = (reply: DnsReply, type: string): readonly string[] =>
  reply.kind === "answer"
    ? [...reply.answer, ...reply.authority].filter((record) => record.type === type).map(({ data }) => data)
    : [];

type Host = Readonly<{ host: string; address: string }>;

/** IPv4 addresses of name servers, from a resolver outside; those without one are left out of the question. */
async function addressesOf(
  ask: AskServer,
  resolver: string,
  hosts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Host[]> {
  const found = await Promise.all(
    hosts.slice(0, maxServers).map(async (host) => {
      const read = readFqdn(host);
      if (!read.ok) return [];
      const reply = await ask(resolver, { name: read.fqdn, type: "A", recurse: true }, signal);
      return dataIn(reply, "A")
        .slice(0, 1)
        .map((address) => ({ host, address }));
    }),
  );
  return found.flat();
}

type Listings = Readonly<{ listed: ExplainEvidence["listed"]; zones: readonly HostedZone[] }>;

async function listings({ zones }: ExplainPorts, name: Fqdn, signal: AbortSignal): Promise<Listings> {
  if (zones === undefined)
    return { listed: missing("Route 53", "no zones are configured for this cluster (dns.zones)"), zones: [] };
  let found: readonly HostedZone[] = [];
  const listed = await look("Route 53", async () => {
    found = zonesFor(name, await zones.zones());
    const detailed = await Promise.all(found.map(({ id }) => zones.zone(id)));
    found = detailed;
    return Promise.all(
      detailed.map(async (zone) => aroundName(name, zone, await zones.recordSets(zone.id, signal))),
    );
  });
  return { listed, zones: found };
}

type Outside = Pick<ExplainEvidence, "parent" | "parentDs" | "authoritative" | "public">;

async function outside(
  { here, publicResolvers }: ExplainPorts,
  { name, type }: ExplainQuestion,
  zone: Fqdn | undefined,
  apiServers: readonly string[],
  signal: AbortSignal,
): Promise<Outside> {
  const [resolver] = publicResolvers;
  if (here === undefined || resolver === undefined) {
    const fault = missing("servers outside the site", "no way to ask them is configured");
    return { parent: fault, parentDs: fault, authoritative: fault, public: fault };
  }
  const { ask, place } = here;
  const publicly = look(place, () => askAll(ask, publicResolvers, { name, type, recurse: true }, signal));
  if (zone === undefined) {
    const fault = missing("servers of the zone", "no zone of the configuration holds this name");
    return { parent: fault, parentDs: fault, authoritative: fault, public: await publicly };
  }
  let parentName = labelsOf(zone).slice(1).join(".") as Fqdn;
  const parentServers = await look(place, async () => {
    let reply = await ask(resolver, { name: parentName, type: "NS", recurse: true }, signal);
    // A name between two zones has no servers: the zone above it delegates.
    while (
      reply.kind === "answer" &&
      (reply.rcode === "NOERROR" || reply.rcode === "NXDOMAIN") &&
      dataIn(reply, "NS").length === 0 &&
      labelsOf(parentName).length > 1
    ) {
      parentName = labelsOf(parentName).slice(1).join(".") as Fqdn;
      reply = await ask(resolver, { name: parentName, type: "NS", recurse: true }, signal);
    }
    const hosts = await addressesOf(ask, resolver, dataIn(reply, "NS"), signal);
    if (hosts.length === 0)
      throw new FaultError({
        kind: "unreachable",
        what: `servers of ${parentName}`,
        detail: "no resolver outside names them",
      });
    return hosts.map(({ address }) => address);
  });
  const atParent = (question: Question) =>
    parentServers.ok ? look(place, () => askAll(ask, parentServers.value, question, signal)) : parentServers;
  const parent = await atParent({ name: zone, type: "NS", recurse: false });
  const ds = await atParent({ name: zone, type: "DS", recurse: false });
  const [firstDs] = ds.ok ? ds.value : [];
  const parentDs: Outside["parentDs"] = !ds.ok
    ? ds
    : firstDs
      ? { ok: true, from: ds.from, value: firstDs.reply }
      : missing("DS at the parent", "no server of the parent answered");
  const named = parent.ok ? parent.value.flatMap(({ reply }) => dataIn(reply, "NS")) : [];
  const hosts = [...new Set([...named, ...apiServers.map((each) => each.toLowerCase().replace(/\.$/, ""))])];
  const authoritative = await look(place, async () => {
    if (hosts.length === 0)
      throw new FaultError({
        kind: "not-configured",
        what: `servers of ${zone}`,
        detail: "neither the parent nor Route 53 names any",
      });
    const addresses = await addressesOf(ask, resolver, hosts, signal);
    if (addresses.length === 0)
      throw new FaultError({
        kind: "unreachable",
        what: `servers of ${zone}`,
        detail: `no IPv4 address is known for ${hosts.join(", ")}`,
      });
    return Promise.all(
      addresses.map(async ({ host, address }) => {
        const [reply, soa] = await Promise.all([
          ask(address, { name, type, recurse: false }, signal),
          ask(address, { name: zone, type: "SOA", recurse: false }, signal),
        ]);
        return { host, server: address, reply, soa, transports: "udp and tcp" as const };
      }),
    );
  });
  return { parent, parentDs, authoritative, public: await publicly };
}

type Inside = Pick<ExplainEvidence, "site" | "siteTxt" | "siteUnchecked">;

async function inside(
  { inside, siteResolvers }: ExplainPorts,
  { name, type, txt }: ExplainQuestion,
  signal: AbortSignal,
): Promise<Inside> {
  if (inside === undefined || siteResolvers.length === 0) {
    const fault = missing(
      "the site's resolvers",
      inside === undefined ? "no vantage inside the site" : "site.resolvers names none",
    );
    return { site: fault, siteTxt: fault, siteUnchecked: fault };
  }
  const { ask, place } = inside;
  const at = (question: Question) => look(place, () => askAll(ask, siteResolvers, question, signal));
  const [site, siteUnchecked, siteTxt] = await Promise.all([
    at({ name, type, recurse: true }),
    at({ name, type, recurse: true, checkingDisabled: true }),
    txt === undefined
      ? missing("a TXT of the zone", "the zone has none that could be asked for")
      : at({ name: txt, type: "TXT", recurse: true }),
  ]);
  return {
    site,
    siteUnchecked,
    siteTxt:
      siteTxt.ok && txt !== undefined
        ? { ...siteTxt, value: siteTxt.value.map((each) => ({ ...each, name: txt })) }
        : (siteTxt as Inside["siteTxt"]),
  };
}

/** Asks everything that P1 to P8 are, concurrently where one does not need the other. */
export async function gatherEvidence(
  ports: ExplainPorts,
  question: ExplainQuestion,
  signal: AbortSignal,
): Promise<ExplainEvidence> {
  const [{ listed, zones }, fromInside] = await Promise.all([
    listings(ports, question.name, signal),
    inside(ports, question, signal),
  ]);
  const publics = zones.filter((zone) => !zone.private);
  const [zone] = publics;
  const sets = publics.flatMap(({ id, nameServers }) =>
    nameServers === undefined
      ? []
      : [{ zoneId: id, nameServers: nameServers.map((each) => each.toLowerCase().replace(/\.$/, "")) }],
  );
  const delegationSets: ExplainEvidence["delegationSets"] = listed.ok
    ? { ok: true, from: "Route 53", value: sets }
    : listed;
  const fromOutside = await outside(
    ports,
    question,
    zone?.name,
    sets.flatMap(({ nameServers }) => nameServers),
    signal,
  );
  return {
    name: question.name,
    type: question.type,
    wanted: question.wanted,
    listed,
    delegationSets,
    change: question.change,
    ownership: question.ownership,
    ...fromOutside,
    ...fromInside,
  };
}
