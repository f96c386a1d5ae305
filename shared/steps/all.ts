import { addHostnames } from "./add-hostnames.ts";
import { canary } from "./canary.ts";
import { coverBothDomains } from "./cover-both-domains.ts";
import { createL2Advertisement } from "./create-l2advertisement.ts";
import { drillExclude } from "./drill-exclude.ts";
import { drillInclude } from "./drill-include.ts";
import { drillLeaderBack } from "./drill-leader-back.ts";
import { drillSurvey } from "./drill-survey.ts";
import { dropOldHostnames } from "./drop-old-hostnames.ts";
import { finalVerification } from "./final-verification.ts";
import { fixNodeChange } from "./fix-node-change.ts";
import { fixNodeConfirm } from "./fix-node-confirm.ts";
import { fixNodeSurvey } from "./fix-node-survey.ts";
import { fixNodeVerify } from "./fix-node-verify.ts";
import { frrOff } from "./frr-off.ts";
import { narrowFilter } from "./narrow-filter.ts";
import { nodeInterfaces } from "./node-interfaces.ts";
import { pauseDnsSync } from "./pause-dns-sync.ts";
import { pauseSync } from "./pause-sync.ts";
import { persist } from "./persist.ts";
import { persistDns } from "./persist-dns.ts";
import { proveOnWire } from "./prove-on-wire.ts";
import { quietPeriod } from "./quiet-period.ts";
import { removeBfdProfiles } from "./remove-bfd-profiles.ts";
import { removeBgpPeers } from "./remove-bgp-peers.ts";
import { removeCanary } from "./remove-canary.ts";
import { removeCommunities } from "./remove-communities.ts";
import { resumeDnsSync } from "./resume-dns-sync.ts";
import { resumeSync } from "./resume-sync.ts";
import { router } from "./router.ts";
import { snapshot } from "./snapshot.ts";
import type { Step } from "./step.ts";
import { survey } from "./survey.ts";
import { surveyDns } from "./survey-dns.ts";
import { surveyTls } from "./survey-tls.ts";
import { verifyNewNames } from "./verify-new-names.ts";
import { verifyOldGone } from "./verify-old-gone.ts";
import { wildcardCertificate } from "./wildcard-certificate.ts";
import { withdrawBgp } from "./withdraw-bgp.ts";

/** Every step that a runbook may use, whatever its order there. */
export const steps: readonly Step[] = [
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
  surveyDns,
  pauseDnsSync,
  coverBothDomains,
  addHostnames,
  verifyNewNames,
  quietPeriod,
  dropOldHostnames,
  verifyOldGone,
  narrowFilter,
  persistDns,
  resumeDnsSync,
  surveyTls,
  wildcardCertificate,
  drillSurvey,
  drillExclude,
  drillInclude,
  drillLeaderBack,
  fixNodeSurvey,
  fixNodeChange,
  fixNodeConfirm,
  fixNodeVerify,
];
