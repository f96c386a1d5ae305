import * as z from "zod";
import { isPolicy, policies } from "#shared/dns/policy.ts";
import { newestRelease } from "#shared/dns/release.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

const file = z.string().min(1, "needs the name of a file");

/** Every option of `dns forecast` and `dns check` on files; `owner` and `migrateFromOwner` may be empty on purpose. */
export const offlineInput = z.object({
  zoneFile: file,
  endpoints: file,
  zone: z.string().min(1, "needs a domain name"),
  owner: z.string().optional(),
  policy: z.string().optional(),
  release: z.string().optional(),
  txtPrefix: z.string().optional(),
  txtSuffix: z.string().optional(),
  txtWildcardReplacement: z.string().optional(),
  txtAesKeyFile: file.optional(),
  managedTypes: z.string().optional(),
  excludeTypes: z.string().optional(),
  migrateFromOwner: z.string().optional(),
  domainFilter: z.string().optional(),
  excludeDomains: z.string().optional(),
  annotationPrefix: z.string().optional(),
  deployment: file.optional(),
});

export type ForecastOptions = z.output<typeof offlineInput>;

/** The same where files are one of two ways to ask: which are missing is told by {@link offlineProblems}. */
export const offlineShape = offlineInput.partial().shape;

type OfflineGiven = Readonly<Partial<Record<keyof ForecastOptions, string | undefined>>>;

/** Files are needed together, and options that describe them are nothing without them. */
export function offlineProblems(
  given: OfflineGiven,
  also: readonly (keyof ForecastOptions)[] = [],
): readonly Readonly<{ path: string; message: string }>[] {
  const names = (Object.keys(offlineInput.shape) as (keyof ForecastOptions)[]).filter(
    (name) => given[name] !== undefined && !also.includes(name),
  );
  if (names.length === 0) return [];
  return (["zoneFile", "endpoints", "zone"] as const).flatMap((path) =>
    given[path] === undefined ? [{ path, message: "is missing" }] : [],
  );
}

/** Files alone: no cluster, nobody's rights, in a terminal. */
export const offlineAlone = { role: "viewer", effect: "none", cluster: "none", slow: false } as const;

export const filesOnlyInShell = (words: string): Reply => ({
  verdict: {
    word: "Not understood",
    outcome: "usage",
    text: text`${code(`/${words}`)} reads files only in a shell; here it looks at the cluster.`,
  },
  findings: [],
  blocks: [],
  next: [text`There: ${code(`arpeggio ${words} ${offlineUsage}`)}`],
  actions: [],
});

export const offlineUsage =
  "--zone-file FILE --endpoints FILE --zone NAME --owner ID [--policy P] [--release R] [--deployment FILE]";

export const offlineOptions = [
  {
    name: "zone-file",
    value: "FILE",
    about: "output of aws route53 list-resource-record-sets; - reads standard input",
  },
  {
    name: "endpoints",
    value: "FILE",
    about: "kubectl get services,ingresses,gateways,httproutes,dnsendpoints -A -o json",
  },
  { name: "zone", value: "NAME", about: "name of the hosted zone" },
  { name: "owner", value: "ID", about: 'the --txt-owner-id; "" switches the owner filter off' },
  { name: "policy", value: "P", about: "sync, upsert-only or create-only; needed from release 0.22 on" },
  {
    name: "release",
    value: "R",
    about: `ExternalDNS release, 0.14 to 0.22; without it ${newestRelease.text}`,
  },
  { name: "txt-prefix", value: "P", about: "as --txt-prefix of ExternalDNS" },
  { name: "txt-suffix", value: "S", about: "as --txt-suffix of ExternalDNS" },
  { name: "txt-wildcard-replacement", value: "W", about: "as --txt-wildcard-replacement of ExternalDNS" },
  { name: "txt-aes-key-file", value: "FILE", about: "AES key; ownership records are then written encrypted" },
  { name: "managed-types", value: "A,AAAA", about: "record types it manages; without it A,AAAA,CNAME" },
  { name: "exclude-types", value: "T", about: "record types it leaves alone" },
  { name: "migrate-from-owner", value: "OLD", about: "as --migrate-from-txt-owner of ExternalDNS" },
  { name: "domain-filter", value: "D", about: "domains it looks at, separated by commas" },
  { name: "exclude-domains", value: "D", about: "domains it does not look at, separated by commas" },
  { name: "annotation-prefix", value: "P", about: "as --annotation-prefix of ExternalDNS" },
  {
    name: "deployment",
    value: "FILE",
    about: "ExternalDNS Deployment whose arguments and environment count",
  },
] as const;

const liveOptions = [
  {
    name: "with-binary",
    value: "PATH",
    about: "a real ExternalDNS to run with --dry-run --once; what it says outranks us. In a shell only",
  },
] as const;

const input = z
  .object({ withBinary: file.optional(), ...offlineShape })
  .superRefine(({ withBinary, ...files }, context) => {
    const tell = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    const missing = offlineProblems(files, ["policy", "release"]);
    for (const { path, message } of missing) tell(path, message);
    if (files.zoneFile !== undefined && withBinary !== undefined)
      tell("withBinary", "looks at the cluster; it takes no files");
    if (files.zoneFile !== undefined || missing.length > 0) return;
    if (files.release === undefined) tell("release", "is missing");
    if (files.policy !== undefined && !isPolicy(files.policy))
      tell("policy", `must be one of ${policies.join(", ")}`);
  });

/**
 * `/dns forecast RELEASE`: what a release of ExternalDNS would do to the zones of a cluster. With `--zone-file` it looks
 * at files alone.
 */
export const dnsForecast = defineVerb({
  path: ["forecast"],
  usage: "RELEASE [--policy P]",
  shellUsages: ["RELEASE [--policy P] --with-binary PATH", offlineUsage],
  summary: "What ExternalDNS of a release would do to zones, what Route 53 would refuse, what stays wrong.",
  examples: [
    "0.22.0 --policy sync",
    "--zone-file zone.json --endpoints dump.json --zone example.com --owner default --policy sync --release 0.22.0",
    "--zone-file zone.json --endpoints dump.json --zone example.com --deployment external-dns.json --json",
  ],
  positionals: ["release"],
  options: [...liveOptions, ...offlineOptions],
  input,
  role: "viewer",
  effect: "read",
  takes: (given) => (given.zoneFile === undefined ? undefined : offlineAlone),
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async (context) => {
    const { input: given, deps, caller } = context;
    // Loaded when asked for: planner, sources and codec are the largest part of the command line.
    if (given.zoneFile === undefined) {
      const { forecastLive } = await import("../dns/live-forecast.ts");
      const { release = "", policy, withBinary } = given;
      return forecastLive(context, { release, policy, withBinary });
    }
    if (caller.door !== "cli") return filesOnlyInShell("dns forecast");
    const { answer, forecastProblems, prepareForecast } = await import("../run-dns-forecast.ts");
    const prepared = await prepareForecast(offlineInput.parse(given), deps);
    return prepared.ok ? answer(prepared) : forecastProblems(prepared.problems);
  },
});
