import { chooseForCreate, chooseForUpdate, withoutConflictingCnames } from "./conflict.ts";
import {
  type Endpoint,
  isOwnedBy,
  ownerLabel,
  ownerOf,
  rowKey,
  sameTargets,
  withLabels,
} from "./endpoint.ts";
import { applyPolicy, type Policy } from "./policy.ts";

export type Update = Readonly<{ from: Endpoint; to: Endpoint }>;

/** A create that is left out because something at its name and set identifier is not ours. */
export type BlockedCreate = Readonly<{ wanted: Endpoint; by: readonly Endpoint[] }>;

export type Changes = Readonly<{
  create: readonly Endpoint[];
  update: readonly Update[];
  delete: readonly Endpoint[];
  createsBlockedByOwner: readonly BlockedCreate[];
}>;

export type PlanConfig = Readonly<{
  /** Empty switches the owner filter off, as a registry that keeps no ownership does. */
  ownerId: string;
  policy: Policy;
  managedTypes: readonly string[];
  excludedTypes: readonly string[];
  /** What names the planner sees at all, on both sides. */
  matches: (name: string) => boolean;
  /** `--migrate-from-txt-owner`. */
  migrateFromOwner: string | undefined;
}>;

/** What stands and what is wanted at one name and set identifier. */
type Side = { current: readonly Endpoint[]; candidates: readonly Endpoint[] };
export type Row = Readonly<Side>;

/** By `rowKey`. */
export type Rows = ReadonlyMap<string, Row>;

const none: readonly Endpoint[] = [];

const isManaged = (type: string, { managedTypes, excludedTypes }: PlanConfig): boolean =>
  !excludedTypes.includes(type) && managedTypes.includes(type);

/** What the planner sees of both sides, put together. */
export function rowsOf(current: readonly Endpoint[], desired: readonly Endpoint[], config: PlanConfig): Rows {
  const rows = new Map<string, Side>();
  const add = (endpoint: Endpoint, side: keyof Side): void => {
    if (!isManaged(endpoint.type, config) || !config.matches(endpoint.name)) return;
    const key = rowKey(endpoint);
    const row = rows.get(key);
    if (row) row[side] = [...row[side], endpoint];
    else if (side === "current") rows.set(key, { current: [endpoint], candidates: none });
    else rows.set(key, { current: none, candidates: [endpoint] });
  };
  for (const endpoint of current) add(endpoint, "current");
  for (const endpoint of desired) add(endpoint, "candidates");
  return rows;
}

export function propertiesDiffer(a: Endpoint, b: Endpoint): boolean {
  const one = a.providerSpecific ?? [];
  const other = b.providerSpecific ?? [];
  if (one.length === 0 && other.length === 0) return false;
  const wanted = new Map(one.map(({ name, value }) => [name, value]));
  for (const { name, value } of other) {
    if (wanted.get(name) !== value) return true;
    wanted.delete(name);
  }
  return wanted.size > 0;
}

/** A wanted TTL counts only when somebody set one, so a TTL edited by hand stays (plan/plan.go shouldUpdateTTL). */
const ttlDiffers = (desired: Endpoint, current: Endpoint): boolean =>
  desired.ttl > 0 && desired.ttl !== current.ttl;

/** Whether the planner would update a record it owns. */
export const isChanged = (
  desired: Endpoint,
  current: Endpoint,
  config: Pick<PlanConfig, "migrateFromOwner">,
): boolean =>
  ttlDiffers(desired, current) ||
  !sameTargets(desired.targets, current.targets) ||
  propertiesDiffer(desired, current) ||
  (!!config.migrateFromOwner && ownerOf(current) !== config.migrateFromOwner);

/** The updated record keeps the owner it has; nobody's stays nobody's and falls to the owner filter. */
const inheritOwner = (from: Endpoint, to: Endpoint): Endpoint =>
  withLabels(to, { [ownerLabel]: ownerOf(from) ?? "" });

