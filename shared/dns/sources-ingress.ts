import { readAnnotations } from "./annotations.ts";
import type { Endpoint } from "./endpoint.ts";
import { mergeEndpoints } from "./merge.ts";
import { atLeast } from "./release.ts";
import type { Ingress } from "./source-objects.ts";
import type { SourceSettings } from "./source-settings.ts";
import { endpointsForHostname } from "./sources-hostname.ts";

function ofClass({ metadata, spec }: Ingress, { ingressClasses }: SourceSettings): boolean {
  if (ingressClasses.length === 0) return true;
  const named = spec?.ingressClassName || metadata.annotations["kubernetes.io/ingress.class"];
  return named !== undefined && ingressClasses.includes(named);
}

/** The Ingress source: hosts of rules and TLS, then the annotation (source/ingress.go). */
export function ingressEndpoints(
  ingresses: readonly Ingress[],
  settings: SourceSettings,
): readonly Endpoint[] {
  const endpoints = ingresses.flatMap((ingress) => {
    const { metadata, spec, status } = ingress;
    const read = readAnnotations(metadata.annotations, settings.annotationPrefix, settings.release);
    if (read.skipped || !ofClass(ingress, settings)) return [];
    const targets =
      read.targets.length > 0
        ? read.targets
        : status.flatMap(({ ip, hostname }) => [ip, hostname].filter((each) => !!each) as string[]);
    const defined = [
      ...(settings.ignoreIngressRules ? [] : (spec?.rules ?? []).map(({ host }) => host ?? "")),
      ...(settings.ignoreIngressTls ? [] : (spec?.tls ?? []).flatMap(({ hosts }) => hosts)),
    ].filter((host) => host !== "");
    const annotated = settings.ignoreHostnameAnnotation ? [] : read.hostnames;
    const from = read.ingressHostnameSource;
    const hostnames =
      from === undefined
        ? [...defined, ...annotated]
        : from === "defined-hosts-only"
          ? defined
          : from === "annotation-only"
            ? annotated
            : [];
    return hostnames.flatMap((hostname) =>
      endpointsForHostname({
        hostname,
        targets,
        ttl: read.ttl,
        providerSpecific: read.providerSpecific,
        setIdentifier: read.setIdentifier,
        resource: `ingress/${metadata.namespace}/${metadata.name}`,
      }),
    );
  });
  return atLeast(settings.release, "0.21.0") ? mergeEndpoints(endpoints) : endpoints;
}
