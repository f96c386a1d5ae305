import * as z from "zod";
import { type Fqdn, isWithin, readFqdn } from "#shared/dns/fqdn.ts";
import type { Reply } from "#shared/reply.ts";
import type { ClusterConfig, DnsConfig } from "#shared/site/site.ts";
import { code, text } from "#shared/text.ts";

export const isReply = (value: object): value is Reply => "verdict" in value;

export const noZones = ({ name }: Pick<ClusterConfig, "name">): Reply => ({
  verdict: {
    word: "UNKNOWN",
    outcome: "unknown",
    text: text`could not look: no zones are configured for ${name}, or no aws.region to read them in`,
  },
  cluster: name,
  findings: [],
  blocks: [],
  next: [
    text`Name them under ${code("dns: { zones: [{ name, id }] }")} of the cluster, and ${code("aws: { region }")} (docs/dns.md)`,
    text`Without a cluster, on files alone: ${code("arpeggio dns check --zone-file FILE ...")}`,
  ],
  actions: [],
});

/** Letters, digits, dots, dashes, `*` and what Route 53 allows beside them; a zone's id too. */
export const zoneOrName = z
  .string()
  .transform((value, context): Readonly<{ id: string } | { name: Fqdn }> => {
    if (/^Z[A-Z0-9]{5,}$/.test(value)) return { id: value };
    const read = readFqdn(value);
    if (read.ok) return { name: read.fqdn };
    context.addIssue({ code: "custom", message: read.problem });
    return z.NEVER;
  });

export type ZoneOrName = z.output<typeof zoneOrName>;

export const planName = z.string().regex(/^P-[0-9a-f]{8}$/, "must be a plan such as P-5d02a1c3");

type ConfiguredZone = DnsConfig["zones"][number];

/** The configured zones that hold a name, or the zone of an id; all of one name, as they are never guessed apart. */
export function zonesFor(dns: DnsConfig, wanted: ZoneOrName | undefined): readonly ConfiguredZone[] {
  if (wanted === undefined) return dns.zones;
  if ("id" in wanted) return dns.zones.filter(({ id }) => id === wanted.id);
  const holding = dns.zones.filter(({ name }) => isWithin(wanted.name, name));
  const longest = Math.max(0, ...holding.map(({ name }) => name.length));
  return holding.filter(({ name }) => name.length === longest);
}

export const wantedWords = (wanted: ZoneOrName): string => ("id" in wanted ? wanted.id : wanted.name);

export const noSuchZone = (cluster: string, dns: DnsConfig, wanted: ZoneOrName): Reply => ({
  verdict: {
    word: "Not understood",
    outcome: "usage",
    text: text`${code(wantedWords(wanted))} is in no zone that is configured for ${cluster}.`,
  },
  cluster,
  findings: [],
  blocks: [],
  next: [text`Zones: ${dns.zones.map(({ name, id }) => `${name} (${id})`).join(", ")}`],
  actions: [],
});