const byId = (a: Endpoint, b: Endpoint): number => {
  const one = `${a.name}\0${a.type}\0${a.setIdentifier}`;
  const other = `${b.name}\0${b.type}\0${b.setIdentifier}`;
  return one < other ? -1 : one > other ? 1 : 0;
};

type RowChanges = { create: Endpoint[]; update: Update[]; delete: Endpoint[]; blocked: BlockedCreate[] };

function takenRow({ current, candidates }: Row, config: PlanConfig, out: RowChanges): void {
  const [from, ...others] = current;
  const [only, ...more] = candidates;
  // Nearly every row is one record that one object wants.
  if (from?.type === only?.type && from && only && others.length === 0 && more.length === 0) {
    if (isChanged(only, from, config)) out.update.push({ from, to: inheritOwner(from, only) });
    return;
  }
  const wanted = withoutConflictingCnames(candidates);
  const types = new Set([...current, ...wanted].map(({ type }) => type));
  const creates: Endpoint[] = [];
  for (const type of types) {
    const having = current.findLast((each) => each.type === type);
    const wanting = wanted.filter((each) => each.type === type);
    if (having === undefined) creates.push(chooseForCreate(wanting));
    else if (wanting.length === 0) out.delete.push(having);
    else {
      const to = chooseForUpdate(having, wanting);
      if (isChanged(to, having, config)) out.update.push({ from: having, to: inheritOwner(having, to) });
    }
  }
  const strangers =
    config.ownerId === "" ? [] : current.filter((each) => !isOwnedBy(each, config.ownerId)).sort(byId);
  if (strangers.length === 0) out.create.push(...creates);
  else out.blocked.push(...creates.map((each) => ({ wanted: each, by: strangers })));
}

function freeRow({ candidates }: Row, out: RowChanges): void {
  const wanted = withoutConflictingCnames(candidates);
  for (const type of new Set(wanted.map((each) => each.type)))
    out.create.push(chooseForCreate(wanted.filter((each) => each.type === type)));
}

const withoutRepeats = (endpoints: readonly Endpoint[]): readonly Endpoint[] => {
  const seen = new Set<string>();
  return endpoints.filter(({ name, type, setIdentifier }) => {
    const key = `${name} ${type} ${setIdentifier}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
};

/**
 * ExternalDNS's planner alone, without ownership records (kubernetes-sigs/external-dns, plan/plan.go v0.14.0 to
 * v0.22.0, the same rules in all). `current` carries the owners the registry read. The result is sorted by name, type and
 * set identifier and does not depend on the order of the input.
 */
export const planChanges = (
  current: readonly Endpoint[],
  desired: readonly Endpoint[],
  config: PlanConfig,
): Changes => planRows(rowsOf(current, desired, config), config);

/** The same, over rows that stand already. */
export function planRows(rows: Rows, config: PlanConfig): Changes {
  const out: RowChanges = { create: [], update: [], delete: [], blocked: [] };
  for (const row of rows.values()) {
    if (row.current.length === 0) freeRow(row, out);
    else if (row.candidates.length === 0) out.delete.push(...row.current);
    else takenRow(row, config, out);
  }
  const allowed = applyPolicy(config.policy, {
    create: out.create,
    update: out.update,
    delete: out.delete,
    createsBlockedByOwner: out.blocked,
  });
  const ours = (endpoint: Endpoint): boolean => config.ownerId === "" || isOwnedBy(endpoint, config.ownerId);
  const deletes = allowed.delete.filter(ours);
  return {
    create: [...allowed.create].sort(byId),
    update: allowed.update.filter(({ from }) => ours(from)).sort((a, b) => byId(a.to, b.to)),
    delete: [...(config.ownerId === "" ? deletes : withoutRepeats(deletes))].sort(byId),
    createsBlockedByOwner: [...allowed.createsBlockedByOwner].sort((a, b) => byId(a.wanted, b.wanted)),
  };
}
