import { readAnnotations } from "./annotations.ts";
import type { Endpoint } from "./endpoint.ts";
import { mergeEndpoints, mergeServices } from "./merge.ts";
import { atLeast } from "./release.ts";
import type { Service } from "./source-objects.ts";
import type { SourceSettings } from "./source-settings.ts";
import { endpointsForHostname } from "./sources-hostname.ts";

export type SourceResult = Readonly<{ endpoints: readonly Endpoint[]; unknown: readonly string[] }>;

/** `undefined` where pods or nodes would decide, which a dump of Services does not show. */
function targetsOf(
  { spec, status }: Service,
  settings: SourceSettings,
  internal: boolean,
): readonly string[] | undefined {
  switch (spec.type) {
    case "LoadBalancer":
      if (internal) return spec.clusterIp === "None" ? [] : [spec.clusterIp];
      if (spec.externalIps.length > 0) return spec.externalIps;
      return status.flatMap(({ ip, hostname }) => [ip, hostname].filter((each) => !!each) as string[]);
    case "ExternalName":
      return spec.externalIps.length > 0 ? spec.externalIps : [spec.externalName];
    case "ClusterIP":
      if (spec.clusterIp === "None") return undefined;
      return internal || settings.publishInternal ? [spec.clusterIp] : [];
    default:
      return undefined;
  }
}

/** The Service source (source/service.go). NodePort and headless Services are told as unknown. */
export function serviceEndpoints(services: readonly Service[], settings: SourceSettings): SourceResult {
  const unknown: string[] = [];
  const endpoints = services.flatMap((service) => {
    const { metadata, spec } = service;
    const read = readAnnotations(metadata.annotations, settings.annotationPrefix, settings.release);
    if (read.skipped || settings.ignoreHostnameAnnotation) return [];
    if (settings.serviceTypes.length > 0 && !settings.serviceTypes.includes(spec.type)) return [];
    const resource = `service/${metadata.namespace}/${metadata.name}`;
    const claim = (name: string, internal: boolean): readonly Endpoint[] => {
      const targets = read.targets.length > 0 ? read.targets : targetsOf(service, settings, internal);
      if (targets === undefined) {
        unknown.push(
          `${resource}: targets of a ${spec.clusterIp === "None" ? "headless" : spec.type} Service come from pods and nodes, which are not modelled`,
        );
        return [];
      }
      return endpointsForHostname({
        hostname: name.replace(/\.$/, ""),
        targets: targets.filter((target) => target !== ""),
        ttl: read.ttl,
        providerSpecific: read.providerSpecific,
        setIdentifier: read.setIdentifier,
        resource,
      });
    };
    return [
      ...read.hostnames.flatMap((name) => claim(name, false)),
      ...read.internalHostnames.flatMap((name) => claim(name, true)),
    ];
  });
  const merged = mergeServices(endpoints, settings.release);
  return {
    endpoints: atLeast(settings.release, "0.21.0") ? mergeEndpoints(merged) : merged,
    unknown: [...new Set(unknown)],
  };
}
