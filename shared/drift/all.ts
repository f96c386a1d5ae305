import { addressNotAnnounced } from "./address-not-announced.ts";
import { addressNotTheServices } from "./address-not-the-services.ts";
import { annotationIgnored } from "./annotation-ignored.ts";
import type { DriftKind } from "./drift.ts";
import { externalDnsCrash } from "./external-dns-crash.ts";
import { oldDomain } from "./old-domain.ts";
import { recordForeign } from "./record-foreign.ts";
import { recordMissing } from "./record-missing.ts";
import { recordOrphaned } from "./record-orphaned.ts";
import { recordTtl } from "./record-ttl.ts";
import { recordUnownable } from "./record-unownable.ts";
import { recordUnowned } from "./record-unowned.ts";
import { recordWrongTarget } from "./record-wrong-target.ts";
import { rewrittenEveryRound } from "./rewritten-every-round.ts";
import type { Scene } from "./scene.ts";
import { staleResource } from "./stale-resource.ts";
import { twoClaimants } from "./two-claimants.ts";
import { txtBlocksDelete } from "./txt-blocks-delete.ts";
import { txtDangling } from "./txt-dangling.ts";
import { txtLeftover } from "./txt-leftover.ts";
import { txtMissing } from "./txt-missing.ts";
import { txtNotRecognised } from "./txt-not-recognised.ts";
import { txtUnreadable } from "./txt-unreadable.ts";

/** Every kind of drift; each has its page in docs/drift. */
export const driftKinds: readonly DriftKind<Scene>[] = [
  externalDnsCrash,
  recordMissing,
  recordWrongTarget,
  recordTtl,
  recordOrphaned,
  recordUnowned,
  recordForeign,
  recordUnownable,
  txtMissing,
  txtDangling,
  txtBlocksDelete,
  txtLeftover,
  txtNotRecognised,
  txtUnreadable,
  staleResource,
  twoClaimants,
  oldDomain,
  annotationIgnored,
  addressNotTheServices,
  addressNotAnnounced,
  rewrittenEveryRound,
];
