import { decodeName } from "../dns/fqdn.ts";
import { isFault } from "../fault.ts";
import { defaultMigration } from "../site/site.ts";
import type { StepContext } from "../steps/step.ts";
import { type DnsView, recordsIn, viewDns, wishesOf } from "./dns-view.ts";
import { leftInOldDomain } from "./foresee.ts";
import { isOld } from "./move.ts";
import { newNamesSince, notedTtl } from "./notes.ts";
import { looksAt } from "./publishers.ts";

/** What ExternalDNS gives a record whose source names no TTL, seconds (provider/aws/aws.go). */
const usualTtl = 300;

/** What the cluster publishes in the old domain now. */
export const oldNames = (view: DnsView): readonly string[] =>
  [
    ...new Set(
      view.movers.flatMap((mover) =>
        wishesOf(mover, view.lists)
          .endpoints.filter(({ name }) => isOld(name, view.move) && looksAt(mover, name))
          .map(({ name }) => decodeName(name)),
      ),
    ),
  ].sort();

/** The longest TTL of what is published in the old domain now, seconds. Throws FaultError. */
export async function longestOldTtl(view: DnsView): Promise<number> {
  if (isFault(view.oldZone)) return usualTtl;
  const names = new Set(oldNames(view));
  const { records } = await leftInOldDomain(view, view.publishers);
  const ttls = (await recordsIn(view, view.oldZone)).flatMap(({ name, answer }) =>
    names.has(name) && answer.kind === "values" ? [answer.ttl] : [],
  );
  return Math.max(usualTtl, ...ttls, ...records.map(({ ttl }) => ttl));
}

/** Seconds that old names stay beside new ones after their TTL, as the config has it. */
export const quietSeconds = ({ ports }: Pick<StepContext, "ports">): number =>
  (ports.config.migration ?? defaultMigration).quietSeconds;

/** The TTL that counts: as the survey found it, or else as the zone has it now. Throws FaultError. */
export async function oldTtl(context: StepContext, view?: DnsView): Promise<number> {
  return notedTtl(context.run.notes) ?? (await longestOldTtl(view ?? (await viewDns(context))));
}

/** Until when both names stay: the TTL of the old ones and the quiet period; milliseconds since the epoch. Throws FaultError. */
export async function quietUntil(context: StepContext, view?: DnsView): Promise<number | undefined> {
  const { notes, standing = {} } = context.run;
  // Added by an act that was skipped before it was proven: nobody wrote down when, and the survey was before it.
  const isUndated = standing["add-hostnames"] !== undefined && notes["add-hostnames"] === undefined;
  const since = isUndated && notes["verify-new-names"] === undefined ? undefined : newNamesSince(notes);
  return since === undefined
    ? undefined
    : since + ((await oldTtl(context, view)) + quietSeconds(context)) * 1_000;
}
