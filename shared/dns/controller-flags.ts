import { type Cidr, parseAddresses } from "../metallb/ip.ts";
import { parseTtl } from "./annotations.ts";
import type { FlagValues } from "./deployment.ts";
import { regexProblem } from "./domain-filter.ts";
import { type Controller, defaultController } from "./forecast.ts";
import { parseSelector } from "./label-selector.ts";
import { readAesKey } from "./ownership-encryption.ts";
import { affixProblem } from "./ownership-name.ts";
import { isPolicy, policies } from "./policy.ts";
import { atLeast, ownershipRules, type Release } from "./release.ts";
import { defaultSourceSettings, type SourceSettings } from "./source-settings.ts";

export type ReadController = Readonly<{
  controller: Controller;
  settings: SourceSettings;
  /** Flags whose effect is not modelled: they make the answer unknown. */
  unknown: readonly string[];
  /** What ExternalDNS would not start with, and what cannot be read. */
  problems: readonly string[];
}>;

/** How it runs, logs and authenticates changes nothing in what it decides. */
const harmless =
  /^(log-.*|interval|min-event-sync-interval|once|dry-run|events|events-emit|metrics-address|kubeconfig|server|request-timeout|kube-api-.*|aws-api-retries|aws-assume-role.*|aws-profile|aws-zones-cache-duration|aws-batch-change-interval|aws-zone-type|aws-zone-tags|aws-zone-match-parent|zone-id-filter|provider-cache-time|txt-cache-interval|listen-endpoint-events|crd-source-apiversion|crd-source-kind|metrics-.*|webhook-.*|dynamodb-.*)$/;

/** Only pods, nodes and headless Services feel these, and those are told as unknown where they occur. */
const onlyForPods =
  /^(publish-host-ip|always-publish-not-ready-addresses|exclude-unschedulable|expose-internal-ipv6|pod-source-domain|ignore-non-host-network-pods)$/;

const sinceRelease: Readonly<Record<string, string>> = {
  "annotation-prefix": "0.20.0",
  "migrate-from-txt-owner": "0.20.0",
  "force-default-targets": "0.18.0",
  "min-ttl": "0.21.0",
  "prefer-alias": "0.21.0",
  "aws-batch-change-size-bytes": "0.14.2",
  "aws-batch-change-size-values": "0.14.2",
};

