import { chooseForCreate, chooseForUpdate, withoutConflictingCnames } from "./conflict.ts";
import {
  type Endpoint,
  hasProperty,
  isOwnedBy,
  ownerOf,
  property,
  resourceLabel,
  sameTargets,
} from "./endpoint.ts";
import { decodeName, type Fqdn } from "./fqdn.ts";
import { mayBeEncrypted } from "./ownership-encryption.ts";
import {
  claimants,
  matchTypeOf,
  matchTypesFor,
  type NeverOwned,
  whyNeverOwned,
  writtenTxts,
} from "./ownership-written.ts";
import type { Changes, Row, Rows, Update } from "./plan.ts";
import type { Policy } from "./policy.ts";
import {
  crashingTxts,
  forceUpdate,
  type OwnershipRecord,
  ownable,
  type Registry,
  type RegistryRead,
  txtKey,
} from "./registry.ts";
import { atLeast } from "./release.ts";
import type { Dropped } from "./wanted.ts";

/**
 * Why something stays as it is. `not-ours`, `never-owned`, `taken` and `unrecognised` are orphans: records that are meant
 * by this ExternalDNS, which it will not touch (again).
 */
export type SilentCode =
  | "not-ours"
  | "never-owned"
  | "taken"
  | "unrecognised"
  | "blocked"
  | "lost-conflict"
  | "policy"
  | "ttl"
  | "stale-resource"
  | "dropped"
  | "every-round"
  | "crash"
  | "leftover-txt"
  | "dangling-txt";

export type Silent = Readonly<{
  code: SilentCode;
  name: string;
  type: string;
  setIdentifier: string;
  why: string;
}>;

export const isOrphan = ({ code }: Silent): boolean =>
  ["not-ours", "never-owned", "taken", "unrecognised"].includes(code);

export type SilentInput = Readonly<{
  zone: Fqdn;
  policy: Policy;
  registry: Registry;
  read: RegistryRead;
  rows: Rows;
  dropped: readonly Dropped[];
  plan: Changes;
  /** Updates on which this release panics, so that nothing at all is sent. */
  unpaired: readonly Update[];
  matches: (name: string) => boolean;
}>;

/** The same with what is looked up often, so that a hundred thousand records stay quick. */
type Indexed = SilentInput &
  Readonly<{
    updated: ReadonlySet<Endpoint>;
    /** Names of ordinary TXTs that look like an encrypted ownership text. */
    sealed: ReadonlySet<string>;
  }>;

const of = (
  code: SilentCode,
  { name, type, setIdentifier }: Pick<Endpoint, "name" | "type" | "setIdentifier">,
  why: string,
): Silent => ({ code, name: decodeName(name), type, setIdentifier, why });

const ownerText = (endpoint: Endpoint): string => {
  const owner = ownerOf(endpoint);
  return owner === undefined || owner === "" ? "nobody owns it (no ownership record)" : `"${owner}" owns it`;
};

/** Without the key an encrypted ownership record is none, to ExternalDNS as to us. */
function ownership(endpoint: Endpoint, { registry, sealed }: Indexed): string {
  const txt = writtenTxts(ownable(endpoint), registry.flags, registry.rules).find(({ name }) =>
    sealed.has(txtKey(name, endpoint.setIdentifier)),
  );
  return txt === undefined || ownerOf(endpoint) !== undefined
    ? ownerText(endpoint)
    : `its ownership record ${txt.name} cannot be read (it may be encrypted with another key)`;
}

const who = (endpoint: Endpoint): string => endpoint.labels[resourceLabel] ?? "another object";

function ofCurrent(current: Endpoint, wanted: readonly Endpoint[], input: Indexed): readonly Silent[] {
  const { registry, policy } = input;
  const mine = registry.owner === "" || isOwnedBy(current, registry.owner);
  if (!mine) {
    if (wanted.length === 0) return [];
    const chosen = chooseForUpdate(current, wanted);
    const equal = sameTargets(chosen.targets, current.targets);
    return [
      of(
        "not-ours",
        current,
        `${who(chosen)} wants ${equal ? "it as it is" : chosen.targets.join(", ")}, but ${ownership(current, input)}: ExternalDNS will never update or delete it`,
      ),
    ];
  }
  if (wanted.length === 0)
    return policy === "sync"
      ? []
      : [of("policy", current, `nobody wants it any more; policy ${policy} deletes nothing`)];
  if (input.updated.has(current)) return [];
  const chosen = chooseForUpdate(current, wanted);
  const differs =
    !sameTargets(chosen.targets, current.targets) || (chosen.ttl > 0 && chosen.ttl !== current.ttl);
  if (differs && policy === "create-only")
    return [
      of(
        "policy",
        current,
        `${who(chosen)} wants ${chosen.targets.join(", ")}; policy create-only updates nothing`,
      ),
    ];
  const out: Silent[] = [];
  if (chosen.ttl === 0 && current.ttl !== 300 && property(current, "alias") !== "true")
    out.push(
      of(
        "ttl",
        current,
        `its TTL is ${current.ttl}, not the 300 ExternalDNS writes; with no ttl set on ${who(chosen)} it is never restored`,
      ),
    );
  const [was, is] = [current.labels[resourceLabel], chosen.labels[resourceLabel]];
  if (was !== undefined && is !== undefined && was !== is && registry.owner !== "")
    out.push(of("stale-resource", current, `its ownership record still names ${was}; ${is} wants it now`));
  return out;
}

