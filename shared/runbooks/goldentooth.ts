import { checkMove, domainMoveShape } from "../domain-move/move.ts";
import { bgpToL2Inputs } from "../migration/inputs.ts";
import { finalVerification } from "../steps/final-verification.ts";
import type { Migration } from "../steps/runbook.ts";
import { text } from "../text.ts";
import { wildcardTlsShape } from "../wildcard-tls/inputs.ts";
import { bgpToL2 } from "./bgp-to-l2.ts";
import { dnsDomainMove } from "./dns-domain-move.ts";
import { wildcardTls } from "./wildcard-tls.ts";

/** The whole evening: addresses first, names on top of them, certificates on top of those, and one look over all. */
export const goldentooth: Migration = {
  id: "goldentooth",
  title: "From BGP and the old domain to layer 2 and the new one",
  summary: text`Runs bgp-to-l2, dns-domain-move and wildcard-tls one after another, with one verification of everything at the end`,
  inputs: bgpToL2Inputs.extend({ ...domainMoveShape, ...wildcardTlsShape }).superRefine(checkMove),
  steps: [
    ...bgpToL2.steps.filter(({ id }) => id !== finalVerification.id),
    ...dnsDomainMove.steps,
    ...wildcardTls.steps,
    finalVerification,
  ],
};
