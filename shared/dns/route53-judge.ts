import type { AwsChange } from "./aws-change.ts";
import { sameZone } from "./aws-change.ts";
import { suitableType } from "./endpoint.ts";
import { type Fqdn, isWithin, labelLength } from "./fqdn.ts";
import { type RecordSet, recordSetKey, valuesOf } from "./record-set.ts";
import { readTxtStrings } from "./txt-text.ts";

/** What Route 53 has against one change of a batch. */
export type Refusal = Readonly<{ change: AwsChange; why: string }>;

/** A zone while batches are tried on it; `apply` returns the refusals and changes nothing when there is one. */
export type ZoneModel = Readonly<{
  apply: (batch: readonly AwsChange[]) => readonly Refusal[];
  recordSets: () => readonly RecordSet[];
}>;

type Held = { set: RecordSet; unpredictable: boolean };

const domainNameTypes = ["CNAME", "MX", "NS", "PTR", "SRV", "DNAME"];

/** Names in values come back as they were entered; Route 53 compares them without case and trailing dot. */
const comparable = (type: string, value: string): string =>
  domainNameTypes.includes(type) ? value.toLowerCase().replace(/\.$/, "") : value;

const sameValues = (type: string, a: readonly string[], b: readonly string[]): boolean => {
  const x = a.map((value) => comparable(type, value)).sort();
  const y = b.map((value) => comparable(type, value)).sort();
  return x.length === y.length && x.every((value, i) => value === y[i]);
};

const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

