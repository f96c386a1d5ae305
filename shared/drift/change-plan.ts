import { batchChanges, defaultBatchLimits, groups } from "../dns/aws-batch.ts";
import type { AwsChange } from "../dns/aws-change.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { zoneModel } from "../dns/route53-judge.ts";
import { isFault } from "../fault.ts";
import { plain } from "../text.ts";
import { detectDrift } from "./detect.ts";
import type { Drift, PlannedChange } from "./drift.ts";
import { type DriftReport, driftKey } from "./drift-report.ts";
import {
  allowedDeletes,
  type DeleteLimits,
  deletes,
  deletesRecord,
  recordsToDelete,
  whyWithheld,
} from "./guards.ts";
import type { DriftInput } from "./input.ts";
import { planDigest, undoOf } from "./plan-digest.ts";
import type { Plan, PlanItem, PlannedBatch, Withheld } from "./plan-value.ts";
import { withinReach } from "./reach.ts";
import { idKey } from "./record-key.ts";
import { sameSet } from "./same-set.ts";

type Offered = Drift & Readonly<{ offer: NonNullable<Drift["offer"]> }>;

const hasOffer = (drift: Drift): drift is Offered => drift.offer !== undefined && drift.repair === "we";

const withhold = ({ kind, name, type, setIdentifier }: Drift, why: string): Withheld => ({
  kind,
  name,
  type,
  ...(setIdentifier !== undefined && { setIdentifier }),
  why,
});

const item = (drift: Offered): PlanItem => ({
  kind: drift.kind,
  offer: drift.offer.kind,
  name: drift.name,
  type: drift.type,
  ...(drift.setIdentifier !== undefined && { setIdentifier: drift.setIdentifier }),
  ownership: drift.ownership,
  what: plain(drift.outlook),
  because: plain(drift.because),
});

const sameChange = (a: PlannedChange, b: PlannedChange): boolean =>
  a.action === b.action && sameSet(a.set, b.set);

type Gathered = {
  /** By record set. */
  changes: Map<string, PlannedChange>;
  given: Map<string, RecordSet>;
  /** Drift by drift, with the keys it touches. */
  taken: { drift: Offered; keys: readonly string[] }[];
  withheld: Withheld[];
};

/** Offers that touch one record set have to agree; one that rests on what another changes waits for the next plan. */
function gather(drifts: readonly Offered[]): Gathered {
  const out: Gathered = { changes: new Map(), given: new Map(), taken: [], withheld: [] };
  for (const drift of drifts) {
    const { changes, given } = drift.offer;
    const clash = changes.find((change) => {
      const there = out.changes.get(idKey(change.set));
      return there !== undefined && !sameChange(there, change);
    });
    if (clash !== undefined) {
      out.withheld.push(
        withhold(
          drift,
          `another change of this plan touches ${clash.set.name} ${clash.set.type}; plan again after it`,
        ),
      );
      continue;
    }
    for (const change of changes) out.changes.set(idKey(change.set), change);
    for (const set of given) out.given.set(idKey(set), set);
    out.taken.push({ drift, keys: [...changes.map(({ set }) => idKey(set)), ...given.map(idKey)] });
  }
  return out;
}

/** Offers that touch, or rest on, one record set travel in one batch: record and ownership TXT together. */
function components(taken: Gathered["taken"]): ReadonlyMap<string, string> {
  const parent = new Map<string, string>();
  const root = (key: string): string => {
    let at = key;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    return at;
  };
  for (const { keys } of taken) {
    const [first] = keys;
    if (first === undefined) continue;
    const top = root(first);
    for (const key of keys) {
      const other = root(key);
      if (other !== top) parent.set(other, top);
      else if (!parent.has(key)) parent.set(key, top);
    }
  }
  return new Map([...parent.keys()].map((key) => [key, root(key)]));
}

/** Deletes that earlier stages of the same plan hold. */
type Used = Readonly<{ records: ReadonlySet<string>; txts: ReadonlySet<string> }>;

