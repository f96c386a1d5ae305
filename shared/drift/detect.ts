import { isFault } from "../fault.ts";
import type { Finding, Severity } from "../finding.ts";
import { text } from "../text.ts";
import { driftKinds } from "./all.ts";
import type { Drift } from "./drift.ts";
import { type DriftReport, driftKey } from "./drift-report.ts";
import { deletes, whileBlocked, withinLimits, withinRights } from "./guards.ts";
import type { DriftInput, Sighting } from "./input.ts";
import { isOurs } from "./ownership.ts";
import { idKey } from "./record-key.ts";
import { candidatesFor, currentOf, type Scene, sceneOf, silentOf } from "./scene.ts";
import { isConfirmed, isOutdated, judgeSources } from "./sources.ts";

const severities: readonly Severity[] = ["critical", "error", "warning", "unknown", "info"];
const repairs: readonly Drift["repair"][] = ["we", "nobody", "external-dns"];

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Worst first, then what needs people, then by place. */
const order = (a: Drift, b: Drift): number =>
  severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
  repairs.indexOf(a.repair) - repairs.indexOf(b.repair) ||
  byText(a.name, b.name) ||
  byText(a.type, b.type) ||
  byText(a.setIdentifier ?? "", b.setIdentifier ?? "") ||
  byText(a.kind, b.kind);

/** Two controllers may see one thing: it is told once. */
function withoutRepeats(drifts: readonly Drift[]): readonly Drift[] {
  const seen = new Set<string>();
  return drifts.filter((drift) => {
    const key = `${drift.kind} ${idKey(drift)} ${drift.ownership} ${drift.want.join()} ${drift.have.join()}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What nobody does about a record set is not said of one that goes with another difference. */
function withoutGoing(drifts: readonly Drift[]): readonly Drift[] {
  const going = new Set(
    drifts.flatMap(({ repair, offer }) =>
      repair === "we" && offer ? deletes(offer.changes).map(idKey) : [],
    ),
  );
  return going.size === 0
    ? drifts
    : drifts.filter((drift) => drift.repair !== "nobody" || !going.has(idKey(drift)));
}

function owned(scene: Scene): DriftReport["owned"] {
  const [only, ...others] = scene.looks;
  if (only !== undefined && others.length === 0) {
    // One look sees everything once: what is counted needs no names.
    const { endpoints, ownership } = only.forecast.read;
    let counted = 0;
    for (const endpoint of endpoints) if (isOurs(only, endpoint)) counted += 1;
    const texts = ownership.filter(({ labels: { owner } }) => owner !== undefined && scene.owners.has(owner));
    return { records: counted, txts: texts.length };
  }
  const records = new Set<string>();
  const txts = new Set<string>();
  for (const look of scene.looks) {
    for (const endpoint of look.forecast.read.endpoints)
      if (isOurs(look, endpoint)) records.add(idKey(endpoint));
    for (const { set, labels } of look.forecast.read.ownership)
      if (labels.owner !== undefined && labels.owner !== "" && scene.owners.has(labels.owner))
        txts.add(idKey(set));
  }
  return { records: records.size, txts: txts.size };
}

/** Owned records that no known object wants, while not every object is known: nobody may say they are orphans. */
function undecided(scene: Scene): readonly Finding[] {
  if (scene.complete) return [];
  const count = scene.looks.reduce(
    (sum, look) =>
      sum +
      look.forecast.plan.delete.length +
      silentOf(look, "policy").filter((row) => {
        const current = currentOf(look, row);
        return current !== undefined && candidatesFor(look, current).length === 0;
      }).length,
    0,
  );
  return count === 0
    ? []
    : [
        {
          code: "dns-orphans-unknown",
          severity: "unknown",
          subject: { kind: "zone", name: scene.zone },
          facts: { records: count },
          text: text`whether ${count} owned records are still wanted is not known: not everything could be read or is modelled`,
        },
      ];
}

const threeIntervals = (input: DriftInput): number =>
  Math.max(60, ...(isFault(input.controllers) ? [] : input.controllers.map((each) => each.intervalSeconds))) *
  3_000;

type Seen = Readonly<{
  sightings: readonly Sighting[];
  /** What ExternalDNS should have repaired: seen at least three of its intervals ago, wanted all that time, seen again. */
  late: readonly Sighting[];
  /** What others have to repair, by a snapshot that may have missed what changed before the zone was listed. */
  awaiting: readonly Sighting[];
}>;

function seen(drifts: readonly Drift[], input: DriftInput): Seen {
  const before = new Map(input.previous.map((each) => [each.key, each.firstAt]));
  const sightings: Sighting[] = [];
  const late: Sighting[] = [];
  const awaiting: Sighting[] = [];
  // That it is still wanted is known up to the time of the snapshot.
  const until = Math.min(input.at, input.snapshot.takenAt) - threeIntervals(input);
  for (const drift of drifts) {
    const key = driftKey(drift);
    const firstAt = before.get(key) ?? input.at;
    const sighting = { key, firstAt, lastAt: input.at };
    const isTheirs = drift.repair === "external-dns";
    if (isTheirs && firstAt <= until) late.push(sighting);
    if (!isTheirs && !isConfirmed(firstAt, input)) awaiting.push(sighting);
    sightings.push(sighting);
  }
  return { sightings, late, awaiting };
}

/** What ExternalDNS should have done long ago is not promised for the next minute. */
function withoutPromises(drifts: readonly Drift[], late: readonly Sighting[]): readonly Drift[] {
  if (late.length === 0) return drifts;
  const since = new Map(late.map(({ key, firstAt }) => [key, firstAt]));
  return drifts.map((drift): Drift => {
    const at = since.get(driftKey(drift));
    return at === undefined
      ? drift
      : {
          ...drift,
          outlook: text`ExternalDNS will once it reconciles again: it has not since ${new Date(at).toISOString().slice(0, 16)}Z`,
        };
  });
}

function notReconciling(late: readonly Sighting[], input: DriftInput): readonly Finding[] {
  if (late.length === 0) return [];
  const since = Math.min(...late.map(({ firstAt }) => firstAt));
  return [
    {
      code: "external-dns-not-reconciling",
      severity: "error",
      subject: { kind: "zone", name: input.zone.name },
      facts: { records: late.length, since, seenFor: input.at - since },
      text: text`ExternalDNS is not reconciling: ${late.length} differences that it repairs by itself stand since ${new Date(since).toISOString().slice(0, 16)}Z, over three of its intervals`,
      remedy: text`look at its log and at Route 53's answers`,
    },
  ];
}

