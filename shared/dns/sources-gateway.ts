import { readAnnotations } from "./annotations.ts";
import type { Endpoint } from "./endpoint.ts";
import { suitableType } from "./endpoint.ts";
import { matchesSelector } from "./label-selector.ts";
import { mergeEndpoints } from "./merge.ts";
import { atLeast } from "./release.ts";
import type { Gateway, Listener, Route, SourceObjects } from "./source-objects.ts";
import type { SourceSettings } from "./source-settings.ts";
import { endpointsForHostname } from "./sources-hostname.ts";

const group = "gateway.networking.k8s.io";

const protocols: Readonly<Record<string, string>> = {
  HTTPRoute: "HTTP",
  GRPCRoute: "HTTPS",
  TLSRoute: "TLS",
  TCPRoute: "TCP",
  UDPRoute: "UDP",
};

const http = (protocol: string): string => (protocol === "HTTPS" ? "HTTP" : protocol);

/** HTTP and HTTPS are one; a TCPRoute may hang on a TLS listener (gateway.go gwProtocolMatches). */
const protocolMatches = (route: string, listener: string): boolean =>
  http(route) === http(listener) || (route === "TCP" && listener === "TLS");

type Parent = Route["spec"]["parentRefs"][number];

const sameParent = (a: Parent, b: Parent, namespace: string): boolean =>
  (a.group || group) === (b.group || group) &&
  (a.kind || "Gateway") === (b.kind || "Gateway") &&
  a.name === b.name &&
  (a.namespace || namespace) === (b.namespace || namespace);

const label = /^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

/** A name a listener or route may carry, in lower case; `undefined` for an address or what is no name. */
function host(text: string): string | undefined {
  if (text === "") return "";
  const bare = text.replace(/^\*\./, "");
  if (suitableType(text) !== "CNAME" || bare.length > 255) return undefined;
  return bare.split(".").every((each) => label.test(each)) ? text.toLowerCase() : undefined;
}

/** The more specific of two overlapping names; empty matches anything, `*.` everything below (gwMatchingHost). */
export function matchingHost(one: string, other: string): string | undefined {
  let a = host(one);
  let b = host(other);
  if (a === undefined || b === undefined) return undefined;
  if (a === "") return b;
  if (b === "" || a === b) return a;
  if (b.length < a.length || (a.length === b.length && b.startsWith("*."))) [a, b] = [b, a];
  return a.startsWith("*.") && b.endsWith(a.slice(1)) ? b : undefined;
}

function allows(gateway: Gateway, listener: Listener, route: Route, objects: SourceObjects): boolean {
  const { namespaces, kinds = [] } = listener.allowedRoutes ?? {};
  const from = namespaces?.from || "Same";
  if (from === "Same" && gateway.metadata.namespace !== route.metadata.namespace) return false;
  if (from === "Selector") {
    const space = objects.namespaces.find(({ metadata }) => metadata.name === route.metadata.namespace);
    if (!space || !namespaces?.selector || !matchesSelector(namespaces.selector, space.metadata.labels))
      return false;
  } else if (from !== "Same" && from !== "All") return false;
  return (
    kinds.length === 0 || kinds.some((each) => (each.group || group) === group && each.kind === route.kind)
  );
}

function hostsOf(route: Route, settings: SourceSettings): readonly string[] {
  const read = readAnnotations(route.metadata.annotations, settings.annotationPrefix, settings.release);
  const defined = route.spec.hostnames;
  const annotated = settings.ignoreHostnameAnnotation ? [] : read.hostnames;
  if (read.gatewayHostnameSource === "annotation-only") return annotated;
  if (read.gatewayHostnameSource === "defined-hosts-only") return defined;
  return [...defined, ...(defined.length === 0 ? [""] : []), ...annotated];
}

/** Targets by host of one route: what its accepted parents' listeners let through. */
function hostTargets(
  route: Route,
  objects: SourceObjects,
  settings: SourceSettings,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const hosts = hostsOf(route, settings);
  const namespace = route.metadata.namespace;
  for (const { parentRef, conditions } of route.status.parents) {
    if ((parentRef.group || group) !== group || (parentRef.kind || "Gateway") !== "Gateway") continue;
    const wanted = route.spec.parentRefs.some((each) => sameParent(each, parentRef, namespace));
    if (!wanted && atLeast(settings.release, "0.17.0")) continue;
    const gateway = objects.gateways.find(
      ({ metadata }) =>
        metadata.name === parentRef.name && metadata.namespace === (parentRef.namespace || namespace),
    );
    if (!gateway || !isSeen(gateway, settings)) continue;
    if (conditions.find(({ type }) => type === "Accepted")?.status !== "True") continue;
    const override = readAnnotations(
      gateway.metadata.annotations,
      settings.annotationPrefix,
      settings.release,
    ).targets;
    const targets = override.length > 0 ? override : gateway.status.addresses.map(({ value }) => value);
    for (const listener of gateway.spec.listeners) {
      if (parentRef.sectionName && parentRef.sectionName !== listener.name) continue;
      if (!protocolMatches(protocols[route.kind] ?? "", listener.protocol)) continue;
      if (typeof parentRef.port === "number" && parentRef.port !== listener.port) continue;
      if (!allows(gateway, listener, route, objects)) continue;
      for (const wantedHost of hosts) {
        const listened = listener.hostname ?? "";
        if (listened === "" && wantedHost === "") continue;
        const match = matchingHost(listened, wantedHost);
        if (match !== undefined) found.set(match, [...(found.get(match) ?? []), ...targets]);
      }
    }
  }
  return found;
}

const isSeen = ({ metadata }: Gateway, settings: SourceSettings): boolean =>
  (settings.gatewayName === "" || settings.gatewayName === metadata.name) &&
  (settings.gatewayNamespace === "" || settings.gatewayNamespace === metadata.namespace) &&
  settings.gatewayLabels(metadata.labels);

/** Routes of the Gateway API on Gateways; ListenerSets are not modelled (source/gateway.go). */
export function gatewayEndpoints(
  routes: readonly Route[],
  objects: SourceObjects,
  settings: SourceSettings,
): readonly Endpoint[] {
  const endpoints = routes.flatMap((route) => {
    const read = readAnnotations(route.metadata.annotations, settings.annotationPrefix, settings.release);
    if (read.skipped) return [];
    return [...hostTargets(route, objects, settings)].flatMap(([hostname, targets]) =>
      endpointsForHostname({
        hostname,
        targets: [...new Set(targets)].sort(),
        ttl: read.ttl,
        providerSpecific: read.providerSpecific,
        setIdentifier: read.setIdentifier,
        resource: `${route.kind.toLowerCase()}/${route.metadata.namespace}/${route.metadata.name}`,
      }),
    );
  });
  return atLeast(settings.release, "0.21.0") ? mergeEndpoints(endpoints) : endpoints;
}
