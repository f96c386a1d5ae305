import * as z from "zod";
import { isWithin } from "../dns/fqdn.ts";
import type { KubeObject } from "../kubernetes/read.ts";

const secretRef = z.looseObject({ name: z.string().nullish() }).nullish();

const route53 = z.looseObject({
  hostedZoneID: z.string().nullish(),
  role: z.string().nullish(),
  accessKeyID: z.string().nullish(),
  accessKeyIDSecretRef: secretRef,
  secretAccessKeySecretRef: secretRef,
  auth: z.unknown().optional(),
});

const solver = z.looseObject({
  selector: z
    .looseObject({
      dnsZones: z.array(z.string()).nullish(),
      dnsNames: z.array(z.string()).nullish(),
      matchLabels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
  dns01: z.looseObject({ route53: route53.nullish() }).nullish(),
  http01: z.unknown().optional(),
});

const issuer = z.looseObject({
  spec: z
    .looseObject({
      acme: z.looseObject({ server: z.string().nullish(), solvers: z.array(solver).nullish() }).nullish(),
    })
    .nullish(),
  status: z
    .looseObject({
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().nullish() }))
        .nullish(),
    })
    .nullish(),
});

export type Solver = z.output<typeof solver>;

export type Issuer = Readonly<{
  kind: "Issuer" | "ClusterIssuer";
  name: string;
  namespace: string | undefined;
  /** Undefined where it is no ACME issuer: such a one needs no challenge. */
  acme: Readonly<{ server: string; solvers: readonly Solver[] }> | undefined;
  /** `undefined` where it says nothing. */
  ready: boolean | undefined;
  message: string;
}>;

export function issuerOf(kind: Issuer["kind"], object: KubeObject): Issuer {
  const { spec, status } = issuer.safeParse(object).data ?? {};
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return {
    kind,
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    acme: spec?.acme ? { server: spec.acme.server ?? "", solvers: spec.acme.solvers ?? [] } : undefined,
    ready: ready === undefined ? undefined : ready.status === "True",
    message: ready?.message ?? "",
  };
}

export const issuerTitle = ({ kind, name, namespace }: Issuer): string =>
  `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;

/**
 * The DNS-01 solver that cert-manager takes for a name: one that names it exactly, else the one with the longest zone
 * above it, else one without either (cert-manager, configuration/acme, selectors). Labels of a selector are those of the
 * Certificate, which we write without any.
 */
export function dns01For(issuer: Issuer, dnsName: string): Solver | undefined {
  const base = dnsName.replace(/^\*\./, "");
  const solvers = (issuer.acme?.solvers ?? []).filter(
    ({ dns01, selector }) => Boolean(dns01) && Object.keys(selector?.matchLabels ?? {}).length === 0,
  );
  const exact = solvers.find(({ selector }) => selector?.dnsNames?.includes(dnsName));
  if (exact !== undefined) return exact;
  const zoneOf = ({ selector }: Solver): number =>
    Math.max(
      0,
      ...(selector?.dnsZones ?? []).filter((zone) => isWithin(base, zone)).map((zone) => zone.length),
    );
  const [nearest] = solvers.filter((each) => zoneOf(each) > 0).toSorted((a, b) => zoneOf(b) - zoneOf(a));
  return (
    nearest ?? solvers.find(({ selector }) => !selector?.dnsNames?.length && !selector?.dnsZones?.length)
  );
}

/** Credentials of its own, or those of the pod (ambient), which only a ClusterIssuer gets unless a flag says otherwise. */
export const isAmbient = ({ dns01 }: Solver): boolean => {
  const aws = dns01?.route53;
  return Boolean(aws) && !aws?.accessKeyID && !aws?.accessKeyIDSecretRef?.name && aws?.auth === undefined;
};

/** How a CA calls itself in CAA records, where it is one we know. */
export const caaDomain = ({ acme }: Issuer): string | undefined =>
  /letsencrypt\.org/.test(acme?.server ?? "")
    ? "letsencrypt.org"
    : /zerossl\.com/.test(acme?.server ?? "")
      ? "sectigo.com"
      : /pki\.goog/.test(acme?.server ?? "")
        ? "pki.goog"
        : undefined;