const ttlWish = (ttl: number): string => (ttl === 0 ? "no TTL of its own" : `a TTL of ${ttl} s`);

function ofRow({ current, candidates: wanted }: Row, input: Indexed): readonly Silent[] {
  const kept = withoutConflictingCnames(wanted);
  const out = current.flatMap((each) =>
    ofCurrent(
      each,
      kept.filter(({ type }) => type === each.type),
      input,
    ),
  );
  if (wanted.length < 2) return out;
  for (const each of wanted)
    if (!kept.includes(each))
      out.push(
        of(
          "lost-conflict",
          each,
          `${who(each)} wants a CNAME where other types are wanted: ExternalDNS drops it`,
        ),
      );
  for (const type of new Set(kept.map((each) => each.type))) {
    const candidates = kept.filter((each) => each.type === type);
    const having = current.find((each) => each.type === type);
    const chosen = having ? chooseForUpdate(having, candidates) : chooseForCreate(candidates);
    for (const each of candidates) {
      if (each === chosen) continue;
      const lost = !sameTargets(each.targets, chosen.targets)
        ? each.targets.join(", ")
        : each.ttl !== chosen.ttl
          ? ttlWish(each.ttl)
          : undefined;
      if (lost !== undefined)
        out.push(of("lost-conflict", each, `${who(each)} wants ${lost}, ${who(chosen)} gets the name`));
    }
  }
  return out;
}

function neverReason({ why, txtName, readAs }: NeverOwned, zone: string): string {
  switch (why) {
    case "outside-zone":
      return `its ownership record ${txtName} lies outside ${zone} and is dropped`;
    case "too-long":
      return `its ownership record ${txtName} has a label over 63 bytes`;
    case "read-as-another":
      return `its ownership record ${txtName} is taken for ${readAs ? `${readAs.name} ${readAs.type ?? "(any type)"}` : "no record"}`;
    case "not-written":
      return "no ownership record is written for this type";
  }
}

const neverText = (reasons: readonly NeverOwned[], zone: string): string =>
  [...new Set(reasons.map((reason) => neverReason(reason, zone)))].join("; ");

function ofCreate(endpoint: Endpoint, { registry, read: { txts }, zone }: Indexed): readonly Silent[] {
  if (registry.owner === "") return [];
  const record = ownable(endpoint);
  const reasons = whyNeverOwned(record, registry.flags, registry.rules, zone);
  if (reasons.length > 0)
    return [
      of("never-owned", endpoint, `created once, then never updated or deleted: ${neverText(reasons, zone)}`),
    ];
  if (!atLeast(registry.release, "0.19.0")) return [];
  for (const { name } of writtenTxts(record, registry.flags, registry.rules, zone)) {
    const there = txts.get(txtKey(name, endpoint.setIdentifier));
    const owner = there?.labels.owner;
    if (there && owner !== registry.owner)
      return [
        of(
          "taken",
          endpoint,
          `created, but ${name} says "${owner ?? ""}" owns it: ExternalDNS will never update or delete it`,
        ),
      ];
  }
  return [];
}

/** A TXT that is missed but lies outside the zone can never be made: record and rest are rewritten for ever. */
function ofUpdate({ from }: Update, { registry, zone }: SilentInput): readonly Silent[] {
  if (!hasProperty(from, forceUpdate)) return [];
  const record = ownable(from);
  const storable = writtenTxts(record, registry.flags, registry.rules, zone);
  const lost = writtenTxts(record, registry.flags, registry.rules).find(
    ({ name }) => !storable.some((each) => each.name === name),
  );
  return lost === undefined
    ? []
    : [
        of(
          "every-round",
          from,
          `rewritten in every round: ${lost.name}, which it misses, lies outside ${zone}`,
        ),
      ];
}

/** One such name and the release stops in every round: nothing else happens at all. */
const ofCrashes = ({ read, registry, unpaired }: SilentInput): readonly Silent[] => [
  ...unpaired.map(({ to }) =>
    of(
      "crash",
      to,
      `${registry.release.text} ends with a panic on this update (it needs more ownership records than there were), so it does nothing in this zone`,
    ),
  ),
  ...crashingTxts(read, registry).map(({ set }) =>
    of(
      "crash",
      { name: set.name, type: "TXT", setIdentifier: set.setIdentifier ?? "" },
      `${registry.release.text} ends with a panic when it reads this name, so it does nothing in this zone`,
    ),
  ),
];

