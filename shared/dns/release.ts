/**
 * ExternalDNS releases and what changed between them in the TXT registry. Read from the tags of
 * kubernetes-sigs/external-dns, v0.7.6 to v0.22.0: registry/txt.go (from v0.21.0 registry/txt and registry/mapper),
 * endpoint/labels.go, endpoint/endpoint.go, provider/aws/aws.go.
 */
export type Release = Readonly<{ text: string; minor: number; patch: number }>;

const lastPatch: Readonly<Record<number, number>> = {
  7: 6,
  8: 0,
  9: 0,
  10: 2,
  11: 1,
  12: 2,
  13: 6,
  14: 2,
  15: 1,
  16: 1,
  17: 0,
  18: 0,
  19: 0,
  20: 0,
  21: 0,
  22: 0,
};

const release = (minor: number, patch: number): Release => ({ text: `0.${minor}.${patch}`, minor, patch });

export const newestRelease: Release = release(22, 0);

export const oldestRelease: Release = release(7, 0);

/**
 * `0.14.2`, `v0.14.2`, an image tag such as `0.14.2-debian-12-r4`, or `0.14` for the last patch of it. `undefined` for a
 * release whose rules are not known here, older than 0.7 or newer than 0.22. A patch release of a known minor that came
 * later is judged by that minor's rules.
 */
export function parseRelease(text: string): Release | undefined {
  const [, minor, patch] = /^v?0\.(\d{1,3})(?:\.(\d{1,3})(?:[-+_].*)?)?$/.exec(text.trim()) ?? [];
  if (minor === undefined) return undefined;
  const last = lastPatch[Number(minor)];
  if (last === undefined) return undefined;
  return release(Number(minor), patch === undefined ? last : Number(patch));
}

/** The tag of an image reference, without digest: `v0.20.0` of `example/external-dns:v0.20.0@sha256:…`. */
export const imageTag = (image: string): string | undefined =>
  /:([^:/@]+)$/.exec(image.replace(/@.*$/, ""))?.[1];

/** `since` is written `0.13.5`. */
export function atLeast({ minor, patch }: Release, since: string): boolean {
  const dot = since.lastIndexOf(".");
  const sinceMinor = Number(since.slice(2, dot));
  return minor > sinceMinor || (minor === sinceMinor && patch >= Number(since.slice(dot + 1)));
}

export type OwnershipRules = Readonly<{
  writesLegacy: boolean;
  writesTyped: boolean;
  /** Whether the legacy TXT is also written in these cases, as long as it is written at all. */
  legacyForAaaa: boolean;
  legacyWithTemplate: boolean;
  legacyWithEncryption: boolean;
  newFormatOnlyFlag: boolean;
  /** `%{record_type}` in an affix means something. */
  templates: boolean;
  encryption: boolean;
  /** The key may be given in base64; before, only as 32 bytes. */
  base64Key: boolean;
  /** A TXT record that a source wants gets an ownership TXT of its own. */
  ownsTxtRecords: boolean;
  /** As what the AWS provider reads an alias record from the zone. */
  aliasReadAs: "CNAME" | "A" | "its-type";
  /** Type in the typed TXT's name of an A alias. */
  aliasATyped: "CNAME" | "A";
  /** Types whose token in a TXT name is recognised, in the order they are tried. */
  knownTypes: readonly string[];
  /** How a TXT name is taken apart. */
  reader: "affix-only" | "type-then-affix" | "affix-then-type";
  /** TXT names with too few labels for the suffix make the release crash: all of them, or only those with a dot. */
  crashesOnShortNames: "all" | "dotted" | "none";
  /** A type found by a templated affix stays in lower case, so that it never matches a record. */
  templatedTypeInLowerCase: boolean;
  /** What of the type takes part when TXT and record are matched. */
  matches: "name" | "name-and-aaaa" | "name-and-type";
  /** A label's value may hold `=`; before, such a label was dropped. */
  equalsInValue: boolean;
}>;

