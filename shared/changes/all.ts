import { announcementStatuses, announcerMoves } from "./announcer-moves.ts";
import { beingDeleted } from "./being-deleted.ts";
import type { Collector } from "./collector.ts";
import { conditionFlips } from "./condition-flips.ts";
import { created } from "./created.ts";
import { fieldWrites } from "./field-writes.ts";
import { gitOpsSyncs } from "./gitops-syncs.ts";
import { podStarts } from "./pod-starts.ts";
import { reportedEvents } from "./reported-events.ts";

/** Every source in the cluster that tells of a change. The ledger's runs are read beside it, by `runs.ts`. */
export const collectors: readonly Collector[] = [
  announcerMoves,
  announcementStatuses,
  reportedEvents,
  created,
  beingDeleted,
  fieldWrites,
  conditionFlips,
  podStarts,
  gitOpsSyncs,
];
