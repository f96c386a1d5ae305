import { parseAllDocuments } from "yaml";
import * as z from "zod";

/** Flags as they are given, by name without dashes; a flag without a value is `true`, `--no-x` is `x` with `false`. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

export type ReadDeployment =
  | Readonly<{
      ok: true;
      name: string;
      image: string;
      flags: FlagValues;
      /** Environment variables whose values stand in a Secret or ConfigMap: what they say is not known. */
      hidden: readonly string[];
    }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

const container = z.looseObject({
  name: z.string(),
  image: z.string().default(""),
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  env: z
    .array(
      z.looseObject({ name: z.string(), value: z.string().nullish(), valueFrom: z.unknown().optional() }),
    )
    .nullish(),
});

const workload = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string().default(""), namespace: z.string().default("default") }),
  spec: z.looseObject({
    template: z.looseObject({ spec: z.looseObject({ containers: z.array(container) }) }),
  }),
});

type Container = z.output<typeof container>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const flatten = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value.flatMap(flatten);
  return isObject(value) && Array.isArray(value.items) ? value.items.flatMap(flatten) : [value];
};

const isExternalDns = ({ name, image }: Container): boolean =>
  /external-dns/.test(image) || /external-dns/.test(name);

/** Switches take no value, so what follows one of them is no value of it. */
const switches = new Set([
  "once",
  "dry-run",
  "events",
  "ignore-hostname-annotation",
  "ignore-ingress-tls-spec",
  "ignore-ingress-rules-spec",
  "publish-internal-services",
  "publish-host-ip",
  "always-publish-not-ready-addresses",
  "combine-fqdn-annotation",
  "force-default-targets",
  "prefer-alias",
  "aws-evaluate-target-health",
  "aws-prefer-cname",
  "aws-zone-match-parent",
  "txt-encrypt-enabled",
  "txt-new-format-only",
  "create-ptr",
  "expose-internal-ipv6",
  "exclude-unschedulable",
  "gateway-listener-sets",
  "resolve-service-load-balancer-hostname",
  "listen-endpoint-events",
]);

/** Arguments as kingpin and cobra take them: `--flag=value`, `--flag value`, `--switch`, `--no-switch`. */
export function readArguments(words: readonly string[]): FlagValues {
  const flags = new Map<string, string[]>();
  const add = (name: string, value: string): void =>
    void flags.set(name, [...(flags.get(name) ?? []), value]);
  for (let i = 0; i < words.length; i++) {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(words[i] as string) ?? [];
    if (name === undefined) continue;
    const negated = name.startsWith("no-") && switches.has(name.slice(3)) ? name.slice(3) : undefined;
    if (negated !== undefined) add(negated, value === "false" ? "true" : "false");
    else if (value !== undefined) add(name, value);
    else if (switches.has(name) || words[i + 1] === undefined || words[i + 1]?.startsWith("--"))
      add(name, "true");
    else add(name, words[++i] as string);
  }
  return flags;
}

const prefix = "EXTERNAL_DNS_";

/** `EXTERNAL_DNS_DOMAIN_FILTER` is `--domain-filter`, one value a line; an argument outranks it. */
function flagsOf({
  command,
  args,
  env,
}: Container): Readonly<{ flags: FlagValues; hidden: readonly string[] }> {
  const flags = new Map(readArguments([...(command ?? []), ...(args ?? [])]));
  const hidden: string[] = [];
  for (const { name, value, valueFrom } of env ?? []) {
    if (!name.startsWith(prefix)) continue;
    const flag = name.slice(prefix.length).toLowerCase().replaceAll("_", "-");
    if (flags.has(flag)) continue;
    if (valueFrom !== undefined && valueFrom !== null) hidden.push(name);
    else if (value !== undefined && value !== null && value !== "") flags.set(flag, value.split("\n"));
  }
  return { flags, hidden };
}

/**
 * Arguments and environment of the one ExternalDNS in a Deployment, as `kubectl get deployment -o json` or a manifest
 * (YAML) has it; every problem at once.
 */
export function readDeployment(content: string): ReadDeployment {
  const documents = parseAllDocuments(content);
  if (!Array.isArray(documents)) return { ok: false, problems: ["it is empty"] };
  const broken = documents.flatMap(({ errors }) =>
    errors.map(({ message }) => message.split("\n")[0] as string),
  );
  if (broken.length > 0) return { ok: false, problems: broken };
  const problems: string[] = [];
  const found: Readonly<{ name: string; container: Container }>[] = [];
  for (const item of documents.flatMap((document) => flatten(document.toJS()))) {
    if (!isObject(item) || !["Deployment", "StatefulSet", "DaemonSet"].includes(String(item.kind))) continue;
    const read = workload.safeParse(item);
    if (!read.success) {
      problems.push(
        ...read.error.issues.map(({ path, message }) => `${String(item.kind)}.${path.join(".")}: ${message}`),
      );
      continue;
    }
    const { metadata, spec } = read.data;
    for (const each of spec.template.spec.containers)
      if (isExternalDns(each))
        found.push({ name: `${metadata.namespace}/${metadata.name}`, container: each });
  }
  if (problems.length > 0) return { ok: false, problems };
  const [only, ...others] = found;
  if (only === undefined)
    return { ok: false, problems: ["there is no Deployment with an external-dns container"] };
  if (others.length > 0)
    return {
      ok: false,
      problems: [
        `there are several ExternalDNS (${found.map(({ name }) => name).join(", ")}); give one at a time`,
      ],
    };
  return { ok: true, name: only.name, image: only.container.image, ...flagsOf(only.container) };
}
