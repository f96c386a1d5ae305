import type { ProviderProperty } from "./endpoint.ts";
import { atLeast, type Release } from "./release.ts";

export type Annotations = Readonly<Record<string, string>>;

export const legacyPrefix = "external-dns.alpha.kubernetes.io/";
export const currentPrefix = "external-dns.kubernetes.io/";

/**
 * The one prefix a release reads; 0.22 changed it without a fallback (kubernetes-sigs/external-dns,
 * source/annotations/annotations.go, issues 6424 and 6666).
 */
export const defaultPrefix = (release: Release): string =>
  atLeast(release, "0.22.0") ? currentPrefix : legacyPrefix;

/** The keys ExternalDNS reads, without their prefix. Values are text, as annotations are. */
export type ReadAnnotations = Readonly<{
  /** Another controller is meant: the object is skipped. */
  skipped: boolean;
  hostnames: readonly string[];
  internalHostnames: readonly string[];
  targets: readonly string[];
  ttl: number;
  setIdentifier: string;
  providerSpecific: readonly ProviderProperty[];
  ingressHostnameSource: string | undefined;
  gatewayHostnameSource: string | undefined;
}>;

/** Blanks go, and nothing else: a trailing comma yields an empty name. */
const split = (value: string): readonly string[] => value.replaceAll(" ", "").split(",");

const units: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** Go's `time.ParseDuration` in seconds; `undefined` when it is none. */
function parseDuration(value: string): number | undefined {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(value) ?? [];
  if (rest === "0") return 0;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let seconds = 0;
  for (const [, number, unit] of rest.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
    seconds += Number(number) * (units[unit as string] as number);
  return sign === "-" ? -seconds : seconds;
}

/**
 * Whole seconds or a Go duration whose fraction is cut; 1 to 2147483647, anything else counts as not configured (0), as
 * if the annotation were not there (source/annotations/processors.go).
 */
export function parseTtl(value: string | undefined): number {
  if (value === undefined) return 0;
  const duration = parseDuration(value);
  const seconds =
    duration !== undefined ? Math.trunc(duration) : /^[+-]?\d+$/.test(value) ? Number(value) : 0;
  return seconds >= 1 && seconds <= 2_147_483_647 ? seconds : 0;
}

/** Annotations of other providers become properties too; `-` stays in the names of IBM's. */
const vendors: readonly Readonly<{ key: string; name: string; since: string }>[] = [
  { key: "aws-", name: "aws/", since: "0.14.0" },
  { key: "scw-", name: "scw/", since: "0.14.0" },
  { key: "ibmcloud-", name: "ibmcloud-", since: "0.14.0" },
  { key: "webhook-", name: "webhook/", since: "0.15.0" },
  { key: "coredns-", name: "coredns/", since: "0.20.0" },
];

function properties(annotations: Annotations, prefix: string, release: Release): readonly ProviderProperty[] {
  const out: ProviderProperty[] = [];
  if (annotations[`${prefix}alias`] === "true") out.push({ name: "alias", value: "true" });
  const recordType = annotations[`${prefix}record-type`];
  if (recordType !== undefined && atLeast(release, "0.21.0"))
    out.push({ name: "record-type", value: recordType });
  for (const [key, value] of Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const vendor of vendors)
      if (atLeast(release, vendor.since) && key.startsWith(`${prefix}${vendor.key}`))
        out.push({ name: `${vendor.name}${key.slice(prefix.length + vendor.key.length)}`, value });
  return out;
}

export function readAnnotations(annotations: Annotations, prefix: string, release: Release): ReadAnnotations {
  const value = (key: string): string | undefined =>
    Object.hasOwn(annotations, `${prefix}${key}`) ? annotations[`${prefix}${key}`] : undefined;
  const list = (key: string): readonly string[] => {
    const given = value(key);
    return given === undefined ? [] : split(given);
  };
  const controller = value("controller");
  return {
    skipped: controller !== undefined && controller !== "dns-controller",
    hostnames: list("hostname"),
    internalHostnames: list("internal-hostname"),
    targets: value("target") ? list("target").map((target) => target.replace(/\.$/, "")) : [],
    ttl: parseTtl(value("ttl")),
    setIdentifier: value("set-identifier") ?? "",
    providerSpecific: properties(annotations, prefix, release),
    ingressHostnameSource: value("ingress-hostname-source")?.toLowerCase(),
    gatewayHostnameSource: atLeast(release, "0.21.0")
      ? value("gateway-hostname-source")?.toLowerCase()
      : undefined,
  };
}
