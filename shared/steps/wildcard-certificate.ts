import { publishersFindings } from "../domain-move/say.ts";
import type { Finding } from "../finding.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { code, text } from "../text.ts";
import {
  type CertificateNeeded,
  manifestsText,
  neededCertificates,
  standingFor,
} from "../wildcard-tls/certificates.ts";
import { namespaceOf } from "../wildcard-tls/inputs.ts";
import { issuerTitle } from "../wildcard-tls/issuers.ts";
import { issuerFindings } from "../wildcard-tls/judge.ts";
import { type CertificateSeen, type TlsView, viewTls } from "../wildcard-tls/tls-view.ts";
import { noDeeds, type StepContext } from "./step.ts";

const pollMs = 30_000;
/** An order takes some minutes. One that has not ended after this long will not end by itself. */
const orderMs = 30 * 60_000;
const ready = text`every name that is served with a Secret has a certificate that is ready, in every namespace that uses one`;

/** Certificates that are still to be made. */
async function open(
  context: StepContext,
): Promise<Readonly<{ view: TlsView; needed: readonly CertificateNeeded[] }>> {
  const view = await viewTls(context);
  const needed = neededCertificates(view, namespaceOf(context)).filter(
    (each) => standingFor(view, each)?.ready !== true,
  );
  return { view, needed };
}

/** Names of an ExternalDNS that cannot be read would be missing here. */
const blindTo = (view: TlsView): readonly Finding[] =>
  publishersFindings(view.dns).filter(({ severity }) => severity === "unknown");

const isUnderWay = ({ ready: is, message }: CertificateSeen): boolean =>
  is === undefined || (!is && /^Issuing/i.test(message));

const waitsFor = ({ namespace }: CertificateSeen) =>
  text`What the challenge waits for: ${code(`kubectl -n ${namespace} describe challenge`)}`;

export const wildcardCertificate = defineStep({
  id: "wildcard-certificate",
  kind: "manual",
  title: "Wildcard certificates",
  proof: text`that the Secrets hold certificates for every name`,
  reversibleWhile: text`always: delete the Certificates; Secrets that were there stay`,
  unneeded: async (context) => {
    const { view, needed } = await open(context);
    return needed.length === 0 && blindTo(view).length === 0 ? ready : undefined;
  },
  ready: async (context) => {
    const { view, needed } = await open(context);
    return [
      ...blindTo(view),
      ...needed
        .flatMap((each) => issuerFindings(view, each))
        .filter(({ code: is }) => is === "issuer-without-dns01"),
    ];
  },
  plan: async (context) => {
    const { needed } = await open(context);
    const written = needed.filter(({ madeFrom }) => madeFrom === undefined);
    const made = needed.filter(({ madeFrom }) => madeFrom !== undefined);
    return {
      ...noDeeds,
      deeds:
        written.length === 0
          ? []
          : [
              {
                id: "hand-over-certificates",
                title: `hand over ${written.length} ${written.length === 1 ? "Certificate" : "Certificates"}`,
                kind: "document",
                name: `${context.run.id}-certificates.yaml`,
                text: manifestsText(written),
              },
            ],
      instructions: [
        ...made.map(
          ({ namespace, name, madeFrom = "" }) =>
            text`Certificate ${namespace}/${name} is made by cert-manager from ${madeFrom}: give that the hosts and an issuer with DNS-01; a Certificate of ours would be overwritten`,
        ),
        text`Put the file where this cluster's objects come from, or apply it: ${code(`kubectl apply -f ${context.run.id}-certificates.yaml`)}. Then say that it is done`,
        text`The challenge is a TXT record ${code("_acme-challenge")} at each level; an order takes some minutes`,
        ...(needed.length > 4
          ? [
              text`Let's Encrypt issues the same set of names five times a week at most; ${needed.length} namespaces want theirs`,
            ]
          : []),
        text`Way back: delete the Certificates`,
      ],
      prediction: needed.map(
        ({ namespace, secret, dnsNames, issuer }) =>
          text`${issuer === undefined ? "an issuer" : issuerTitle(issuer)} proves ${dnsNames.join(", ")} by DNS-01, into Secret ${namespace}/${secret}`,
      ),
      predicted: needed.map(({ namespace, name, secret, dnsNames }) => ({
        namespace,
        name,
        secret,
        dnsNames: [...dnsNames],
      })),
    };
  },
  verify: async (context) => {
    const { view, needed } = await open(context);
    const blind = blindTo(view);
    if (blind.length > 0)
      return verified("unknown", text`which names need a certificate is not known`, { findings: blind });
    if (needed.length === 0) return verified("passed", ready, { notes: { hosts: view.hosts.length } });
    const now = context.ports.clock.now();
    const findings: Finding[] = [];
    let issuing = 0;
    for (const each of needed) {
      const subject = { kind: "config", name: `Certificate ${each.namespace}/${each.name}` } as const;
      const standing = standingFor(view, each);
      if (standing === undefined)
        findings.push(
          finding(
            "certificate-missing",
            "warning",
            subject,
            text`no Certificate in ${each.namespace} has ${each.dnsNames.join(", ")}: the file is not applied yet, or it says something else`,
          ),
        );
      else if (isUnderWay(standing) && now - (standing.since ?? now) < orderMs) issuing += 1;
      else if (isUnderWay(standing))
        findings.push(
          finding(
            "certificate-stuck",
            "error",
            { kind: "config", name: `Certificate ${standing.namespace}/${standing.name}` },
            text`Certificate ${standing.namespace}/${standing.name} has been on its way for ${Math.round((now - (standing.since ?? now)) / 60_000)} min`,
            { remedy: waitsFor(standing) },
          ),
        );
      else
        findings.push(
          finding(
            "certificate-not-ready",
            "error",
            { kind: "config", name: `Certificate ${standing.namespace}/${standing.name}` },
            text`Certificate ${standing.namespace}/${standing.name} is not ready: ${standing.message || "it does not say why"}`,
            { remedy: waitsFor(standing) },
          ),
        );
    }
    return findings.length === 0
      ? verified("waiting", text`${issuing} certificates are being issued`, {
          until: now + pollMs,
        })
      : verified("failed", text`${findings.length} of ${needed.length} certificates are not there`, {
          findings,
        });
  },
});
