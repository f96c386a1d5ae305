import type { Endpoint } from "../dns/endpoint.ts";
import { decodeName } from "../dns/fqdn.ts";
import { claimants, type OwnershipFlags, possibleTxtNames } from "../dns/ownership-written.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { isFault } from "../fault.ts";
import { partsOf } from "./another-affix.ts";
import type { DriftReport } from "./drift-report.ts";
import type { ControllerView, DriftInput } from "./input.ts";

const nameOf = ({ name }: Pick<Endpoint, "name">): string => decodeName(name.trim());

/** Names that IDNA may hold equal to others: their ownership records are named after each spelling. */
const hasSpellings = (name: string): boolean => /xn--|[^\x00-\x7f]/.test(name);

/** `undefined` where one name of the zone may have several spellings. */
function namesOf(
  recordSets: readonly RecordSet[],
  controllers: readonly ControllerView[],
): ReadonlySet<string> | undefined {
  const out = new Set<string>();
  for (const { name } of recordSets) out.add(name);
  for (const { wanted, dropped } of controllers) {
    for (const endpoint of wanted) out.add(nameOf(endpoint));
    for (const { endpoint } of dropped) out.add(nameOf(endpoint));
  }
  for (const name of out) if (hasSpellings(name)) return undefined;
  return out;
}

/**
 * Names that stand or are wanted and are tied to these by ownership records, of any release's format, that stand or may
 * be written: what one of them becomes can change what is said of another.
 */
function tied(
  from: Iterable<string>,
  known: ReadonlySet<string>,
  affixes: readonly OwnershipFlags[],
): Set<string> {
  const out = new Set<string>();
  const todo = [...from];
  const follow = (name: string): void => {
    if (known.has(name) && !out.has(name)) todo.push(name);
  };
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (out.has(name)) continue;
    out.add(name);
    for (const part of partsOf(name)) follow(part.name);
    for (const each of affixes) {
      for (const claim of claimants(name, each)) follow(claim.name);
      for (const txt of possibleTxtNames(name, each)) {
        follow(decodeName(txt));
        for (const claim of claimants(decodeName(txt), each)) follow(claim.name);
      }
    }
  }
  return out;
}

/** Of the controllers, and none at all. */
const distinct = (controllers: readonly ControllerView[]): readonly OwnershipFlags[] => [
  ...new Map(
    [{}, ...controllers.map(({ controller }) => controller.ownership)].map((flags: OwnershipFlags) => [
      JSON.stringify([flags.prefix ?? "", flags.suffix ?? "", flags.wildcardReplacement ?? ""]),
      flags,
    ]),
  ).values(),
];

/** Every name that may keep the ownership of one of these under an affix nobody told us. */
function holders(names: ReadonlySet<string>, known: ReadonlySet<string>): readonly string[] {
  const inner = [...names].map((name) => ({
    first: name.split(".", 1)[0] ?? "",
    rest: name.slice(name.indexOf(".")),
  }));
  return [...known].filter((name) =>
    inner.some(({ first, rest }) => name.endsWith(rest) && name.slice(0, -rest.length).includes(first)),
  );
}

/** More of them are not sought one by one. */
const mostUnowned = 100;

/** Where more than this part of a zone is touched, looking at all of it costs less than telling which. */
const worthwhile = 1 / 8;

/**
 * The part of a zone, and of what is wanted of it, that matters to a plan from this report: all that any difference
 * touches, so all that ExternalDNS or we change, and whatever is tied to it by ownership records or aliases. The rest
 * has nothing amiss and no change reaches it, so it stays so. The whole input where that cannot be told.
 */
export function withinReach(input: DriftInput, report: DriftReport, part = worthwhile): DriftInput {
  const { recordSets, controllers } = input;
  if (isFault(recordSets) || isFault(controllers)) return input;
  // ExternalDNS then changes records that no difference of the report names.
  if (controllers.some(({ controller }) => controller.migrateFromOwner !== undefined)) return input;
  if (report.findings.some(({ code }) => code === "dns-orphans-unknown")) return input;
  const touched = new Set<string>();
  for (const { name, offer } of report.drifts) {
    touched.add(name);
    for (const { set } of offer?.changes ?? []) touched.add(set.name);
    for (const set of offer?.given ?? []) touched.add(set.name);
  }
  if (touched.size > recordSets.length * part) return input;
  const known = namesOf(recordSets, controllers);
  if (known === undefined) return input;
  const affixes = distinct(controllers);
  const unowned = new Set(
    report.drifts
      .filter(({ ownership }) => ownership === "unowned" || ownership === "ambiguous")
      .map(({ name }) => name as string),
  );
  if (unowned.size > mostUnowned) return input;
  for (const name of holders(unowned, known)) touched.add(name);
  let names = tied(touched, known, affixes);
  for (;;) {
    const near = {
      ...input,
      recordSets: recordSets.filter(({ name }) => names.has(name)),
      controllers: controllers.map((view) => ({
        ...view,
        wanted: view.wanted.filter((endpoint) => names.has(nameOf(endpoint))),
        dropped: view.dropped.filter(({ endpoint }) => names.has(nameOf(endpoint))),
      })),
    };
    const targets = [
      ...near.recordSets.flatMap(({ answer }) => (answer.kind === "alias" ? [answer.target.name] : [])),
      ...near.controllers.flatMap(({ wanted }) =>
        wanted.flatMap(({ targets }) => targets.map((target) => decodeName(target))),
      ),
    ].filter((name) => known.has(name) && !names.has(name));
    if (targets.length === 0) return near;
    names = tied([...names, ...targets], known, affixes);
  }
}
