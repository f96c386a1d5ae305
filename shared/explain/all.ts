import { clientSide } from "./client-side.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { dnssecBroken } from "./dnssec-broken.ts";
import { hiddenByDelegation } from "./hidden-by-delegation.ts";
import { lameServer } from "./lame-server.ts";
import { negativeCache } from "./negative-cache.ts";
import { notDelegated } from "./not-delegated.ts";
import { notInSync } from "./not-in-sync.ts";
import { otherDelegation } from "./other-delegation.ts";
import { privateAddressFilter } from "./private-address-filter.ts";
import { privateZoneOnly } from "./private-zone-only.ts";
import { serverUnreachable } from "./server-unreachable.ts";
import { shadowed } from "./shadowed.ts";
import { splitHorizon } from "./split-horizon.ts";
import { staleCache } from "./stale-cache.ts";
import { wrongOwner } from "./wrong-owner.ts";
import { wrongTwinZone } from "./wrong-twin-zone.ts";

/**
 * In causal order, from the delegation down to the client: of several that are certain the first explains the others
 * rather than the other way round.
 */
export const diagnoses: readonly Diagnosis[] = [
  notDelegated,
  wrongTwinZone,
  otherDelegation,
  privateZoneOnly,
  hiddenByDelegation,
  shadowed,
  dnssecBroken,
  lameServer,
  serverUnreachable,
  notInSync,
  wrongOwner,
  privateAddressFilter,
  splitHorizon,
  negativeCache,
  staleCache,
  clientSide,
];