const zoneIdMatches = (wanted: string, there: string, target: Fqdn, zone: Fqdn): boolean =>
  wanted === sameZone ? isWithin(target, zone) : wanted === there.replace(/^\/hostedzone\//, "");

/** DELETE has to repeat the record set exactly (GOSDK ChangeResourceRecordSets): what differs, or `undefined`. */
export function mismatch(change: AwsChange, there: RecordSet, zone: Fqdn): string | undefined {
  const { set } = change;
  if (sortedJson(set.routing) !== sortedJson(there.routing)) return "the routing differs";
  if (set.healthCheckId !== there.healthCheckId) return "the health check differs";
  if (set.answer.kind !== there.answer.kind) return "one is an alias, the other is not";
  if (set.answer.kind === "alias" && there.answer.kind === "alias") {
    const { target } = set.answer;
    const other = there.answer.target;
    if (target.name !== other.name) return `it is an alias to ${other.name}`;
    if (target.evaluateTargetHealth !== other.evaluateTargetHealth)
      return "evaluating the target's health differs";
    return zoneIdMatches(target.hostedZoneId, other.hostedZoneId, target.name, zone)
      ? undefined
      : `the alias is in hosted zone ${other.hostedZoneId}`;
  }
  if (set.answer.kind === "values" && there.answer.kind === "values") {
    if (change.unpredictable) return "its encrypted text would be another";
    if (!sameValues(set.type, set.answer.values, there.answer.values))
      return `it holds ${there.answer.values.join(", ")}, the DELETE says ${set.answer.values.join(", ")}`;
    if (set.answer.ttl !== there.answer.ttl)
      return `its TTL is ${there.answer.ttl}, the DELETE says ${set.answer.ttl}`;
  }
  return undefined;
}

/** One quoted string without escapes, as ownership texts are. */
const plainTxt = /^"[ !#-[\]-~]{0,255}"$/;

function badTxt(value: string): string | undefined {
  if (plainTxt.test(value)) return undefined;
  const read = readTxtStrings(value);
  if (!value.trimStart().startsWith('"'))
    return `${value} is not in quotation marks: a TXT target goes to Route 53 as the object writes it`;
  if (!read.ok) return `${value} ${read.problem}`;
  const long = read.strings.find((each) => new TextEncoder().encode(each).length > 255);
  return long === undefined ? undefined : "a string of it is longer than 255 bytes";
}

function badValue(type: string, value: string): string | undefined {
  if (type === "A" || type === "AAAA")
    return suitableType(value) === type ? undefined : `${JSON.stringify(value)} is no address for ${type}`;
  if (type === "TXT") return badTxt(value);
  return value === "" ? "a value is empty" : undefined;
}

/** What no zone may hold, whatever else is in it. */
function invalid({ set, unpredictable }: AwsChange, zone: Fqdn): string | undefined {
  if (set.name.split(".").some((label) => labelLength(label) > 63)) return "a label is longer than 63 bytes";
  if (set.unmodelled?.routingPolicies !== undefined) return "several routing policies; one is allowed";
  if (set.routing.policy !== "simple" && set.setIdentifier === undefined)
    return "a routing policy needs a set identifier";
  if (set.routing.policy === "simple" && set.setIdentifier !== undefined)
    return "a set identifier needs a routing policy";
  if (set.routing.policy === "weighted" && (set.routing.weight < 0 || set.routing.weight > 255))
    return "a weight is 0 to 255";
  if (set.type === "CNAME" && set.name === zone) return "the zone's own name cannot be a CNAME";
  if (set.answer.kind === "alias") return undefined;
  const values = valuesOf(set);
  if (values.length === 0) return "there is no value";
  if (set.type === "CNAME" && values.length > 1) return "a CNAME has one value";
  if (values.length > 400) return "more than 400 values";
  if (!sameValues(set.type, [...new Set(values.map((value) => comparable(set.type, value)))], values))
    return "a value stands twice";
  if (unpredictable) return undefined;
  for (const value of values) {
    const problem = badValue(set.type, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const describeOthers = (sets: readonly Held[]): string =>
  [...new Set(sets.map(({ set }) => set.type))].join(", ");

/**
 * A hosted zone that takes batches as Route 53 does: all or nothing, DELETE only of the exact record set, CREATE only
 * where there is none, no CNAME beside other data, one routing policy a name and type (R53DOC and GOSDK, see the
 * sources in docs/dns-forecast.md).
 */
export function zoneModel(recordSets: readonly RecordSet[], zone: Fqdn): ZoneModel {
  const held = new Map<string, Held>(
    recordSets.map((set) => [recordSetKey(set), { set, unpredictable: false }]),
  );
  // Keys ever held at a name; what is gone is sorted out when it is read.
  const names = new Map<string, string[]>();
  const index = (name: string, key: string): void => {
    const known = names.get(name);
    if (known === undefined) names.set(name, [key]);
    else if (!known.includes(key)) known.push(key);
  };
  for (const [key, { set }] of held) index(set.name, key);

  const put = (key: string, change: AwsChange): void => {
    const before = held.get(key);
    const answer = change.set.answer;
    // The zone knows its own id: an alias within it keeps the one it has.
    const set =
      answer.kind === "alias" &&
      before?.set.answer.kind === "alias" &&
      before.set.answer.target.name === answer.target.name &&
      zoneIdMatches(
        answer.target.hostedZoneId,
        before.set.answer.target.hostedZoneId,
        answer.target.name,
        zone,
      )
        ? {
            ...change.set,
            answer: {
              ...answer,
              target: { ...answer.target, hostedZoneId: before.set.answer.target.hostedZoneId },
            },
          }
        : change.set;
    held.set(key, { set, unpredictable: change.unpredictable });
    index(set.name, key);
  };
  const remove = (key: string): void => void held.delete(key);

  const atName = (name: string): readonly Held[] =>
    [...(names.get(name) ?? [])].flatMap((key) => {
      const found = held.get(key);
      return found ? [found] : [];
    });

  function step(change: AwsChange, deleted: Set<string>): string | undefined {
    const { action, set } = change;
    const key = recordSetKey(set);
    const there = held.get(key);
    if (action === "DELETE") {
      if (deleted.has(key)) return "it is deleted twice in one batch";
      if (set.name === zone && (set.type === "NS" || set.type === "SOA"))
        return "the zone's own NS and SOA cannot be deleted";
      if (!there) return "there is no such record set to delete";
      const difference = mismatch(change, there.set, zone);
      if (difference !== undefined) return `the record set is another: ${difference}`;
      deleted.add(key);
      remove(key);
      return undefined;
    }
    const problem = invalid(change, zone);
    if (problem !== undefined) return problem;
    if (action === "CREATE" && there) return "it already exists";
    put(key, change);
    return undefined;
  }

  function afterwards({ set }: AwsChange): string | undefined {
    const others = atName(set.name);
    const cname = set.type === "CNAME";
    const conflicting = others.filter(({ set: other }) =>
      cname ? other.type !== "CNAME" : other.type === "CNAME",
    );
    if (conflicting.length > 0)
      return `a CNAME cannot stand beside ${cname ? describeOthers(conflicting) : "other data"}`;
    const mixed = others.filter(
      ({ set: other }) => other.type === set.type && other.routing.policy !== set.routing.policy,
    );
    if (mixed.length > 0)
      return `${set.routing.policy} and ${mixed[0]?.set.routing.policy} record sets of one name and type`;
    const { answer } = set;
    if (answer.kind === "alias" && answer.target.hostedZoneId === sameZone) {
      if (!isWithin(answer.target.name, zone))
        return `the alias target ${answer.target.name} is not in this zone`;
      if (!atName(answer.target.name).some(({ set: other }) => other.type === set.type))
        return `there is no ${set.type} at the alias target ${answer.target.name}`;
    }
    return undefined;
  }

  return {
    recordSets: () => [...held.values()].map(({ set }) => set),
    apply: (batch) => {
      const before = batch.map(
        ({ set }) => [recordSetKey(set), set.name, held.get(recordSetKey(set))] as const,
      );
      const deleted = new Set<string>();
      const refusals: Refusal[] = [];
      for (const change of batch) {
        const why = step(change, deleted);
        if (why !== undefined) refusals.push({ change, why });
      }
      if (refusals.length === 0)
        for (const change of batch) {
          if (change.action === "DELETE") continue;
          const why = afterwards(change);
          if (why !== undefined) refusals.push({ change, why });
        }
      if (refusals.length > 0)
        for (const [key, name, was] of before) {
          if (was) {
            held.set(key, was);
            index(name, key);
          } else remove(key);
        }
      return refusals;
    },
  };
}
