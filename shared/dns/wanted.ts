import { type Cidr, contains, parseIp } from "../metallb/ip.ts";
import { currentPrefix, legacyPrefix } from "./annotations.ts";
import { canonicalText, type Endpoint, hasProperty, withProperty } from "./endpoint.ts";
import { invalidEndpoint, withoutDuplicates } from "./merge.ts";
import { atLeast } from "./release.ts";
import type { Metadata, SourceObjects } from "./source-objects.ts";
import type { SourceSettings } from "./source-settings.ts";
import { dnsEndpointEndpoints } from "./sources-dnsendpoint.ts";
import { gatewayEndpoints } from "./sources-gateway.ts";
import { endpointsForHostname } from "./sources-hostname.ts";
import { ingressEndpoints } from "./sources-ingress.ts";
import { serviceEndpoints } from "./sources-service.ts";

/** An endpoint somebody asked for that the release does not want, and why. */
export type Dropped = Readonly<{
  endpoint: Endpoint;
  why: string;
  /** The prefix it is annotated under, where the release reads another one. */
  ignoredPrefix?: string;
}>;

export type Wanted = Readonly<{
  endpoints: readonly Endpoint[];
  dropped: readonly Dropped[];
  /** What could not be modelled and may change the answer. */
  unknown: readonly string[];
}>;

const gatewaySource = (kind: string): string => `gateway-${kind.toLowerCase()}`;

const modelled = (source: string): boolean =>
  ["service", "ingress", "crd"].includes(source) ||
  /^gateway-(http|grpc|tls|tcp|udp)route$/.test(source) ||
  ["fake", "empty"].includes(source);

type Collected = Readonly<{ endpoints: readonly Endpoint[]; unknown: readonly string[] }>;

function collect(objects: SourceObjects, settings: SourceSettings): Collected {
  const on = (source: string): boolean => settings.sources?.includes(source) ?? true;
  const seen = <T extends { metadata: Metadata }>(items: readonly T[]): readonly T[] =>
    items.filter(
      ({ metadata }) =>
        (settings.namespace === "" || settings.namespace === metadata.namespace) &&
        settings.labelFilter(metadata.labels) &&
        settings.annotationFilter(metadata.annotations),
    );
  const services = on("service")
    ? serviceEndpoints(seen(objects.services), settings)
    : { endpoints: [], unknown: [] };
  const kinds = [...new Set(objects.routes.map(({ kind }) => kind))].sort();
  return {
    endpoints: [
      ...services.endpoints,
      ...(on("ingress") ? ingressEndpoints(seen(objects.ingresses), settings) : []),
      ...kinds
        .filter((kind) => on(gatewaySource(kind)))
        .flatMap((kind) =>
          gatewayEndpoints(seen(objects.routes.filter((route) => route.kind === kind)), objects, settings),
        ),
      ...(on("crd") ? dnsEndpointEndpoints(seen(objects.dnsEndpoints), settings.release) : []),
    ],
    unknown: services.unknown,
  };
}

/** Default targets replace all up to 0.17; since 0.18 only where the source gave none, unless forced (multisource.go). */
function withDefaultTargets(endpoints: readonly Endpoint[], settings: SourceSettings): readonly Endpoint[] {
  const { defaultTargets, forceDefaultTargets, release } = settings;
  if (defaultTargets.length === 0) return endpoints;
  const always = forceDefaultTargets || !atLeast(release, "0.18.0");
  return endpoints.flatMap((endpoint) =>
    !always && endpoint.targets.length > 0
      ? [endpoint]
      : endpointsForHostname({
          hostname: endpoint.name,
          targets: defaultTargets,
          ttl: endpoint.ttl,
          providerSpecific: endpoint.providerSpecific ?? [],
          setIdentifier: endpoint.setIdentifier,
          resource: "",
        }).map((each) => ({
          ...each,
          labels: endpoint.labels,
          providerSpecific: endpoint.providerSpecific,
        })),
  );
}

const inNets = (nets: readonly Cidr[], target: string): boolean => {
  const ip = parseIp(target);
  return ip !== undefined && nets.some((net) => contains(net, ip));
};