/** Few enough deletes: all records or none, since many at once mean a fault; lone ownership TXTs as many as fit. */
function limited(
  drifts: readonly Offered[],
  report: DriftReport,
  { limits, used }: Readonly<{ limits: DeleteLimits; used: Used }>,
): Readonly<{ kept: readonly Offered[]; withheld: readonly Withheld[] }> {
  const records = recordsToDelete(drifts);
  const allowedRecords = allowedDeletes(report.owned.records, limits);
  const allowedTxts = allowedDeletes(report.owned.txts, limits);
  const total = new Set([...records, ...used.records]).size;
  const tooMany = total > allowedRecords;
  const withheld: Withheld[] = [];
  const txts = new Set<string>(used.txts);
  const kept = drifts.filter((drift) => {
    const gone = deletes(drift.offer.changes);
    if (gone.length === 0) return true;
    if (deletesRecord(drift)) {
      if (!tooMany) return true;
      withheld.push(
        withhold(
          drift,
          `${total} deletes of ${report.owned.records} owned records; ${allowedRecords} are allowed in one plan`,
        ),
      );
      return false;
    }
    const more = gone.filter((set) => !txts.has(idKey(set)));
    if (txts.size + more.length > allowedTxts) {
      withheld.push(
        withhold(
          drift,
          `${allowedTxts} of ${report.owned.txts} ownership records may go in one plan; plan again after it`,
        ),
      );
      return false;
    }
    for (const set of more) txts.add(idKey(set));
    return true;
  });
  return { kept, withheld };
}

export type PlanRequest = Readonly<{
  /** What the report was made from, freshly read. */
  input: DriftInput;
  report: DriftReport;
  limits: DeleteLimits;
  /** Milliseconds since the epoch. */
  at: number;
}>;

export const reversibleWhile =
  "open until ExternalDNS or somebody else changes one of these record sets: going back is refused where they moved";

type Stage = Readonly<{
  batches: readonly PlannedBatch[];
  taken: readonly Offered[];
  /** For good: guards and limits, which no later stage lifts. */
  withheld: readonly Withheld[];
  /** For now: what clashes with this stage, and what Route 53 would refuse as the zone is. */
  postponed: readonly Withheld[];
}>;

const unconfirmed =
  "the snapshot is older than the zone's listing: it may have changed meanwhile, and is planned when a newer one says the same";

function stageOf(
  report: DriftReport,
  recordSets: readonly RecordSet[],
  limits: Readonly<{ limits: DeleteLimits; used: Used }>,
): Stage {
  const withheld: Withheld[] = [];
  const awaiting = new Set(report.awaiting);
  const candidates = report.drifts.filter(hasOffer).filter((drift) => {
    const why = awaiting.size > 0 && awaiting.has(driftKey(drift)) ? unconfirmed : whyWithheld(drift, report);
    if (why !== undefined) withheld.push(withhold(drift, why));
    return why === undefined;
  });
  const within = limited(candidates, report, limits);
  const gathered = gather(within.kept);
  const postponed = [...gathered.withheld];
  const group = components(gathered.taken);
  const planned = [...gathered.changes].map(
    ([key, { action, set }]): AwsChange => ({
      action,
      set,
      group: group.get(key) ?? key,
      unpredictable: false,
    }),
  );
  const { batches: packed, tooLarge } = batchChanges(planned, defaultBatchLimits);
  const refused = new Map<string, string>(
    tooLarge.flat().map((change) => [change.group, "it is over the limits of one batch"]),
  );
  const sent = packed.length === 0 ? [] : tryOut(packed, recordSets, report.zone.name, refused);
  const taken = gathered.taken.flatMap(({ drift, keys }) => {
    const why = refused.get(group.get(keys[0] as string) ?? "");
    if (why !== undefined) postponed.push(withhold(drift, why));
    return why === undefined ? [drift] : [];
  });
  const batches = sent.map((batch): PlannedBatch => {
    const here = new Set(batch.map((change) => change.group));
    const changed = new Set(batch.map(({ set }) => idKey(set)));
    return {
      changes: batch.map(({ set }) => gathered.changes.get(idKey(set)) as PlannedChange),
      given: [...gathered.given]
        .filter(([key]) => here.has(group.get(key) ?? "") && !changed.has(key))
        .map(([, set]) => set),
    };
  });
  return { batches, taken, withheld: [...withheld, ...within.withheld], postponed };
}

