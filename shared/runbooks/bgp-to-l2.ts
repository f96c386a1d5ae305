import { bgpToL2Inputs } from "../migration/inputs.ts";
import { canary } from "../steps/canary.ts";
import { createL2Advertisement } from "../steps/create-l2advertisement.ts";
import { finalVerification } from "../steps/final-verification.ts";
import { frrOff } from "../steps/frr-off.ts";
import { nodeInterfaces } from "../steps/node-interfaces.ts";
import { pauseSync } from "../steps/pause-sync.ts";
import { persist } from "../steps/persist.ts";
import { proveOnWire } from "../steps/prove-on-wire.ts";
import { removeBfdProfiles } from "../steps/remove-bfd-profiles.ts";
import { removeBgpPeers } from "../steps/remove-bgp-peers.ts";
import { removeCanary } from "../steps/remove-canary.ts";
import { removeCommunities } from "../steps/remove-communities.ts";
import { resumeSync } from "../steps/resume-sync.ts";
import { router } from "../steps/router.ts";
import type { Migration } from "../steps/runbook.ts";
import { snapshot } from "../steps/snapshot.ts";
import { survey } from "../steps/survey.ts";
import { withdrawBgp } from "../steps/withdraw-bgp.ts";
import { text } from "../text.ts";

/** Make before break: layer 2 stands and is proven, one address goes first, and only then BGP is withdrawn. */
export const bgpToL2: Migration = {
  id: "bgp-to-l2",
  title: "MetalLB from BGP to layer 2",
  summary: text`Announces every address on the segment beside BGP, proves it from outside, lets one address go first, and only then withdraws BGP and what belongs to it`,
  inputs: bgpToL2Inputs,
  steps: [
    survey,
    snapshot,
    nodeInterfaces,
    pauseSync,
    createL2Advertisement,
    proveOnWire,
    router,
    canary,
    withdrawBgp,
    removeCanary,
    removeBgpPeers,
    removeBfdProfiles,
    removeCommunities,
    frrOff,
    persist,
    resumeSync,
    finalVerification,
  ],
};
