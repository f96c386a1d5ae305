import * as z from "zod";
import { type ReadController, readController } from "../dns/controller-flags.ts";
import { type FlagValues, readDeployment } from "../dns/deployment.ts";
import { domainMatcher } from "../dns/domain-filter.ts";
import { decodeName, isWithin } from "../dns/fqdn.ts";
import { imageTag, parseRelease, type Release } from "../dns/release.ts";
import { intervalSeconds } from "../dns/snapshot-views.ts";
import type { HostedZone } from "../dns/zones.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { type GitOpsLists, type Manager, managerOf } from "../migration/managers.ts";

/** One ExternalDNS Deployment of the cluster. */
export type Publisher = Readonly<{
  /** `namespace/name`. */
  name: string;
  object: KubeObject;
  image: string;
  /** `external-dns-1.19.0`, the label that charts leave. */
  chart: string | undefined;
  /** Undefined for a digest, `latest`, or a release whose rules are not known. */
  release: Release | undefined;
  flags: FlagValues;
  /** Environment variables that decide something and stand in a Secret or ConfigMap. */
  hidden: readonly string[];
  read: ReadController | undefined;
  /** Why the Deployment itself could not be read. */
  problems: readonly string[];
  manager: Manager;
  intervalSeconds: number;
}>;

const containers = z.looseObject({
  template: z.looseObject({
    spec: z.looseObject({
      containers: z.array(z.looseObject({ name: z.string().default(""), image: z.string().default("") })),
    }),
  }),
});

/** Which container of the Deployment is ExternalDNS; -1 for none. */
export const containerAt = ({ spec }: KubeObject): number =>
  containers
    .safeParse(spec)
    .data?.template.spec.containers.findIndex(
      ({ name, image }) => /external-dns/.test(image) || /external-dns/.test(name),
    ) ?? -1;

/** The same ExternalDNS with other flags. */
export const withFlags = (publisher: Publisher, flags: FlagValues): Publisher => ({
  ...publisher,
  flags,
  read: publisher.release === undefined ? undefined : readController(flags, publisher.release),
});

function publisherOf(object: KubeObject, gitOps: GitOpsLists): Publisher {
  const { name, namespace, labels = {} } = object.metadata;
  const found = readDeployment(JSON.stringify({ kind: "Deployment", ...object }));
  const flags: FlagValues = found.ok ? found.flags : new Map();
  const image = found.ok ? found.image : "";
  const tag = imageTag(image);
  const release = tag === undefined ? undefined : parseRelease(tag);
  return {
    name: `${namespace ?? "default"}/${name}`,
    object,
    image,
    chart: labels["helm.sh/chart"],
    release,
    flags,
    hidden: found.ok ? found.hidden : [],
    read: found.ok && release !== undefined ? readController(flags, release) : undefined,
    problems: found.ok ? [] : found.problems,
    manager: managerOf("deployments", object, gitOps),
    intervalSeconds: intervalSeconds(flags),
  };
}

/** Every ExternalDNS among the Deployments, with who manages it. */
export const publishersOf = (deployments: readonly KubeObject[], gitOps: GitOpsLists): readonly Publisher[] =>
  deployments.filter((object) => containerAt(object) >= 0).map((object) => publisherOf(object, gitOps));

/** Whether its own filter lets a name through; false where the release and so the flags' meaning is not known. */
export const looksAt = ({ read, release }: Publisher, name: string): boolean =>
  read !== undefined && domainMatcher(read.controller.domainFilter, release)(decodeName(name.trim()));

const isOn = (flags: FlagValues, name: string): boolean =>
  flags.has(name) && !["false", "0", "f"].includes(flags.get(name)?.at(-1) ?? "");

export const zoneIdsOf = ({ flags }: Pick<Publisher, "flags">): readonly string[] =>
  (flags.get("zone-id-filter") ?? []).filter((id) => id !== "");

/** The hosted zones it works on: kind, ids and its domain filter decide (provider/aws/aws.go, zones). */
export function zonesSeen(publisher: Publisher, all: readonly HostedZone[]): readonly HostedZone[] {
  const { flags, read } = publisher;
  if (read === undefined) return [];
  const kind = flags.get("aws-zone-type")?.at(-1) ?? "";
  const ids = zoneIdsOf(publisher);
  const parents = isOn(flags, "aws-zone-match-parent");
  return all.filter(
    (zone) =>
      (kind === "" || kind === (zone.private ? "private" : "public")) &&
      (ids.length === 0 || ids.some((id) => zone.id.endsWith(id))) &&
      (looksAt(publisher, zone.name) ||
        (parents &&
          read.controller.domainFilter.include.some((domain) => isWithin(decodeName(domain), zone.name)))),
  );
}

/** The longest public zone of a name and every private one (provider/aws/aws.go, suitableZones). */
export function zonesOfName(name: string, zones: readonly HostedZone[]): readonly HostedZone[] {
  const fitting = zones.filter((zone) => isWithin(decodeName(name.trim()), zone.name));
  const publics = fitting.filter((zone) => !zone.private).toSorted((a, b) => b.name.length - a.name.length);
  return [...publics.slice(0, 1), ...fitting.filter((zone) => zone.private)];
}
