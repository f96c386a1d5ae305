import { type Endpoint, resourceLabel, sortTargets, suitableType, uniqueTargets } from "./endpoint.ts";
import { atLeast, type Release } from "./release.ts";

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const resourceOf = ({ labels }: Endpoint): string => labels[resourceLabel] ?? "";

const keyOf = ({ name, type, setIdentifier }: Endpoint): string => `${name}\0${type}\0${setIdentifier}`;

/** The first Service by name comes first, so that it gives label, TTL and properties to the united record. */
const inOrder = (endpoints: readonly Endpoint[]): readonly Endpoint[] =>
  [...endpoints].sort(
    (a, b) => byText(a.name, b.name) || byText(a.type, b.type) || byText(resourceOf(a), resourceOf(b)),
  );

/**
 * Up to 0.18: only neighbours with the same TTL too, and of each further Service only the first target. CNAMEs are left
 * apart since 0.16 (source/service.go).
 */
function mergeNeighbours(endpoints: readonly Endpoint[], release: Release): readonly Endpoint[] {
  const merged: Endpoint[] = [];
  for (const endpoint of inOrder(endpoints)) {
    const last = merged.at(-1);
    const same =
      last !== undefined &&
      keyOf(last) === keyOf(endpoint) &&
      last.ttl === endpoint.ttl &&
      (endpoint.type !== "CNAME" || !atLeast(release, "0.16.0"));
    if (same)
      merged[merged.length - 1] = { ...last, targets: [...last.targets, ...endpoint.targets.slice(0, 1)] };
    else merged.push(endpoint);
  }
  return merged.map((each) => ({ ...each, targets: sortTargets(each.targets) }));
}

/** Since 0.19: targets are united whatever the TTLs, the first Service's wins in silence; CNAMEs stay apart. */
function unite(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (endpoints.length < 2) return endpoints;
  const united = new Map<string, Endpoint[]>();
  for (const endpoint of inOrder(endpoints)) {
    const known = united.get(keyOf(endpoint));
    const first = known?.[0];
    if (known === undefined || first === undefined)
      united.set(keyOf(endpoint), [{ ...endpoint, targets: uniqueTargets(endpoint.targets) }]);
    else if (endpoint.type === "CNAME") known.push(endpoint);
    else known[0] = { ...first, targets: uniqueTargets([...first.targets, ...endpoint.targets]) };
  }
  return [...united.values()].flat();
}

/** Services that want one name, inside the Service source. */
export const mergeServices = (endpoints: readonly Endpoint[], release: Release): readonly Endpoint[] =>
  atLeast(release, "0.19.0") ? unite(endpoints) : mergeNeighbours(endpoints, release);

/**
 * What every source does with its endpoints since 0.21: equal name, type, set identifier and TTL are united, CNAMEs only
 * when they point to the same name (endpoint/utils.go MergeEndpoints). The first by resource gives the rest.
 */
export function mergeEndpoints(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const merged = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    const single = endpoint.type === "CNAME" || endpoint.type === "DNAME";
    if (single && endpoint.targets.length === 0) continue;
    const key = `${keyOf(endpoint)}\0${endpoint.ttl}\0${single ? endpoint.targets[0] : ""}`;
    const known = merged.get(key);
    merged.set(key, known ? { ...known, targets: [...known.targets, ...endpoint.targets] } : endpoint);
  }
  return [...merged.values()].map((each) => ({ ...each, targets: [...new Set(each.targets)].sort(byText) }));
}

const isUint16 = (text: string | undefined): boolean =>
  text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

const fields = (target: string): readonly string[] => target.trim().split(/\s+/);

/** Why a release drops an endpoint for its content; `undefined` when it keeps it (endpoint.go CheckEndpoint). */
export function invalidEndpoint(endpoint: Endpoint, release: Release): string | undefined {
  if (!atLeast(release, "0.21.0")) return undefined;
  const alias = endpoint.providerSpecific?.find(({ name }) => name === "alias");
  const addresses = endpoint.type === "A" || endpoint.type === "AAAA";
  if (alias && !addresses && endpoint.type !== "CNAME") return "a record of this type cannot be an alias";
  if (addresses && alias?.value !== "true") {
    const wrong = endpoint.targets.find((target) => suitableType(target) !== endpoint.type);
    return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is no address for ${endpoint.type}`;
  }
  if (endpoint.type === "MX") {
    const wrong = endpoint.targets.find(
      (target) => fields(target).length !== 2 || !isUint16(fields(target)[0]),
    );
    return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is no MX target`;
  }
  if (endpoint.type === "SRV") {
    const wrong = endpoint.targets.find((target) => {
      const parts = fields(target);
      return parts.length !== 4 || !parts.slice(0, 3).every(isUint16) || !parts[3]?.endsWith(".");
    });
    return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is no SRV target`;
  }
  return undefined;
}

/** Endpoints that are the same to the last target come through once (source/wrappers/dedupsource.go). */
export function withoutDuplicates(endpoints: readonly Endpoint[], release: Release): readonly Endpoint[] {
  const seen = new Set<string>();
  const sorts = atLeast(release, "0.20.0");
  return endpoints.flatMap((given) => {
    const endpoint = sorts ? { ...given, targets: uniqueTargets(given.targets) } : given;
    const key = `${keyOf(endpoint)}\0${endpoint.targets.join(";")}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [endpoint];
  });
}