/** Reads the flags of one ExternalDNS of a release, as its command line or a Deployment has them. */
export function readController(flags: FlagValues, release: Release): ReadController {
  const problems: string[] = [];
  const unknown: string[] = [];
  const used = new Set<string>();
  const all = (name: string): readonly string[] => {
    used.add(name);
    return (flags.get(name) ?? []).filter((value) => value !== "");
  };
  const last = (name: string): string | undefined => {
    used.add(name);
    return flags.get(name)?.at(-1);
  };
  const isOn = (name: string, otherwise: boolean): boolean => {
    const value = last(name);
    return value === undefined ? otherwise : !["false", "0", "f"].includes(value.toLowerCase());
  };
  const selector = (name: string) => {
    const text = last(name) ?? "";
    const parsed = parseSelector(text);
    if (parsed === undefined) problems.push(`--${name} ${JSON.stringify(text)} is no label selector`);
    return parsed ?? (() => true);
  };
  const nets = (name: string): readonly Cidr[] =>
    all(name).flatMap((text) => {
      const parsed = parseAddresses(text.trim());
      if (!("error" in parsed)) return parsed;
      problems.push(`--${name}: ${parsed.error}`);
      return [];
    });
  const count = (name: string, otherwise: number): number => {
    const text = last(name);
    if (text === undefined) return otherwise;
    if (!/^\d+$/.test(text)) problems.push(`--${name} takes a number; got ${JSON.stringify(text)}`);
    return Number(text);
  };
  const regex = (name: string): string | undefined => {
    const source = last(name);
    if (!source) return undefined;
    const problem = regexProblem(source);
    if (problem === undefined) return source;
    problems.push(`--${name}: ${problem}`);
    return undefined;
  };

  for (const [name, since] of Object.entries(sinceRelease))
    if (flags.has(name) && !atLeast(release, since))
      unknown.push(`--${name} does not exist before ${since}: ExternalDNS ${release.text} would not start`);

  const provider = last("provider");
  if (provider !== undefined && provider !== "aws") unknown.push(`--provider=${provider}`);
  const registry = last("registry") ?? "txt";
  if (registry !== "txt" && registry !== "noop") unknown.push(`--registry=${registry}`);

  const given = last("policy") ?? "";
  if (given === "" && atLeast(release, "0.22.0"))
    problems.push(
      `--policy is missing: ExternalDNS ${release.text} does not start without it (${policies.join(", ")}); an older release: --release 0.21.0`,
    );
  if (given !== "" && !isPolicy(given))
    problems.push(`--policy takes ${policies.join(", ")}; got ${JSON.stringify(given)}`);
  const policy = isPolicy(given) ? given : "sync";

  const owner = last("txt-owner-id") ?? "default";
  const base = defaultController(release, policy, registry === "noop" ? "" : owner);
  const rules = ownershipRules(release);
  const affixes = {
    prefix: last("txt-prefix") ?? "",
    suffix: last("txt-suffix") ?? "",
    wildcardReplacement: last("txt-wildcard-replacement") ?? "",
  };
  const wrongAffixes = affixProblem(affixes);
  if (wrongAffixes !== undefined) problems.push(wrongAffixes);
  const encryptEnabled = isOn("txt-encrypt-enabled", false);
  const newFormatOnly = isOn("txt-new-format-only", false);
  if (newFormatOnly && !rules.newFormatOnlyFlag)
    unknown.push(`--txt-new-format-only does not exist in ${release.text}: ExternalDNS would not start`);
  const keyText = last("txt-encrypt-aes-key") ?? "";
  const key = keyText === "" ? undefined : readAesKey(keyText, rules);
  if (keyText !== "" && key === undefined)
    problems.push("the AES key must be 32 bytes, or (since 0.16) standard base64 of 32 bytes");
  if (keyText === "" && encryptEnabled) problems.push("--txt-encrypt-enabled needs a key");

  const managed = all("managed-record-types");
  const upper = (types: readonly string[]): readonly string[] => types.map((type) => type.toUpperCase());
  const controller: Controller = {
    ...base,
    managedTypes: managed.length > 0 ? upper(managed) : base.managedTypes,
    excludedTypes: upper(all("exclude-record-types")),
    domainFilter: {
      include: all("domain-filter"),
      exclude: all("exclude-domains"),
      regexInclude: regex("regex-domain-filter"),
      regexExclude: regex("regex-domain-exclusion"),
    },
    ownership: { ...affixes, encryptEnabled, newFormatOnly },
    key,
    migrateFromOwner: last("migrate-from-txt-owner") || undefined,
    preferCname: isOn("aws-prefer-cname", false),
    evaluateTargetHealth: isOn("aws-evaluate-target-health", true),
    batch: {
      changes: count("aws-batch-change-size", base.batch.changes),
      bytes: count("aws-batch-change-size-bytes", base.batch.bytes),
      values: count("aws-batch-change-size-values", base.batch.values),
    },
  };

  const sources = all("source");
  const defaults = defaultSourceSettings(release);
  const settings: SourceSettings = {
    ...defaults,
    annotationPrefix: last("annotation-prefix") || defaults.annotationPrefix,
    sources: sources.length > 0 ? sources : undefined,
    namespace: last("namespace") ?? "",
    labelFilter: selector("label-filter"),
    annotationFilter: selector("annotation-filter"),
    serviceTypes: all("service-type-filter"),
    publishInternal: isOn("publish-internal-services", false),
    ignoreHostnameAnnotation: isOn("ignore-hostname-annotation", false),
    ingressClasses: all("ingress-class"),
    ignoreIngressTls: isOn("ignore-ingress-tls-spec", false),
    ignoreIngressRules: isOn("ignore-ingress-rules-spec", false),
    gatewayName: last("gateway-name") ?? "",
    gatewayNamespace: last("gateway-namespace") ?? "",
    gatewayLabels: selector("gateway-label-filter"),
    defaultTargets: all("default-targets"),
    forceDefaultTargets: isOn("force-default-targets", false),
    targetNets: nets("target-net-filter"),
    excludedTargetNets: nets("exclude-target-net"),
    minTtl: parseTtl(last("min-ttl")),
    preferAlias: isOn("prefer-alias", false),
  };
  for (const [name, values] of flags) {
    if (used.has(name) || harmless.test(name) || onlyForPods.test(name)) continue;
    // A template that is set empty, a switch that is off: as if it were not there.
    if (values.every((value) => value === "" || value === "false")) continue;
    unknown.push(`--${name}`);
  }
  return { controller, settings, unknown, problems };
}
