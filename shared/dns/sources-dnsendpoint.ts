import { type Endpoint, resourceLabel } from "./endpoint.ts";
import { mergeEndpoints } from "./merge.ts";
import { atLeast, type Release } from "./release.ts";
import type { DnsEndpoint } from "./source-objects.ts";

/** Types whose targets may end in a dot or not, as the release has it; the others must not (source/crd.go). */
function dotsAreFree(type: string, release: Release): boolean {
  if (type === "TXT") return atLeast(release, "0.20.0");
  if (type === "CNAME" || type === "MX") return atLeast(release, "0.21.0");
  return (type === "SRV" || type === "DNAME") && atLeast(release, "0.22.0");
}

function isIllegal(type: string, target: string, release: Release): boolean {
  if (dotsAreFree(type, release)) return false;
  const must = type === "NAPTR" && atLeast(release, "0.14.2");
  return target.endsWith(".") !== must;
}

/**
 * The CRD source: endpoints as they are written, with the object as `resource`. An endpoint with a target in the wrong
 * form is left out whole. Up to 0.17 one without targets is left out too; since then it waits for default targets.
 */
export function dnsEndpointEndpoints(objects: readonly DnsEndpoint[], release: Release): readonly Endpoint[] {
  const endpoints = objects.flatMap(({ metadata, spec }) =>
    spec.endpoints.flatMap((given): Endpoint[] => {
      if (given === null) return [];
      const type = given.recordType ?? "";
      if (given.targets.length === 0 && ["A", "AAAA", "CNAME"].includes(type) && !atLeast(release, "0.18.0"))
        return [];
      if (given.targets.some((target) => isIllegal(type, target, release))) return [];
      return [
        {
          name: (given.dnsName ?? "").replace(/\.$/, ""),
          type,
          targets: given.targets,
          ttl: given.recordTTL ?? 0,
          setIdentifier: given.setIdentifier ?? "",
          labels: { ...given.labels, [resourceLabel]: `crd/${metadata.namespace}/${metadata.name}` },
          providerSpecific: given.providerSpecific ?? undefined,
        },
      ];
    }),
  );
  return atLeast(release, "0.21.0") ? mergeEndpoints(endpoints) : endpoints;
}
