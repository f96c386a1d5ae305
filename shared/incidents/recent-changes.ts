import { collectChanges } from "../changes/collect-changes.ts";
import type { Lists } from "../changes/read-traces.ts";
import { runsOf } from "../changes/runs.ts";
import { type WatchedKind, watchedKinds } from "../changes/watched-kinds.ts";
import type { Clock } from "../clock.ts";
import { isFault } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { text } from "../text.ts";
import type { Diagnosis } from "./diagnosis.ts";

/** Whoever is woken wants to know what somebody did before they slept. */
export const lookBackMs = 3_600_000;

/** What has to be listed for {@link recentChanges}. */
export const changeKinds: readonly ResourceKind[] = [
  "events",
  ...(Object.keys(watchedKinds) as WatchedKind[]),
];

/** The last hour's changes from lists that were read anyway, and runs of ours; or why there are none to tell. */
export async function recentChanges(
  ports: Readonly<{ clock: Clock; ledger: Ledger | undefined; config: Readonly<{ name: string }> }>,
  lists: Lists,
): Promise<Pick<Diagnosis, "changes" | "changesGap">> {
  const until = ports.clock.now();
  const window = { since: until - lookBackMs, until };
  const unread = changeKinds.flatMap((kind) => {
    const listed = lists[kind];
    return listed !== undefined && isFault(listed) && listed.kind !== "not-configured" ? [listed] : [];
  });
  const [fault] = unread;
  const runs = await runsOf(ports.ledger, window, ports.config.name);
  if (fault !== undefined && changeKinds.every((kind) => lists[kind] === undefined || isFault(lists[kind])))
    return {
      changes: undefined,
      changesGap: text`what changed in the last hour could not be read: ${fault.what}: ${fault.detail}`,
    };
  const collected = collectChanges(lists, window).changes;
  const changes = [...collected, ...(runs.kind === "read" ? runs.changes : [])].toSorted(
    (a, b) => b.at - a.at,
  );
  const gaps = [
    ...unread.map(({ what, detail }) => `${what}: ${detail}`),
    ...(runs.kind === "unread" ? [`${runs.fault.what}: ${runs.fault.detail}`] : []),
  ];
  return {
    changes,
    ...(gaps.length === 0 ? {} : { changesGap: text`not everything could be read: ${gaps.join("; ")}` }),
  };
}
