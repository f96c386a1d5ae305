import { isFault } from "../../fault.ts";
import { type Finding, isFailure, type NonEmpty } from "../../finding.ts";
import { code, type Text, text } from "../../text.ts";
import type { Cause, Conclusion } from "../diagnosis.ts";
import { lasted } from "../lasted.ts";
import type { Link } from "../link.ts";
import type { CertificateEvidence } from "./gather-certificate.ts";
import { leftWords, objectOf, shown } from "./judge-certificate.ts";

/** Every cause that `certificate-expiring` can name; each has its words on `docs/runbooks/certificate-expiring.md`. */
export const certificateCodes = [
  "certificate-expired",
  "certificate-expiring",
  "certificate-not-yet",
  "certificate-other-name",
  "certificate-untrusted",
  "certificate-not-reloaded",
  "certificate-elsewhere",
  "certificate-not-issued",
  "certificate-not-renewed",
  "secret-out-of-reach",
  "issuer-missing",
  "issuer-not-ready",
  "issuer-without-dns01",
  "challenge-pending",
  "challenge-not-presented",
  "no-tls",
  "not-reached",
] as const;

/** What explains what: a symptom is left out where one of its reasons stands. */
const explainedBy: Readonly<Record<string, readonly string[]>> = {
  "certificate-expired": ["certificate-not-reloaded", "certificate-not-renewed", "certificate-not-issued"],
  "certificate-expiring": ["certificate-not-reloaded", "certificate-not-renewed", "certificate-not-issued"],
  "certificate-not-renewed": [
    "certificate-not-issued",
    "issuer-missing",
    "issuer-not-ready",
    "issuer-without-dns01",
    "challenge-pending",
    "challenge-not-presented",
  ],
  "certificate-not-issued": [
    "issuer-missing",
    "issuer-not-ready",
    "issuer-without-dns01",
    "challenge-pending",
    "challenge-not-presented",
  ],
  "challenge-not-presented": ["issuer-missing", "issuer-not-ready", "issuer-without-dns01"],
};

function nextFor(evidence: CertificateEvidence, name: string): NonEmpty<Text> {
  const { host, service, ip } = evidence;
  const object = objectOf(evidence);
  const describe = text`What cert-manager says: ${code(`kubectl -n ${object?.namespace ?? ""} describe certificate ${object?.name ?? ""}`)}`;
  const byHand = text`Nothing renews it by itself: find out who made it, or let cert-manager (${code("/migrate plan wildcard-tls")})`;
  switch (name) {
    case "certificate-not-reloaded":
      return [
        text`Let the server of ${service ?? host} take up its Secret: a restart of its pods does`,
        text`Then look again: ${code(`/runbook run certificate-expiring ${host}`)}`,
      ];
    case "certificate-elsewhere":
      return [
        text`See which Secret the server of ${service ?? host} uses: it is not ${object?.namespace ?? ""}/${object?.secret ?? ""}`,
      ];
    case "certificate-expired":
    case "certificate-expiring":
      return [object === undefined ? byHand : describe];
    case "certificate-not-issued":
    case "certificate-not-renewed":
      return [
        describe,
        text`Then its request: ${code(`kubectl -n ${object?.namespace ?? ""} get certificaterequests,orders,challenges`)}`,
      ];
    case "challenge-pending":
      return [
        text`See whether the world resolves it: ${code(`/dns explain _acme-challenge.${host}`)}`,
        describe,
      ];
    case "challenge-not-presented":
      return [
        text`See why it cannot write: ${code(`kubectl -n ${object?.namespace ?? ""} describe challenges`)}`,
        describe,
      ];
    case "issuer-missing":
    case "issuer-not-ready":
    case "issuer-without-dns01":
      return [
        text`See the issuer: ${code("kubectl get clusterissuers,issuers -A")}`,
        text`What a wildcard takes: ${code("/migrate plan wildcard-tls")}`,
      ];
    case "secret-out-of-reach":
      return [
        text`Name the Secret that the Certificate fills, or have one filled there: ${code("/migrate plan wildcard-tls")}`,
      ];
    case "not-reached":
      return [
        text`It is no matter of certificates: ${code(`/runbook run service-unreachable ${service ?? ip ?? host}`)}`,
      ];
    default:
      return [text`See what is served: ${code(`/runbook run service-unreachable ${service ?? ip ?? host}`)}`];
  }
}

/** Reasons before symptoms; each that is left is certain by itself. Pure. */
export function concludeCertificate(evidence: CertificateEvidence, links: readonly Link[]): Conclusion {
  const { host, now, service } = evidence;
  const failed = links.flatMap((link) =>
    link.outcome === "failed" ? link.findings.filter(isFailure).map((finding) => ({ link, finding })) : [],
  );
  const names = new Set(failed.map(({ finding }) => finding.code));
  const left = failed.filter(
    ({ finding }) => !(explainedBy[finding.code] ?? []).some((reason) => names.has(reason)),
  );
  const object = objectOf(evidence);
  const [seen] = shown(evidence);
  const textOf = ({ code: name, text: said }: Finding): Text => {
    const symptom =
      seen === undefined ? [] : text`; clients are shown one with ${leftWords(seen.certificate.until, now)}`;
    if (name === "certificate-expired" || name === "certificate-expiring")
      return object === undefined
        ? text`the certificate of ${host}: ${said}, and no Certificate object renews it`
        : text`the certificate of ${host}: ${said}`;
    if (name === "certificate-not-reloaded")
      return text`${service ?? host} still serves its old certificate (${leftWords(seen?.certificate.until ?? now, now)}), although ${object?.key ?? ""} was renewed`;
    if (name === "certificate-elsewhere")
      return text`${service ?? host} serves another certificate than the one ${object?.key ?? ""} made`;
    if (name === "certificate-not-issued" || name === "certificate-not-renewed")
      return text`cert-manager does not renew ${object?.key ?? ""}: ${said}${symptom}`;
    return said;
  };
  const causes = left.map(
    ({ link, finding }): Cause => ({
      code: finding.code,
      link: link.id,
      text: textOf(finding),
      next: nextFor(evidence, finding.code),
    }),
  );
  const distinct = causes.filter((each, i) => causes.findIndex((other) => other.code === each.code) === i);
  const [first, ...also] = distinct;
  if (first !== undefined) return { kind: "cause", cause: first, also };
  const blind = links.find((link) => link.outcome === "unknown");
  if (blind?.outcome === "unknown")
    return {
      kind: "unknown",
      text: text`whether ${host} will be served tomorrow cannot be told: ${blind.fault.what}: ${blind.fault.detail}`,
    };
  if (seen === undefined)
    return {
      kind: "unknown",
      text: text`no certificate of ${host} was seen: ${service ?? host} has no port that speaks TLS`,
    };
  const who =
    object === undefined
      ? "nobody in the cluster renews it"
      : `cert-manager renews it${object.renewalTime === undefined ? "" : ` in ${lasted(object.renewalTime - now)}`} (${object.key})`;
  return {
    kind: "healthy",
    text: text`${host} is served with a certificate that has ${leftWords(seen.certificate.until, now)}; ${isFault(evidence.certificates) && evidence.certificates.kind === "not-configured" ? "the cluster has no cert-manager" : who}`,
  };
}
