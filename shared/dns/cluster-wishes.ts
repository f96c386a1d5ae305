import { isFault } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject, Listed } from "../kubernetes/read.ts";
import { readController } from "./controller-flags.ts";
import { readDeployment } from "./deployment.ts";
import { imageTag, parseRelease } from "./release.ts";
import type { SnapshotContent, SnapshotController } from "./snapshot.ts";
import { snapshotFlags } from "./snapshot.ts";
import { readSourceObjects } from "./source-objects.ts";
import { wantedEndpoints } from "./wanted.ts";

/** What has to be listed to know what every ExternalDNS of a cluster wants. */
export const wishKinds = [
  "deployments",
  "services",
  "ingresses",
  "gateways",
  "httproutes",
  "dnsendpoints",
  "namespaces",
] as const satisfies readonly ResourceKind[];

export type WishKind = (typeof wishKinds)[number];

/** Kinds of APIs that a cluster may do without: where the server does not know them there are none of them. */
const optional: readonly WishKind[] = ["gateways", "httproutes", "dnsendpoints"];

const isExternalDns = (deployment: KubeObject): boolean => {
  const spec = deployment.spec as
    | { template?: { spec?: { containers?: readonly { name?: string; image?: string }[] } } }
    | undefined;
  const containers = spec?.template?.spec?.containers ?? [];
  return containers.some(
    ({ name = "", image = "" }) => /external-dns/.test(image) || /external-dns/.test(name),
  );
};

/** `namespace/name` of an object. */
export const nameOf = ({ metadata }: KubeObject): string =>
  `${metadata.namespace ?? "default"}/${metadata.name}`;

const addressesOf = (service: KubeObject): readonly string[] => {
  const status = service.status as { loadBalancer?: { ingress?: readonly { ip?: string }[] } } | undefined;
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip])).toSorted();
};

const withKind = (kind: string, objects: readonly KubeObject[]): readonly KubeObject[] =>
  objects.map((object) => ({ kind, ...object }));

type SourceFault = Readonly<{ source: string; kind: string; detail: string }>;

export type ClusterSources = Readonly<{
  deployments: readonly KubeObject[];
  services: readonly KubeObject[];
  /** As the sources read them; a Fault-like list of problems where an object is none. */
  read: ReturnType<typeof readSourceObjects>;
  /** What could not be listed or read: wishes may then miss something. */
  faults: readonly SourceFault[];
}>;

/** Every ExternalDNS Deployment of a cluster, and the objects their sources look at. */
export function clusterSources(lists: Readonly<Record<WishKind, Listed>>): ClusterSources {
  const faults: SourceFault[] = [];
  const objects = (kind: WishKind): readonly KubeObject[] => {
    const list = lists[kind];
    if (!isFault(list)) return list;
    if (list.kind !== "not-configured" || !optional.includes(kind))
      faults.push({ source: kind, kind: list.kind, detail: list.detail });
    return [];
  };
  const deployments = objects("deployments").filter(isExternalDns);
  const services = objects("services");
  const sources = [
    ...withKind("Service", services),
    ...withKind("Ingress", objects("ingresses")),
    ...withKind("Gateway", objects("gateways")),
    ...withKind("HTTPRoute", objects("httproutes")),
    ...withKind("DNSEndpoint", objects("dnsendpoints")),
    ...withKind("Namespace", objects("namespaces")),
  ];
  const read = readSourceObjects(JSON.stringify(sources));
  if (!read.ok)
    for (const detail of read.problems) faults.push({ source: "objects", kind: "unreadable", detail });
  return { deployments, services, read, faults };
}

/**
 * What every ExternalDNS found in a cluster wants, by the rules of its release and its flags. What could not be read is
 * a fault of that source: the wishes may then miss something, and nobody may delete by them.
 */
export function clusterWishes(cluster: string, lists: Readonly<Record<WishKind, Listed>>): SnapshotContent {
  const { deployments, services, read, faults } = clusterSources(lists);
  const controllers = deployments.map((deployment): SnapshotController => {
    const found = readDeployment(JSON.stringify({ kind: "Deployment", ...deployment }));
    const empty = { name: nameOf(deployment), hidden: [], endpoints: [], dropped: [] };
    if (!found.ok) return { ...empty, image: "", flags: {}, unknown: found.problems };
    const { image, flags, hidden } = found;
    const head = { name: nameOf(deployment), image, flags: snapshotFlags(flags), hidden };
    const tag = imageTag(image);
    const release = tag === undefined ? undefined : parseRelease(tag);
    if (release === undefined)
      return {
        ...empty,
        ...head,
        unknown: [
          `the release of ${image || "the image"} is not known: a digest, latest, or one outside 0.7 to 0.22`,
        ],
      };
    const { settings, problems, unknown } = readController(flags, release);
    const wanted = read.ok
      ? wantedEndpoints(read.objects, settings)
      : { endpoints: [], dropped: [], unknown: ["the objects of the cluster could not be read"] };
    return {
      ...head,
      endpoints: wanted.endpoints,
      dropped: wanted.dropped,
      unknown: [
        ...unknown,
        ...problems,
        ...wanted.unknown,
        ...hidden.map((name) => `the value of ${name} is hidden`),
      ],
    };
  });
  const counts = Object.fromEntries(
    wishKinds.map((kind) => [kind, isFault(lists[kind]) ? 0 : (lists[kind] as readonly unknown[]).length]),
  );
  return {
    cluster,
    controllers,
    faults,
    counts,
    services: Object.fromEntries(
      services.flatMap((service) => {
        const addresses = addressesOf(service);
        return addresses.length === 0 ? [] : [[nameOf(service), addresses]];
      }),
    ),
  };
}
