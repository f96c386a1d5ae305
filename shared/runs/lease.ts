import type { Lease } from "../ledger/ledger.ts";

/** Who works on a cluster, as busy answers tell it. */
export type LeaseHolder = Readonly<{ run: string; what: string; by: string; since: number }>;

const separator = "|";
const clean = (word: string): string => word.replaceAll(separator, "/");

/** A holder's name for the ledger: one driver, so that two of one process do not share a lease. */
export const leaseName = ({ run, what, by, since }: LeaseHolder, token: string): string =>
  [clean(run), clean(what), clean(by), String(since), token].join(separator);

/** Back from {@link leaseName}; undefined for a name that is not ours. */
export function holderOf({ holder }: Pick<Lease, "holder">): LeaseHolder | undefined {
  const [run, what, by, since, token] = holder.split(separator);
  const at = Number(since);
  if (run === undefined || what === undefined || by === undefined || token === undefined) return undefined;
  return Number.isFinite(at) ? { run, what, by, since: at } : undefined;
}
