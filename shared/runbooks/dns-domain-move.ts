import { domainMoveInputs } from "../domain-move/move.ts";
import { addHostnames } from "../steps/add-hostnames.ts";
import { coverBothDomains } from "../steps/cover-both-domains.ts";
import { dropOldHostnames } from "../steps/drop-old-hostnames.ts";
import { narrowFilter } from "../steps/narrow-filter.ts";
import { pauseDnsSync } from "../steps/pause-dns-sync.ts";
import { persistDns } from "../steps/persist-dns.ts";
import { quietPeriod } from "../steps/quiet-period.ts";
import { resumeDnsSync } from "../steps/resume-dns-sync.ts";
import type { Migration } from "../steps/runbook.ts";
import { surveyDns } from "../steps/survey-dns.ts";
import { verifyNewNames } from "../steps/verify-new-names.ts";
import { verifyOldGone } from "../steps/verify-old-gone.ts";
import { text } from "../text.ts";

/** Make before break: new names stand and are proven beside the old ones, which go a quiet period later. */
export const dnsDomainMove: Migration = {
  id: "dns-domain-move",
  title: "Names from one domain to another",
  summary: text`Has ExternalDNS look at both domains, adds new names beside the old, proves them at the site, and drops the old ones a quiet period later, before their filter`,
  inputs: domainMoveInputs,
  steps: [
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
  ],
};
