import type { Endpoint } from "#shared/dns/endpoint.ts";
import { type Controller, defaultController, type Forecast, forecast } from "#shared/dns/forecast.ts";
import { changeJson } from "#shared/dns/forecast-json.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { AliasTarget, RecordSet, Routing } from "#shared/dns/record-set.ts";
import { parseRelease, type Release } from "#shared/dns/release.ts";

export const zoneName = fqdn("example.com");

type More = Readonly<{ ttl?: number; setIdentifier?: string; routing?: Routing }>;

/** One record set with values; a short name is below example.com. */
export const record = (
  name: string,
  type: string,
  values: string | readonly string[],
  more: More = {},
): RecordSet => ({
  name: fqdn(name === "@" ? zoneName : `${name}.${zoneName}`),
  type,
  routing: more.routing ?? { policy: "simple" },
  ...(more.setIdentifier === undefined ? {} : { setIdentifier: more.setIdentifier }),
  answer: {
    kind: "values",
    ttl: more.ttl ?? 300,
    values: typeof values === "string" ? [values] : values,
  },
});

export const alias = (
  name: string,
  type: string,
  target: Partial<AliasTarget> & { name: AliasTarget["name"] },
): RecordSet => ({
  name: fqdn(`${name}.${zoneName}`),
  type,
  routing: { policy: "simple" },
  answer: {
    kind: "alias",
    target: { hostedZoneId: "Z26RNL4JYFTOTI", evaluateTargetHealth: true, ...target },
  },
});

export const heritage = (owner: string, resource = "service/apps/web"): string =>
  `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=${resource}"`;

/** An ownership TXT at `name`. */
export const owns = (name: string, owner: string, resource?: string, more?: More): RecordSet =>
  record(name, "TXT", heritage(owner, resource), more);

export const wants = (
  name: string,
  targets: string | readonly string[],
  more: Partial<Endpoint> & { resource?: string } = {},
): Endpoint => {
  const { resource = "service/apps/web", ...rest } = more;
  const list = typeof targets === "string" ? [targets] : targets;
  return {
    name: name === "@" ? zoneName : `${name}.${zoneName}`,
    type: "A",
    targets: list,
    ttl: 0,
    setIdentifier: "",
    providerSpecific: [],
    labels: { resource },
    ...rest,
  };
};

export const release = (text: string): Release => {
  const parsed = parseRelease(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
};

export type World = Readonly<{
  have?: readonly RecordSet[];
  want?: readonly Endpoint[];
  release?: string;
  with?: Partial<Controller>;
}>;

export const forecastOf = (world: World): Forecast =>
  forecast({
    zone: zoneName,
    recordSets: world.have ?? [],
    wanted: world.want ?? [],
    dropped: [],
    controller: { ...defaultController(release(world.release ?? "0.22.0"), "sync", "me"), ...world.with },
  });

const short = (name: string): string => (name === zoneName ? "@" : name.slice(0, -zoneName.length - 1));

/** Changes as `CREATE web A 10.0.0.1`, ownership texts as the owner they name. */
export const lines = (result: Forecast): readonly string[] =>
  result.changes.map((change) => {
    const { action, name, type, setIdentifier, values, aliasTarget } = changeJson(change);
    const list = Array.isArray(values) ? values.join("+") : (aliasTarget ?? "?");
    const owner = /external-dns\/owner=([^,"]*)/.exec(String(list))?.[1];
    return [action, short(String(name)), type, setIdentifier, owner === undefined ? list : `owner:${owner}`]
      .filter((part) => part !== undefined && part !== "")
      .join(" ");
  });

export const refusals = (result: Forecast): readonly string[] =>
  result.refused.map(({ change, why }) => `${short(change.set.name)} ${change.set.type}: ${why}`);

export const silences = (result: Forecast): readonly string[] =>
  result.silent.map(({ code, name, type }) => `${code} ${short(name)} ${type}`);
