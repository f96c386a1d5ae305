/**
 * MetalLB releases and what changed between them for the election. Read from the tags of metallb/metallb
 * (speaker/layer2_controller.go, internal/k8s/epslices, internal/speakerlist); `main` is the state of July 2026.
 */
const patches: Readonly<Record<string, number>> = {
  "0.9": 8,
  "0.10": 3,
  "0.11": 0,
  "0.12": 1,
  "0.13": 12,
  "0.14": 9,
  "0.15": 3,
  "0.16": 1,
};

export const knownVersions: readonly string[] = [
  ...Object.entries(patches).flatMap(([minor, last]) =>
    Array.from({ length: last + 1 }, (_, patch) => `${minor}.${patch}`),
  ),
  "main",
];

export const newestVersion = "0.16.1";

/** `v0.16.1`, `0.16.1`, `0.16` (its last patch) or `main`; `undefined` for a release these rules were not checked against. */
export function knownVersion(text: string): string | undefined {
  const bare = text.trim().replace(/^v(?=\d)/, "");
  if (knownVersions.includes(bare)) return bare;
  const last = Object.hasOwn(patches, bare) ? patches[bare] : undefined;
  return last === undefined ? undefined : `${bare}.${last}`;
}

const position = (version: string): number => knownVersions.indexOf(version);

/** Both must be known versions; `main` is newer than every release. */
export const atLeast = (version: string, since: string): boolean => position(version) >= position(since);

export type ElectionRules = Readonly<{
  /** What is appended to the node's name before hashing. */
  hashed: "address" | "service";
  /** Which nodes stand for election under policy Cluster: up to 0.10 only those with an endpoint, as for Local. */
  clusterPolicyNeedsLocalEndpoint: boolean;
  /** When an EndpointSlice endpoint counts as able to serve. */
  canServe: "ready" | "serving-else-ready" | "ready-or-serving";
  networkUnavailable: boolean;
  excludeLabel: boolean;
  ignoreExcludeLbFlag: boolean;
  cordon: boolean;
  nodeSelectors: boolean;
  interfaces: boolean;
  serviceSelectors: boolean;
  /** Services with allow-shared-ip stay silent when an advertisement that selects them has serviceSelectors. */
  sharedIpConflict: boolean;
  preferredNodes: boolean;
  /** Who stands for election when memberlist is off. */
  withoutMemberlist: "every-node" | "nobody" | "nodes-with-endpoint-if-local";
}>;

type Change = Readonly<{ since: string; source: string; rules: Partial<ElectionRules> }>;

const oldest: ElectionRules = {
  hashed: "service",
  clusterPolicyNeedsLocalEndpoint: true,
  canServe: "ready",
  networkUnavailable: false,
  excludeLabel: false,
  ignoreExcludeLbFlag: false,
  cordon: false,
  nodeSelectors: false,
  interfaces: false,
  serviceSelectors: false,
  sharedIpConflict: false,
  preferredNodes: false,
  withoutMemberlist: "every-node",
};

/** Oldest first; a release has every change up to and including its own. */
export const changes: readonly Change[] = [
  {
    since: "0.11.0",
    source:
      "v0.11.0 ShouldAnnounce, nodesWithActiveSpeakers: address hashed, policy Cluster asks every speaker",
    rules: {
      hashed: "address",
      clusterPolicyNeedsLocalEndpoint: false,
      withoutMemberlist: "nodes-with-endpoint-if-local",
    },
  },
  {
    since: "0.13.0",
    source: "v0.13.0 speakersForPool: advertisements' nodes; an absent memberlist leaves an empty list",
    rules: { nodeSelectors: true, withoutMemberlist: "nobody" },
  },
  { since: "0.13.6", source: "v0.13.6 ipAdvertisementFor", rules: { interfaces: true } },
  { since: "0.13.10", source: "v0.13.10 IsNetworkUnavailable", rules: { networkUnavailable: true } },
  {
    since: "0.14.0",
    source: "v0.14.0 IsNodeExcludedFromBalancers, epslices.IsConditionServing",
    rules: { excludeLabel: true, canServe: "serving-else-ready" },
  },
  { since: "0.14.4", source: "v0.14.4 flag --ignore-exclude-lb", rules: { ignoreExcludeLbFlag: true } },
  { since: "0.14.5", source: "v0.14.5 epslices.EndpointCanServe", rules: { canServe: "ready-or-serving" } },
  { since: "0.14.9", source: "v0.14.9 nodes.IsNodeAvailable", rules: { cordon: true } },
  {
    since: "0.15.0",
    source: "v0.15.0 speakersForPool: SpeakerListInfo.Disabled; IsNodeAvailable reverted",
    rules: { cordon: false, withoutMemberlist: "every-node" },
  },
  { since: "0.16.0", source: "v0.16.0 l2AdsForService", rules: { serviceSelectors: true } },
  {
    since: "main",
    source: "7938d3f89 sortL2Candidates, serviceHasSharedIP",
    rules: { sharedIpConflict: true, preferredNodes: true },
  },
];

/** The election rules of a known version. */
export const rulesOf = (version: string): ElectionRules =>
  Object.assign(
    {},
    oldest,
    ...changes.filter(({ since }) => atLeast(version, since)).map(({ rules }) => rules),
  ) as ElectionRules;