const oldest: OwnershipRules = {
  writesLegacy: true,
  writesTyped: false,
  legacyForAaaa: true,
  legacyWithTemplate: true,
  legacyWithEncryption: true,
  newFormatOnlyFlag: false,
  templates: false,
  encryption: false,
  base64Key: false,
  ownsTxtRecords: true,
  aliasReadAs: "CNAME",
  aliasATyped: "CNAME",
  knownTypes: [],
  reader: "affix-only",
  crashesOnShortNames: "all",
  templatedTypeInLowerCase: false,
  matches: "name",
  equalsInValue: false,
};

type Change = Readonly<{ since: string; source: string; rules: Partial<OwnershipRules> }>;

/** Oldest first; a release has every change up to and including its own. */
export const changes: readonly Change[] = [
  {
    since: "0.12.0",
    source: "v0.12.0 registry/txt.go generateTXTRecord, toNewTXTName, dropRecordType",
    rules: {
      writesTyped: true,
      templates: true,
      knownTypes: ["A", "CNAME", "NS"],
      reader: "type-then-affix",
    },
  },
  { since: "0.12.1", source: "v0.12.1 generateTXTRecord: none for TXT", rules: { ownsTxtRecords: false } },
  {
    since: "0.13.5",
    source: "v0.13.5 generateTXTRecord, keySuffixAAAA, txtEncryptEnabled",
    rules: {
      legacyForAaaa: false,
      encryption: true,
      knownTypes: ["A", "AAAA", "CNAME", "NS"],
      matches: "name-and-aaaa",
    },
  },
  {
    since: "0.13.6",
    source: "v0.13.6 dropAffixExtractType, EndpointKey, recordTypeInAffix",
    rules: {
      legacyWithTemplate: false,
      reader: "affix-then-type",
      templatedTypeInLowerCase: true,
      matches: "name-and-type",
    },
  },
  {
    since: "0.14.0",
    source: "v0.14.0 generateTXTRecord: txtEncryptEnabled; dropAffixExtractType; aws.go Records: alias as A",
    rules: { legacyWithEncryption: false, templatedTypeInLowerCase: false, aliasReadAs: "A" },
  },
  { since: "0.15.0", source: "v0.15.0 generateTXTRecord", rules: { ownsTxtRecords: true } },
  { since: "0.15.1", source: "v0.15.1 toEndpointName", rules: { crashesOnShortNames: "dotted" } },
  {
    since: "0.16.0",
    source: "v0.16.0 NewTXTRegistry: newFormatOnly, b64; aws.go Records: alias with its type",
    rules: { newFormatOnlyFlag: true, base64Key: true, aliasReadAs: "its-type" },
  },
  {
    since: "0.18.0",
    source: "v0.18.0 generateTXTRecord: typed only; getSupportedTypes: MX",
    rules: {
      writesLegacy: false,
      newFormatOnlyFlag: false,
      knownTypes: ["A", "AAAA", "CNAME", "NS", "MX"],
    },
  },
  {
    since: "0.21.0",
    source: "v0.21.0 registry/mapper/mapper.go supportedRecords",
    rules: { knownTypes: ["A", "AAAA", "CNAME", "NS", "MX", "PTR", "SRV", "NAPTR"] },
  },
  {
    since: "0.22.0",
    source: "v0.22.0 supportedRecords; NewLabelsFromStringPlain; registry/txt isAliasARecord",
    rules: {
      knownTypes: ["A", "AAAA", "CNAME", "NS", "MX", "PTR", "SRV", "NAPTR", "TXT", "DNAME"],
      aliasATyped: "A",
      crashesOnShortNames: "none",
      equalsInValue: true,
    },
  },
];

/** The TXT registry's rules in a release. */
export const ownershipRules = (of: Release): OwnershipRules =>
  Object.assign(
    {},
    oldest,
    ...changes.filter(({ since }) => atLeast(of, since)).map(({ rules }) => rules),
  ) as OwnershipRules;
