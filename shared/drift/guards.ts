import type { RecordSet } from "../dns/record-set.ts";
import type { Drift, Offer, PlannedChange } from "./drift.ts";
import type { DriftReport } from "./drift-report.ts";
import type { DeleteLimits } from "./input.ts";
import { idKey } from "./record-key.ts";

export type { DeleteLimits } from "./input.ts";

export const defaultDeleteLimits: DeleteLimits = { absolute: 50, share: 0.3 };

export const allowedDeletes = (owned: number, { absolute, share }: DeleteLimits): number =>
  Math.max(0, Math.min(absolute, Math.ceil(owned * share)));

/**
 * Types of record sets that the writer may change, by its rights and by its rules. NS and SOA are not among them:
 * delegations are nobody's to change here.
 */
export const changedTypes: readonly string[] = ["A", "AAAA", "CNAME", "TXT"];

export const isChangeable = ({ type }: Pick<RecordSet, "type">): boolean => changedTypes.includes(type);

/** The zone's own NS and SOA. */
export const isApexCore = (zone: string, { name, type }: Pick<RecordSet, "name" | "type">): boolean =>
  name === zone && (type === "NS" || type === "SOA");

/** Why this drift's offer is not taken up, whatever else the plan holds; `undefined` when it may be. */
export function whyWithheld(drift: Drift, report: DriftReport): string | undefined {
  const { offer } = drift;
  if (offer === undefined || drift.repair !== "we") return "it is not ours to do";
  if (!["ours", "wrong-name-format", "orphan-txt"].includes(drift.ownership) && offer.kind !== "adopt")
    return `it is ${drift.ownership}: told, never touched`;
  if (offer.kind === "adopt" && drift.ownership !== "unowned") return "only what nobody owns is adopted";
  if (offer.kind === "adopt" && offer.changes.some(({ action }) => action !== "CREATE"))
    return "adopting writes an ownership record and changes nothing that stands";
  if (offer.changes.some(({ set }) => isApexCore(report.zone.name, set)))
    return "the zone's own NS and SOA are never changed";
  const [blocked] = report.deletesBlocked;
  const doubt = blocked === undefined ? undefined : doubted(offer);
  return doubt === undefined ? undefined : `${doubt}: ${blocked}`;
}

/**
 * What a difference comes to while sources are in doubt: we neither delete nor write, and what ExternalDNS deletes because of them
 * is an error.
 */
export function whileBlocked(drift: Drift, deletesBlocked: readonly string[]): Drift {
  const [blocked] = deletesBlocked;
  if (blocked === undefined) return drift;
  if (drift.kind === "record-orphaned" && drift.repair === "external-dns")
    return { ...drift, severity: "error" };
  const { offer, ...rest } = drift;
  if (drift.repair !== "we" || offer === undefined) return drift;
  const what = doubted(offer);
  return what === undefined
    ? drift
    : { ...rest, repair: "nobody", outlook: [`nobody will meanwhile: ${what}: ${blocked}`] };
}

/** What of an offer is not done while sources are in doubt: what is written follows what is wanted. */
const doubted = ({ kind, changes }: Offer): string | undefined => {
  if (deletes(changes).length > 0) return "no deletes";
  return kind === "clean-up" ? undefined : "no changes from sources in doubt";
};

/** It takes its own record away, which no plan does in great numbers. */
export const deletesRecord = ({ offer, ownership, type, ...at }: Drift): boolean =>
  ownership !== "orphan-txt" &&
  type !== "TXT" &&
  deletes(offer?.changes ?? []).some((set) => idKey(set) === idKey({ ...at, type }));

/** The records that these differences would take away, by key. */
export const recordsToDelete = (drifts: readonly Drift[]): ReadonlySet<string> =>
  new Set(
    drifts.filter(deletesRecord).flatMap(({ offer }) =>
      deletes(offer?.changes ?? [])
        .filter(({ type }) => type !== "TXT")
        .map(idKey),
    ),
  );

/** More deletes than one plan may hold are in no plan at all, so they are promised to nobody. */
export function withinLimits(
  drifts: readonly Drift[],
  owned: number,
  limits: DeleteLimits | undefined,
): readonly Drift[] {
  const ours = drifts.filter(({ repair }) => repair === "we");
  const total = recordsToDelete(ours).size;
  if (limits === undefined || total <= allowedDeletes(owned, limits)) return drifts;
  const outlook = [
    `nobody will: ${total} deletes of ${owned} owned records, and ${allowedDeletes(owned, limits)} are allowed in one plan; a person has to decide`,
  ];
  return drifts.map((drift) => {
    if (drift.repair !== "we" || !deletesRecord(drift)) return drift;
    const { offer: _, ...rest } = drift;
    return { ...rest, repair: "nobody", outlook };
  });
}

/** What the writer has no right to is promised to nobody. */
export function withinRights(drift: Drift): Drift {
  const beyond = drift.offer?.changes.find(({ set }) => !isChangeable(set));
  if (drift.repair !== "we" || beyond === undefined) return drift;
  const { offer: _, ...rest } = drift;
  return {
    ...rest,
    repair: "nobody",
    outlook: [`nobody will: we change ${changedTypes.join(", ")} and no ${beyond.set.type}`],
  };
}

export const deletes = (changes: readonly PlannedChange[]): readonly RecordSet[] =>
  changes.filter(({ action }) => action === "DELETE").map(({ set }) => set);
