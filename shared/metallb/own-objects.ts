import type { Fault } from "../fault.ts";
import { selectsPool } from "./configuration.ts";
import type {
  BgpAdvertisement,
  IpAddressPool,
  L2Advertisement,
  MetalLbObjects,
  NodeObject,
} from "./resources.ts";
import { anyMatches } from "./selectors.ts";
import { type SpeakerSettings, speakerSettings } from "./speakers.ts";
import { type ElectionRules, newestVersion, rulesOf } from "./versions.ts";

/** The objects that the running speakers go by, with the rules of their release. */
export type OwnObjects = Readonly<{
  speakers: SpeakerSettings;
  /** Of the speakers' image; of the newest release that is known where the image does not tell. */
  rules: ElectionRules;
  pools: readonly IpAddressPool[];
  l2: readonly L2Advertisement[];
  bgp: readonly BgpAdvertisement[];
}>;

/** Checks about each of five hundred nodes ask for the same objects. */
const known = new WeakMap<MetalLbObjects, OwnObjects>();

/** Speakers watch their own namespace only; when no pool is in it, those of every namespace are taken, as for predictions. */
export function ownObjects(objects: MetalLbObjects): OwnObjects {
  const own = known.get(objects) ?? readOwn(objects);
  known.set(objects, own);
  return own;
}

function readOwn(objects: MetalLbObjects): OwnObjects {
  const speakers = speakerSettings(objects);
  const { namespace } = speakers;
  const here = namespace !== undefined && objects.ipAddressPools.some((pool) => pool.namespace === namespace);
  const ours = <T extends Readonly<{ namespace: string }>>(items: readonly T[]): readonly T[] =>
    here ? items.filter((item) => item.namespace === namespace) : items;
  return {
    speakers,
    rules: rulesOf(speakers.version ?? newestVersion),
    pools: ours(objects.ipAddressPools),
    l2: ours(objects.l2Advertisements),
    bgp: ours(objects.bgpAdvertisements),
  };
}

export const selectsNode = (
  ad: Pick<L2Advertisement, "nodeSelectors">,
  node: Pick<NodeObject, "labels">,
  rules: ElectionRules,
): boolean =>
  !rules.nodeSelectors || ad.nodeSelectors.length === 0 || anyMatches(ad.nodeSelectors, node.labels);

/** The advertisements by which a node may announce addresses of a pool. */
export const advertisementsFor = (
  { l2, rules }: OwnObjects,
  pool: IpAddressPool,
  node: NodeObject,
): readonly L2Advertisement[] => l2.filter((ad) => selectsPool(ad, pool) && selectsNode(ad, node, rules));

/**
 * The interfaces that a node announces a pool's addresses on: the union over the advertisements that select both, `all` as
 * soon as one of them names none, undefined when none of them selects both. Services' selectors are not looked at.
 */
export function interfacesFor(
  own: OwnObjects,
  pool: IpAddressPool,
  node: NodeObject,
): readonly string[] | "all" | undefined {
  const ads = advertisementsFor(own, pool, node);
  if (ads.length === 0) return undefined;
  if (!own.rules.interfaces || ads.some((ad) => ad.interfaces.length === 0)) return "all";
  return [...new Set(ads.flatMap((ad) => ad.interfaces))].sort();
}

export const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

/** Whether the speakers' release and flags make the exclude label count. */
export const honoursExcludeLabel = ({ rules, speakers }: OwnObjects): boolean =>
  rules.excludeLabel && !(rules.ignoreExcludeLbFlag && speakers.ignoreExcludeLb === true);

/** Why a node cannot be elected for anything, whatever its interfaces are; undefined for one that can. */
export function cannotAnnounce(own: OwnObjects, node: NodeObject): string | undefined {
  const { speakerNodes } = own.speakers;
  if (speakerNodes !== undefined && !speakerNodes.includes(node.name)) return "no speaker runs on it";
  if (honoursExcludeLabel(own) && Object.hasOwn(node.labels, excludeLabel)) return `it has ${excludeLabel}`;
  return undefined;
}

/** A node was visited that the API does not list. */
export const noNodeObject = (name: string): Fault => ({
  kind: "not-configured",
  what: `Node ${name}`,
  detail: "the API server lists no node of that name",
});
