import { type WishKind, wishKinds } from "../dns/cluster-wishes.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import { isWithin } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { readSourceObjects } from "../dns/source-objects.ts";
import { type Wanted, wantedEndpoints } from "../dns/wanted.ts";
import type { HostedZone, ReadZones } from "../dns/zones.ts";
import { zonesOnce } from "../dns/zones-once.ts";
import { type Fault, FaultError, isFault } from "../fault.ts";
import { gitOpsKinds } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { GitOpsLists } from "../migration/managers.ts";
import type { StepContext } from "../steps/step.ts";
import { type Move, moveOf } from "./move.ts";
import { looksAt, type Publisher, publishersOf } from "./publishers.ts";

export type SourceLists = Readonly<Record<WishKind, readonly KubeObject[]>>;

/** A cluster and its zones as one look found them. */
export type DnsView = Readonly<{
  move: Move;
  publishers: readonly Publisher[];
  /** Those that look at the old domain: it is they who move. */
  movers: readonly Publisher[];
  lists: SourceLists;
  gitOps: GitOpsLists;
  /** All hosted zones of the account. */
  zones: readonly HostedZone[];
  oldZone: HostedZone | Fault;
  newZone: HostedZone | Fault;
  /** Each zone is listed once. */
  read: ReadZones;
}>;

/** Kinds of APIs that a cluster may do without. */
const optional: readonly WishKind[] = ["gateways", "httproutes", "dnsendpoints"];

const kinds: Readonly<Record<WishKind, string>> = {
  deployments: "Deployment",
  services: "Service",
  ingresses: "Ingress",
  gateways: "Gateway",
  httproutes: "HTTPRoute",
  dnsendpoints: "DNSEndpoint",
  namespaces: "Namespace",
};

function zoneOf(domain: Fqdn, all: readonly HostedZone[], ids: readonly string[]): HostedZone | Fault {
  const holding = all
    .filter((zone) => !zone.private && isWithin(domain, zone.name))
    .toSorted((a, b) => b.name.length - a.name.length);
  const twins = holding.filter(({ name }) => name === holding[0]?.name);
  const chosen = twins.filter(({ id }) => ids.includes(id));
  const [only, ...others] = chosen.length > 0 ? chosen : twins;
  if (only === undefined)
    return {
      kind: "not-configured",
      what: `zone of ${domain}`,
      detail: "Route 53 has no public hosted zone that holds it",
    };
  return others.length === 0
    ? only
    : {
        kind: "not-configured",
        what: `zone of ${domain}`,
        detail: `several public zones have this name (${[only, ...others].map(({ id }) => id).join(", ")}); name the right one under dns.zones`,
      };
}

/** Reads cluster and zones. Throws FaultError when something without which nothing can be decided could not be read. */
export async function viewDns(context: Pick<StepContext, "ports" | "run" | "signal">): Promise<DnsView> {
  const { ports, signal } = context;
  const move = moveOf(context);
  if (ports.zones === undefined)
    throw new FaultError({
      kind: "not-configured",
      what: "Route 53",
      detail: "no zones are configured for this cluster (dns.zones)",
    });
  const read = zonesOnce(ports.zones);
  const [listed, zones] = await Promise.all([
    ports.read([...wishKinds, ...gitOpsKinds], signal),
    read.zones(),
  ]);
  const lists = Object.fromEntries(
    wishKinds.map((kind): [WishKind, readonly KubeObject[]] => {
      const found = listed[kind];
      if (!isFault(found)) return [kind, found];
      if (found.kind === "not-configured" && optional.includes(kind)) return [kind, []];
      throw new FaultError(found);
    }),
  ) as SourceLists;
  const { applications, kustomizations, helmreleases } = listed;
  const gitOps = { applications, kustomizations, helmreleases };
  const publishers = publishersOf(lists.deployments, gitOps);
  const ids = (ports.config.dns?.zones ?? []).map(({ id }) => id);
  const names = (publisher: Publisher) =>
    wishesOf(publisher, lists).endpoints.filter(({ name }) => isWithin(name, move.from));
  return {
    move,
    publishers,
    movers: publishers.filter(
      (publisher) =>
        looksAt(publisher, move.from) || names(publisher).some(({ name }) => looksAt(publisher, name)),
    ),
    lists,
    gitOps,
    zones,
    oldZone: zoneOf(move.from, zones, ids),
    newZone: zoneOf(move.to, zones, ids),
    read,
  };
}

/** The zone, or the fault thrown. */
export function zoneThere(zone: HostedZone | Fault): HostedZone {
  if (isFault(zone)) throw new FaultError(zone);
  return zone;
}

export const recordsIn = (view: DnsView, zone: HostedZone | Fault): Promise<readonly RecordSet[]> =>
  view.read.recordSets(zoneThere(zone).id);

/** What an ExternalDNS wants of these objects. Throws FaultError when they cannot be read. */
export function wishesOf({ read }: Publisher, lists: SourceLists): Wanted {
  if (read === undefined) return { endpoints: [], dropped: [], unknown: ["its release is not known"] };
  const objects = readSourceObjects(
    JSON.stringify(
      wishKinds
        .filter((kind) => kind !== "deployments")
        .flatMap((kind) => lists[kind].map((object) => ({ ...object, kind: kinds[kind] }))),
    ),
  );
  if (!objects.ok)
    throw new FaultError({
      kind: "unreadable",
      what: "objects of the cluster",
      detail: objects.problems.join("; "),
    });
  return wantedEndpoints(objects.objects, read.settings);
}