function withinNets(endpoints: readonly Endpoint[], settings: SourceSettings): readonly Endpoint[] {
  const { targetNets, excludedTargetNets } = settings;
  if (targetNets.length === 0 && excludedTargetNets.length === 0) return endpoints;
  return endpoints.flatMap((endpoint) => {
    const targets = endpoint.targets.filter(
      (target) =>
        (targetNets.length === 0 || inNets(targetNets, target)) && !inNets(excludedTargetNets, target),
    );
    return targets.length === 0 ? [] : [{ ...endpoint, targets }];
  });
}

/** Since 0.21 properties of other providers are dropped before the planner sees them (post_processor.go). */
function finish(endpoint: Endpoint, { release, minTtl, preferAlias }: SourceSettings): Endpoint {
  let out = minTtl > 0 && endpoint.ttl === 0 ? { ...endpoint, ttl: minTtl } : endpoint;
  if (atLeast(release, "0.21.0") && (out.providerSpecific?.length ?? 0) > 0)
    out = {
      ...out,
      providerSpecific: (out.providerSpecific ?? []).filter(
        ({ name }) => !name.includes("/") || name.startsWith("aws/"),
      ),
    };
  return preferAlias && out.type === "CNAME" && !hasProperty(out, "alias")
    ? withProperty(out, "alias", "true")
    : out;
}

function unmodelledSources(objects: SourceObjects, settings: SourceSettings): readonly string[] {
  if (settings.sources !== undefined)
    return settings.sources.filter((source) => !modelled(source)).map((source) => `--source=${source}`);
  return Object.entries(objects.others).map(
    ([kind, count]) => `${count} ${kind} in the dump: a source that is not modelled`,
  );
}

function wantedUnder(objects: SourceObjects, settings: SourceSettings): Wanted {
  const collected = collect(objects, settings);
  const dropped: Dropped[] = [];
  const valid = withDefaultTargets(collected.endpoints, settings).filter((endpoint) => {
    const why = invalidEndpoint(endpoint, settings.release);
    if (why !== undefined) dropped.push({ endpoint, why });
    return why === undefined;
  });
  const endpoints = withinNets(withoutDuplicates(valid, settings.release), settings).map((endpoint) =>
    finish(endpoint, settings),
  );
  return { endpoints, dropped, unknown: [...unmodelledSources(objects, settings), ...collected.unknown] };
}

/**
 * What ExternalDNS of a release wants in DNS from the objects of a dump. `dropped` names what objects ask for in vain:
 * endpoints the release finds invalid, and those annotated under the prefix it does not read.
 */
export function wantedEndpoints(objects: SourceObjects, settings: SourceSettings): Wanted {
  const wanted = wantedUnder(objects, settings);
  const known = new Set(wanted.endpoints.map(canonicalText));
  const ignored = [legacyPrefix, currentPrefix]
    .filter((prefix) => prefix !== settings.annotationPrefix)
    .flatMap((prefix) =>
      wantedUnder(objects, { ...settings, annotationPrefix: prefix })
        .endpoints.filter((endpoint) => !known.has(canonicalText(endpoint)))
        // What a dropped annotation leaves behind is not "ignored": only what it would add is.
        .filter((endpoint) => isAnnotated(endpoint, objects, prefix))
        .map((endpoint) => ({
          endpoint,
          ignoredPrefix: prefix,
          why: `annotated under ${prefix}, which ${settings.release.text} does not read here (it reads ${settings.annotationPrefix})`,
        })),
    );
  return { ...wanted, dropped: [...wanted.dropped, ...ignored] };
}

function isAnnotated({ labels }: Endpoint, objects: SourceObjects, prefix: string): boolean {
  const [kind, namespace, name] = (labels.resource ?? "").split("/");
  const own = (items: readonly Readonly<{ metadata: Metadata }>[]): boolean =>
    items.some(
      ({ metadata }) =>
        metadata.namespace === namespace && metadata.name === name && hasPrefix(metadata.annotations, prefix),
    );
  if (kind === "service") return own(objects.services);
  if (kind === "ingress") return own(objects.ingresses);
  if (!kind?.endsWith("route")) return false;
  return (
    own(objects.routes) || objects.gateways.some(({ metadata }) => hasPrefix(metadata.annotations, prefix))
  );
}

const hasPrefix = (annotations: Readonly<Record<string, string>>, prefix: string): boolean =>
  Object.keys(annotations).some((key) => key.startsWith(prefix));
