import * as z from "zod";
import { newestRelease } from "#shared/dns/release.ts";
import { defineVerb } from "./command.ts";

const file = z.string().min(1, "needs the name of a file");

/** Every option of `dns forecast` and `dns check`; `owner` and `migrateFromOwner` may be empty on purpose. */
export const forecastInput = z.object({
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

export type ForecastOptions = z.output<typeof forecastInput>;

export const forecastUsage =
  "--zone-file FILE --endpoints FILE --zone NAME --owner ID [--policy P] [--release R] [--deployment FILE]";

export const forecastOptions = [
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

/** `arpeggio dns forecast`: what a release of ExternalDNS would do to a zone, from files alone. */
export const dnsForecast = defineVerb({
  path: ["forecast"],
  usage: forecastUsage,
  summary: "What ExternalDNS of a release would do to a zone, what Route 53 would refuse, what stays wrong.",
  examples: [
    "--zone-file zone.json --endpoints dump.json --zone example.com --owner default --policy sync --release 0.22.0",
    "--zone-file zone.json --endpoints dump.json --zone example.com --deployment external-dns.json --json",
  ],
  positionals: [],
  options: [...forecastOptions],
  input: forecastInput,
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["cli"],
  handle: async ({ input, deps }) => {
    // Loaded when asked for: planner, sources and codec are the largest part of the command line.
    const { answer, forecastProblems, prepareForecast } = await import("../run-dns-forecast.ts");
    const prepared = await prepareForecast(input, deps);
    return prepared.ok ? answer(prepared) : forecastProblems(prepared.problems);
  },
});