/** Our ownership TXTs that no longer say anything to this release. */
function ofOwnership(input: SilentInput): readonly Silent[] {
  const { registry, read, plan, zone } = input;
  const matching = ({ set, reading }: OwnershipRecord): readonly Endpoint[] => {
    if (reading === undefined) return [];
    const type = matchTypeOf(reading, registry.rules);
    return read
      .named(reading.name)
      .filter(
        (endpoint) =>
          endpoint.setIdentifier === (set.setIdentifier ?? "") &&
          matchTypesFor(ownable(endpoint), registry.rules).includes(type),
      );
  };
  const reused = new Set(
    plan.create.flatMap((endpoint) =>
      writtenTxts(ownable(endpoint), registry.flags, registry.rules, zone).map(({ name }) =>
        txtKey(name, endpoint.setIdentifier),
      ),
    ),
  );
  let grouped: ReadonlyMap<string, readonly Endpoint[]> | undefined;
  const atName = (name: string): readonly Endpoint[] => {
    // Few zones have a TXT that asks for it.
    grouped ??= Map.groupBy(read.endpoints, (endpoint) => endpoint.name);
    return grouped.get(name) ?? [];
  };
  const isUnowned = (endpoint: Endpoint): boolean => !isOwnedBy(endpoint, registry.owner);
  return read.ownership
    .filter(({ labels }) => labels.owner === registry.owner)
    .flatMap((txt): readonly Silent[] => {
      const { set } = txt;
      const setIdentifier = set.setIdentifier ?? "";
      const id = { name: set.name, type: "TXT", setIdentifier };
      const matched = matching(txt);
      if (matched.length > 0) {
        const written = matched.some((endpoint) =>
          writtenTxts(ownable(endpoint), registry.flags, registry.rules).some(
            ({ name }) => decodeName(name) === set.name,
          ),
        );
        return written
          ? []
          : [
              of(
                "leftover-txt",
                id,
                `${registry.release.text} writes another name for ${matched[0]?.name} and never removes this one`,
              ),
            ];
      }
      if (reused.has(txtKey(set.name, setIdentifier))) return [];
      const meant = claimants(set.name, registry.flags).flatMap((claim) =>
        atName(claim.name).filter(
          (endpoint) =>
            endpoint.setIdentifier === setIdentifier &&
            (claim.type === null || claim.type === endpoint.type) &&
            registry.isManaged(endpoint.type) &&
            isUnowned(endpoint),
        ),
      );
      return meant.length > 0
        ? meant.map((endpoint) =>
            of(
              "unrecognised",
              endpoint,
              `${registry.release.text} does not take ${set.name} for its ownership record`,
            ),
          )
        : [of("dangling-txt", id, "it is read as no record's of the zone; nobody will remove it")];
    });
}

const byPlace = (a: Silent, b: Silent): number => {
  const one = `${a.name}\0${a.type}\0${a.setIdentifier}\0${a.code}\0${a.why}`;
  const other = `${b.name}\0${b.type}\0${b.setIdentifier}\0${b.code}\0${b.why}`;
  return one < other ? -1 : one > other ? 1 : 0;
};

/** What this ExternalDNS leaves as it is without a word, by name. */
export function silentRows(input: SilentInput): readonly Silent[] {
  const { registry, read, rows, plan, dropped, matches } = input;
  const indexed: Indexed = {
    ...input,
    sealed: new Set(
      read.endpoints
        .filter(({ type, targets }) => type === "TXT" && mayBeEncrypted(targets))
        .map(({ name, setIdentifier }) => txtKey(name, setIdentifier)),
    ),
    updated: new Set(plan.update.map(({ from }) => from)),
  };
  const found = [
    ...[...rows.values()].flatMap((row) => ofRow(row, indexed)),
    ...plan.createsBlockedByOwner.map(({ wanted, by }) =>
      of(
        "blocked",
        wanted,
        `${who(wanted)} wants it, but beside it ${by.map((each) => `${each.type}: ${ownerText(each)}`).join("; ")}`,
      ),
    ),
    ...plan.create.flatMap((endpoint) => ofCreate(endpoint, indexed)),
    ...plan.update.flatMap((update) => ofUpdate(update, input)),
    ...dropped
      .filter(({ endpoint }) => registry.isManaged(endpoint.type) && matches(endpoint.name))
      .map(({ endpoint, why }) => of("dropped", endpoint, `${who(endpoint)}: ${why}`)),
    ...(registry.owner === "" ? [] : [...ofOwnership(input), ...ofCrashes(input)]),
  ];
  const seen = new Set<string>();
  return found.sort(byPlace).filter((each) => {
    const key = `${each.name} ${each.type} ${each.setIdentifier} ${each.code} ${each.why}`;
    return !seen.has(key) && seen.add(key);
  });
}