const afterBatches = (
  recordSets: readonly RecordSet[],
  batches: readonly PlannedBatch[],
): readonly RecordSet[] => {
  const held = new Map(recordSets.map((set) => [idKey(set), set]));
  for (const { action, set } of batches.flatMap(({ changes }) => changes)) {
    if (action === "DELETE") held.delete(idKey(set));
    else held.set(idKey(set), set);
  }
  return [...held.values()];
};

const place = ({ kind, name, type, setIdentifier }: Withheld | PlanItem): string =>
  `${kind} ${name} ${type} ${setIdentifier ?? ""}`;

/** What one change makes possible for another comes in a later batch; more stages than this nobody needs. */
const stages = 5;

/**
 * What we offer to do about a report, and nothing else: only what ExternalDNS will not do, within the guards, in batches
 * that Route 53 takes, until nothing more is ours to do. What is left out is named with its reason. Of a large zone only
 * what a change can reach is looked at again.
 */
export const makePlan = (request: PlanRequest): Plan =>
  planWithin({ ...request, input: withinReach(request.input, request.report) });

/** The same, over all of `input`. */
export function planWithin({ input, report, limits, at }: PlanRequest): Plan {
  const batches: PlannedBatch[] = [];
  const items = new Map<string, PlanItem>();
  const withheld = new Map<string, Withheld>();
  let postponed: readonly Withheld[] = [];
  let twoPeople = false;
  let recordSets = isFault(input.recordSets) ? [] : input.recordSets;
  let current = report;
  for (let stage = 0; stage < stages; stage += 1) {
    const gone = batches.flatMap(({ changes }) => deletes(changes));
    const used: Used = {
      records: new Set(gone.filter(({ type }) => type !== "TXT").map(idKey)),
      txts: new Set(gone.filter(({ type }) => type === "TXT").map(idKey)),
    };
    const next = stageOf(
      {
        ...current,
        owned: report.owned,
        drifts: current.drifts.filter((drift) => !withheld.has(place(withhold(drift, "")))),
      },
      recordSets,
      { limits, used },
    );
    for (const each of next.withheld) withheld.set(place(each), each);
    postponed = next.postponed;
    if (next.batches.length === 0) break;
    batches.push(...next.batches);
    for (const drift of next.taken) items.set(place(item(drift)), item(drift));
    twoPeople ||= next.taken.some(({ offer }) => offer.kind === "adopt");
    recordSets = afterBatches(recordSets, next.batches);
    // The limits were judged over the whole zone, and count over all stages here.
    const { limits: _, ...rest } = input;
    current = detectDrift({ ...rest, recordSets });
  }
  const undo = undoOf(batches);
  const plan = {
    format: 1 as const,
    ...(report.cluster !== undefined && { cluster: report.cluster }),
    zone: report.zone,
    madeAt: at,
    snapshot: report.snapshot,
    twoPeople,
    items: [...items.values()],
    batches,
    withheld: [...withheld.values(), ...postponed.filter((each) => !items.has(place(each)))],
    undo,
    reversibleWhile,
  };
  return { ...plan, digest: planDigest(plan) };
}

/** Batches that Route 53 takes as a whole; of one it refuses, the groups it takes. */
function tryOut(
  packed: readonly (readonly AwsChange[])[],
  recordSets: readonly RecordSet[],
  zone: DriftReport["zone"]["name"],
  refused: Map<string, string>,
): readonly (readonly AwsChange[])[] {
  const model = zoneModel(recordSets, zone);
  return packed.flatMap((batch) => {
    if (model.apply(batch).length === 0) return [batch];
    const good = groups(batch).flatMap((part) => {
      const [wrong] = model.apply(part);
      if (wrong === undefined) return part;
      refused.set(
        wrong.change.group,
        `Route 53 would refuse ${wrong.change.set.name} ${wrong.change.set.type}: ${wrong.why}`,
      );
      return [];
    });
    return good.length === 0 ? [] : [good];
  });
}
