import * as z from "zod";
import { clusterWishes, wishKinds } from "#shared/dns/cluster-wishes.ts";
import { ownerOf } from "#shared/dns/endpoint.ts";
import { registryOf } from "#shared/dns/forecast.ts";
import { decodeName, type Fqdn, isWithin, readFqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { readRegistry } from "#shared/dns/registry.ts";
import { controllerViews } from "#shared/dns/snapshot-views.ts";
import type { ReadZones } from "#shared/dns/zones.ts";
import { askThrough } from "#shared/explain/ask-through.ts";
import type { Looked, OwnershipAtName } from "#shared/explain/evidence.ts";
import { explain } from "#shared/explain/explain.ts";
import { explainReply } from "#shared/explain/explain-reply.ts";
import { type ExplainPorts, gatherEvidence } from "#shared/explain/gather.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import { code, text } from "#shared/text.ts";
import { lastChange } from "../dns/last-change.ts";
import type { ClusterPorts } from "./command.ts";
import { defineVerb } from "./command.ts";

const notConfigured = (what: string, detail: string): Fault => ({ kind: "not-configured", what, detail });

/** A vantage in the segment and outside the cluster: only there the site's resolvers are the clients' resolvers. */
const insideOf = ({ config }: ClusterPorts): string | undefined =>
  config.vantages.find(({ place, clusterNode }) => place !== "behind-router" && clusterNode === undefined)
    ?.name;

/** Where questions can be asked from on this cluster. */
function explainPorts(cluster: ClusterPorts): ExplainPorts {
  const { config, shell, zones, ask } = cluster;
  const from = config.dns?.askFrom;
  const inside = insideOf(cluster);
  return {
    zones,
    here:
      from !== undefined
        ? { place: from, ask: askThrough(shell, from) }
        : ask === undefined
          ? undefined
          : { place: "the bot's machine", ask },
    inside: inside === undefined ? undefined : { place: inside, ask: askThrough(shell, inside) },
    publicResolvers: config.dns?.publicResolvers ?? [],
    siteResolvers: config.site.resolvers,
  };
}

type Wish = Readonly<{ wanted: readonly string[] | undefined; owners: readonly string[] }>;

/** What some ExternalDNS of the cluster wants at the name. A source that could not be read leaves it open. */
async function wishOf(cluster: ClusterPorts, name: Fqdn, type: string, signal: AbortSignal) {
  const content = clusterWishes(cluster.config.name, await cluster.read([...wishKinds], signal));
  const views = controllerViews(content);
  const owners = [...new Set(views.map(({ controller }) => controller.owner))];
  const targets = views.flatMap(({ wanted }) =>
    wanted
      .filter((each) => decodeName(each.name) === name && each.type === type)
      .flatMap((each) => each.targets),
  );
  const wish: Wish = { wanted: targets.length === 0 ? undefined : [...new Set(targets)].toSorted(), owners };
  return { wish, views };
}

/** The owner of the name and type in its zone, and an ownership TXT of the zone that can be asked for. */
async function zoneFacts(
  zones: ReadZones | undefined,
  name: Fqdn,
  type: string,
  { owners }: Wish,
  views: ReturnType<typeof controllerViews>,
): Promise<Readonly<{ ownership: Looked<OwnershipAtName>; txt: Fqdn | undefined }>> {
  if (zones === undefined)
    return {
      ownership: {
        ok: false,
        fault: notConfigured("ownership records", "no zones are configured (dns.zones)"),
      },
      txt: undefined,
    };
  try {
    const holding = (await zones.zones())
      .filter((zone) => !zone.private && isWithin(name, zone.name))
      .toSorted((a, b) => b.name.length - a.name.length);
    const [zone] = holding;
    const sets: readonly RecordSet[] = zone === undefined ? [] : await zones.recordSets(zone.id);
    const [view] = views;
    if (view === undefined)
      return {
        ownership: { ok: false, fault: notConfigured("owner id", "no ExternalDNS was found in the cluster") },
        txt: sets.find((set) => set.type === "TXT")?.name,
      };
    const { endpoints, ownership } = readRegistry(sets, registryOf(view.controller));
    const mine = endpoints.find((each) => decodeName(each.name) === name && each.type === type);
    const own = ownership.find(({ reading }) => reading?.name === name) ?? ownership[0];
    return {
      ownership: {
        ok: true,
        from: "Route 53",
        value: { owner: mine === undefined ? undefined : ownerOf(mine), ours: owners },
      },
      txt: own?.set.name ?? sets.find((set) => set.type === "TXT")?.name,
    };
  } catch (error) {
    if (error instanceof FaultError) return { ownership: { ok: false, fault: error.fault }, txt: undefined };
    throw error;
  }
}

/** `/dns explain NAME`: which of sixteen reasons keeps a name from resolving. */
export const dnsExplain = defineVerb({
  path: ["explain"],
  usage: "NAME [--type A|AAAA|CNAME]",
  summary: "Why a name does not resolve: asked at its parent, its servers, outside and inside the site.",
  examples: ["httpbin.services.k8s.goldentooth.net"],
  positionals: ["name"],
  options: [{ name: "type", value: "TYPE", about: "record type, A when left out" }],
  input: z.object({
    name: z.string().transform((value, context) => {
      const read = readFqdn(value);
      if (read.ok) return read.fqdn;
      context.addIssue({ code: "custom", message: read.problem });
      return z.NEVER;
    }),
    type: z.enum(["A", "AAAA", "CNAME"]).default("A"),
  }),
  role: "viewer",
  effect: "probe",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async ({ input, deps, cluster, show, signal }) => {
    if (!cluster) throw new Error("dns explain needs a cluster");
    const { name, type } = input;
    show({
      verdict: { word: "ASKING", outcome: "running", text: text`who answers for ${code(name)}` },
      findings: [],
      blocks: [],
      actions: [],
    });
    const { wish, views } = await wishOf(cluster, name, type, signal);
    const facts = await zoneFacts(cluster.zones, name, type, wish, views);
    const evidence = await gatherEvidence(
      explainPorts(cluster),
      {
        name,
        type,
        wanted: wish.wanted,
        change: await lastChange({ ledger: deps.ledger, zones: cluster.zones, now: deps.clock.now() }, name),
        ...facts,
      },
      signal,
    );
    return explainReply(evidence, explain(evidence));
  },
});