/**
 * Compares a zone with what every ExternalDNS of the cluster wants, owns and would do. A side that could not be read is a
 * finding, and nothing is then said about what it might hold.
 */
export function detectDrift(input: DriftInput): DriftReport {
  const { findings, deletesBlocked } = judgeSources(input);
  const base = {
    format: 1 as const,
    ...(input.cluster !== undefined && { cluster: input.cluster }),
    at: input.at,
    zone: input.zone,
    snapshot: { hash: input.snapshot.hash, takenAt: input.snapshot.takenAt },
    controllers: isFault(input.controllers)
      ? []
      : input.controllers.map(({ name, controller, intervalSeconds }) => ({
          name,
          owner: controller.owner,
          release: controller.release.text,
          policy: controller.policy,
          intervalSeconds,
        })),
    recordSets: isFault(input.recordSets) ? undefined : input.recordSets.length,
    deletesBlocked,
  };
  if (
    isFault(input.recordSets) ||
    isFault(input.controllers) ||
    input.controllers.length === 0 ||
    isOutdated(input)
  )
    return {
      ...base,
      owned: { records: 0, txts: 0 },
      complete: false,
      findings,
      drifts: [],
      sightings: input.previous,
      notReconciling: [],
      awaiting: [],
    };
  const scene = sceneOf(input, input.recordSets, input.controllers);
  const counted = owned(scene);
  const found = withoutRepeats(
    driftKinds
      .flatMap((kind) => kind.detect(scene))
      .map((drift) => whileBlocked(withinRights(drift), deletesBlocked)),
  );
  const drifts = withoutGoing(withinLimits(found, counted.records, input.limits)).toSorted(order);
  const { sightings, late, awaiting } = seen(drifts, input);
  const unsure = [...new Set(scene.looks.flatMap(({ forecast }) => forecast.unknown))];
  return {
    ...base,
    owned: counted,
    complete: scene.complete && unsure.length === 0,
    findings: [
      ...findings,
      ...undecided(scene),
      ...unsure.map(
        (what): Finding => ({
          code: "dns-not-modelled",
          severity: "unknown",
          subject: { kind: "zone", name: input.zone.name },
          facts: { what },
          text: text`not modelled, so what ExternalDNS does may differ: ${what}`,
        }),
      ),
      ...notReconciling(late, input),
    ],
    drifts: withoutPromises(drifts, late),
    sightings,
    notReconciling: late.map(({ key }) => key),
    awaiting: awaiting.map(({ key }) => key),
  };
}
