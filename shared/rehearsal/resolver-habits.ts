import type { AskServer, DnsReply } from "../dns/answer.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import { isPrivateAddress } from "../dns/private-addresses.ts";
import { valuesOf } from "../dns/record-set.ts";
import { dataOf } from "../explain/evidence.ts";
import { FaultError } from "../fault.ts";
import { type Text, text } from "../text.ts";
import type { ResolverSpec } from "../twin/resolvers.ts";
import type { KnownZone } from "./zones-of-site.ts";

export type Habits = Readonly<Pick<ResolverSpec, "privateAddresses" | "privateDomains" | "overrides">>;

export type SeenHabits = Readonly<{
  /** By address; a resolver that could not be asked is not in it. */
  of: ReadonlyMap<string, Habits>;
  /** What was seen, for people. */
  said: readonly Text[];
}>;

type Treated = "passes" | "empty" | "strip" | "zero" | "denied";

/** A name of the zone whose addresses are private: how it is answered tells what becomes of the others. */
const sampleOf = ({ recordSets }: KnownZone) =>
  recordSets.find(
    (set) => set.type === "A" && valuesOf(set).length > 0 && valuesOf(set).every(isPrivateAddress),
  );

/** How the resolver treated the sample; undefined where its answer fits nothing that is modelled. */
function treatment(reply: DnsReply, wanted: readonly string[]): Treated | undefined {
  if (reply.kind !== "answer") return undefined;
  if (reply.rcode === "NXDOMAIN") return "denied";
  if (reply.rcode !== "NOERROR") return undefined;
  const data = dataOf(reply, "A");
  if (data.length === 0) return "empty";
  if (data.every((each) => each === "0.0.0.0")) return "zero";
  return wanted.every((each) => data.includes(each)) ? "passes" : undefined;
}

const habitsOf = (seen: readonly (readonly [Fqdn, Treated])[]): Habits => {
  const filter = seen.flatMap(([, treated]) =>
    treated === "empty" || treated === "strip" || treated === "zero" ? [treated] : [],
  )[0];
  const denied = seen.filter(([, treated]) => treated === "denied");
  return {
    ...(filter === undefined
      ? {}
      : {
          privateAddresses: filter,
          privateDomains: seen.flatMap(([zone, treated]) => (treated === "passes" ? [zone] : [])),
        }),
    ...(denied.length === 0 ? {} : { overrides: denied.map(([domain]) => ({ domain, hosts: {} })) }),
  };
};

const words: Readonly<Record<Treated, string>> = {
  passes: "lets private addresses through",
  empty: "takes private addresses out of answers",
  strip: "takes private addresses out of answers",
  zero: "answers 0.0.0.0 for private addresses",
  denied: "says that a name which is there does not exist: it answers for the domain by itself",
};

/**
 * Asks the site's resolvers for a name of each zone that has a private address. A zone that has none yet tells nothing;
 * where another one is filtered, it is taken to be filtered too, since filters exempt what somebody named.
 */
export async function resolverHabits(
  ask: AskServer,
  resolvers: readonly string[],
  zones: readonly KnownZone[],
  signal: AbortSignal,
): Promise<SeenHabits> {
  const of = new Map<string, Habits>();
  const said: Text[] = [];
  for (const resolver of resolvers) {
    const seen: (readonly [Fqdn, Treated])[] = [];
    for (const zone of zones.filter((each) => !each.private)) {
      const sample = sampleOf(zone);
      if (sample === undefined) {
        said.push(
          text`how ${resolver} treats private addresses below ${zone.name} is not known, since the zone has none yet: taken to be let through, unless it filters another zone`,
        );
        continue;
      }
      let reply: DnsReply;
      try {
        reply = await ask(resolver, { name: sample.name, type: "A", recurse: true }, signal);
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        continue;
      }
      const treated = treatment(reply, valuesOf(sample));
      if (treated === undefined) continue;
      seen.push([zone.name, treated]);
      said.push(text`${resolver} ${words[treated]} (asked for ${sample.name})`);
    }
    if (seen.length > 0) of.set(resolver, habitsOf(seen));
  }
  return { of, said };
}
