import fc from "fast-check";
import type { Endpoint, ProviderProperty } from "#shared/dns/endpoint.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { legacyTxtName, typedTxtName } from "#shared/dns/ownership-name.ts";
import type { RecordSet, Routing } from "#shared/dns/record-set.ts";
import { alias, heritage, record, wants, zoneName } from "./zones.ts";

const hosts = ["web", "api", "*.w", "any.w", "a-web", "@", "deep.er", `${"l".repeat(61)}`];
const elb = fqdn("x.elb.us-east-1.amazonaws.com");
const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.9"];

type Kind = "A" | "AAAA" | "CNAME" | "alias";

type Held = Readonly<{
  host: string;
  kind: Kind;
  target: number;
  ttl: number;
  weight: number | undefined;
  owner: string | undefined;
  formats: readonly ("typed" | "legacy" | "cname")[];
  spoilt: "no" | "ttl" | "order";
  gone: boolean;
  resource: string;
}>;

const held = fc.record<Held>({
  host: fc.constantFrom(...hosts),
  kind: fc.constantFrom<Kind>("A", "A", "A", "AAAA", "CNAME", "alias"),
  target: fc.nat(2),
  ttl: fc.constantFrom(300, 300, 60),
  weight: fc.constantFrom(undefined, undefined, undefined, 10),
  owner: fc.constantFrom("me", "me", "me", "you", undefined),
  formats: fc.constantFrom<Held["formats"]>(["typed"], ["typed"], ["typed", "legacy"], ["legacy"], ["cname"]),
  spoilt: fc.constantFrom<Held["spoilt"]>("no", "no", "no", "no", "ttl", "order"),
  gone: fc.constantFrom(false, false, false, false, true),
  resource: fc.constantFrom("service/apps/web", "service/apps/api"),
});

const typeOf = (kind: Kind): string => (kind === "alias" ? "A" : kind);

const targetOf = (kind: Kind, target: number): string =>
  kind === "A"
    ? (addresses[target] as string)
    : kind === "AAAA"
      ? `2001:db8::${target + 1}`
      : `t${target}.example.net`;

const full = (host: string): string => (host === "@" ? zoneName : `${host}.${zoneName}`);

/** The record and its ownership TXTs, as some release, some person or both left them. */
function sets(each: Held): readonly RecordSet[] {
  const weighted = each.weight !== undefined && each.kind !== "alias";
  const routing: Routing = weighted
    ? { policy: "weighted", weight: each.weight as number }
    : { policy: "simple" };
  const more = weighted ? { routing, setIdentifier: "blue" } : {};
  const own =
    each.kind === "alias"
      ? [alias(each.host, "A", { name: elb })]
      : [record(each.host, each.kind, targetOf(each.kind, each.target), { ttl: each.ttl, ...more })];
  const owner = each.owner;
  const txts =
    owner === undefined
      ? []
      : each.formats.map((format): RecordSet => {
          const name =
            format === "legacy"
              ? legacyTxtName(full(each.host), {})
              : typedTxtName(full(each.host), format === "cname" ? "CNAME" : typeOf(each.kind), {});
          const value =
            each.spoilt === "order"
              ? `"heritage=external-dns,external-dns/resource=${each.resource},external-dns/owner=${owner}"`
              : heritage(owner, each.resource);
          return {
            name: fqdn(name.length > 70 ? `too-long.${zoneName}` : name),
            type: "TXT",
            routing,
            ...(weighted && { setIdentifier: "blue" }),
            answer: { kind: "values", ttl: each.spoilt === "ttl" ? 60 : 300, values: [value] },
          };
        });
  return [...(each.gone ? [] : own), ...txts];
}

const inZone = ({ name }: RecordSet): boolean => name === zoneName || name.endsWith(`.${zoneName}`);

const key = ({ name, type, setIdentifier }: RecordSet): string => `${name} ${type} ${setIdentifier ?? ""}`;

/** No CNAME beside other data, one routing policy a name and type: what Route 53 would not hold is left out. */
function valid(all: readonly RecordSet[]): readonly RecordSet[] {
  const out: RecordSet[] = [];
  for (const set of all) {
    const there = out.filter(({ name }) => name === set.name);
    const cname = there.some(({ type }) => (type === "CNAME") !== (set.type === "CNAME"));
    const mixed = there.some(
      ({ type, routing }) => type === set.type && routing.policy !== set.routing.policy,
    );
    if (!cname && !mixed && !there.some((other) => key(other) === key(set))) out.push(set);
  }
  return out;
}

export const anyZone: fc.Arbitrary<readonly RecordSet[]> = fc.array(held, { maxLength: 8 }).map((all) =>
  valid(
    all
      .filter(({ host, kind }) => host !== "@" || kind !== "alias")
      .flatMap(sets)
      .filter(inZone),
  ),
);

const properties = (weight: number | undefined): readonly ProviderProperty[] =>
  weight === undefined ? [] : [{ name: "aws/weight", value: String(weight) }];

export const anyWanted: fc.Arbitrary<readonly Endpoint[]> = fc.array(
  fc
    .record({
      host: fc.constantFrom(...hosts),
      kind: fc.constantFrom<Kind>("A", "A", "A", "AAAA", "CNAME", "alias"),
      target: fc.nat(2),
      ttl: fc.constantFrom(0, 0, 300, 60),
      weight: fc.constantFrom(undefined, undefined, undefined, 10, 20),
      resource: fc.constantFrom("service/apps/web", "service/apps/api"),
    })
    .map(({ host, kind, target, ttl, weight, resource }) =>
      wants(host, kind === "alias" ? elb : targetOf(kind, target), {
        type: kind === "alias" ? "CNAME" : kind,
        ttl,
        resource,
        setIdentifier: weight === undefined || kind === "alias" ? "" : "blue",
        providerSpecific: kind === "alias" ? [] : properties(weight),
      }),
    ),
  { maxLength: 8 },
);
