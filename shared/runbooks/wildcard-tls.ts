import type { Migration } from "../steps/runbook.ts";
import { surveyTls } from "../steps/survey-tls.ts";
import { wildcardCertificate } from "../steps/wildcard-certificate.ts";
import { text } from "../text.ts";
import { wildcardTlsInputs } from "../wildcard-tls/inputs.ts";

/** Arpeggio writes no Certificate itself: it says which are needed, hands them over, and looks whether they are ready. */
export const wildcardTls: Migration = {
  id: "wildcard-tls",
  title: "Wildcard certificates for the new domain",
  summary: text`Finds the levels that need a wildcard of their own, an issuer that can prove them by DNS-01, and the namespaces that need the Secret; hands over Certificates and waits until they are ready`,
  inputs: wildcardTlsInputs,
  steps: [surveyTls, wildcardCertificate],
};
