import { isWithin, labelsOf } from "../dns/fqdn.ts";
import { valuesOf } from "../dns/record-set.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../migration/define-step.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import type { CertificateNeeded } from "./certificates.ts";
import { caaDomain, dns01For, type Issuer, isAmbient, issuerTitle, type Solver } from "./issuers.ts";
import { uncovered } from "./levels.ts";
import type { TlsView } from "./tls-view.ts";

const subjectOf = (issuer: Issuer) => ({ kind: "config", name: issuerTitle(issuer) }) as const;

const solverSnippet = (view: TlsView) =>
  code(`dns01: {route53: {hostedZoneID: ${view.zone.id}}}, selector: {dnsZones: [${view.zone.name}]}`);

const solversOf = (issuer: Issuer, dnsNames: readonly string[]): ReadonlySet<Solver> =>
  new Set(
    dnsNames.flatMap((name) => {
      const found = dns01For(issuer, name);
      return found === undefined ? [] : [found];
    }),
  );

/** Whether some issuer can prove these names, and what is wrong with the one that would be taken. */
export function issuerFindings(view: TlsView, needed: CertificateNeeded): readonly Finding[] {
  const { issuers, zone } = view;
  const { issuer, dnsNames, namespace } = needed;
  if (issuer === undefined) {
    const http = issuers.filter(({ acme }) => acme?.solvers.some(({ dns01 }) => !dns01));
    return [
      finding(
        "issuer-without-dns01",
        "error",
        { kind: "config", name: `namespace ${namespace}` },
        issuers.length === 0
          ? text`there is no Issuer and no ClusterIssuer`
          : text`no issuer that ${namespace} may use can prove ${dnsNames.join(", ")}: a wildcard needs a DNS-01 solver for the name, ${http.length === 0 ? "and none has one" : text`and ${nameList(http.map(issuerTitle))} has HTTP-01, which can never prove one`}`,
        {
          facts: { issuers: issuers.map(issuerTitle) },
          remedy: text`Add a solver to a ClusterIssuer: ${solverSnippet(view)}; its rights: GetChange, and ChangeResourceRecordSets and ListResourceRecordSets on the zone`,
        },
      ),
    ];
  }
  const findings: Finding[] = [];
  if (issuer.ready === false)
    findings.push(
      finding(
        "issuer-not-ready",
        "warning",
        subjectOf(issuer),
        text`${issuerTitle(issuer)} is not ready: ${issuer.message}`,
      ),
    );
  for (const solver of solversOf(issuer, dnsNames)) {
    const aws = solver.dns01?.route53;
    if (!aws)
      findings.push(
        finding(
          "solver-elsewhere",
          "warning",
          subjectOf(issuer),
          text`${issuerTitle(issuer)} answers challenges for ${zone.name} through ${Object.keys(solver.dns01 ?? {}).join(", ")}, and the zone is in Route 53`,
          { remedy: text`Add a solver for it: ${solverSnippet(view)}` },
        ),
      );
    else if (aws.hostedZoneID && aws.hostedZoneID !== zone.id)
      findings.push(
        finding(
          "solver-other-zone",
          "warning",
          subjectOf(issuer),
          text`${issuerTitle(issuer)} writes its challenges into zone ${aws.hostedZoneID}, and ${zone.name} is ${zone.id}`,
        ),
      );
    if (issuer.kind === "Issuer" && isAmbient(solver))
      findings.push(
        finding(
          "ambient-credentials",
          "info",
          subjectOf(issuer),
          text`${issuerTitle(issuer)} has no credentials of its own; those of the pod count for a ClusterIssuer only, unless cert-manager runs with ${code("--issuer-ambient-credentials")}`,
        ),
      );
  }
  return findings;
}

/** CAA nearest above a name decides; `issuewild` outranks `issue` for wildcards (RFC 8659). */
export function caaFindings(view: TlsView, needed: readonly CertificateNeeded[]): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const { dnsNames, issuer } of needed) {
    // A private CA asks nobody.
    if (issuer?.acme === undefined) continue;
    const ca = caaDomain(issuer);
    for (const name of dnsNames) {
      const labels = labelsOf(name.replace(/^\*\./, ""));
      const above = labels
        .map((_, i) => labels.slice(i).join("."))
        .filter((each) => isWithin(each, view.zone.name));
      const set = above
        .map((at) => view.recordSets.find((each) => each.name === at && each.type === "CAA"))
        .find((each) => each !== undefined);
      if (set === undefined) continue;
      const values = valuesOf(set).map((value) => {
        const [, tag = "", text = ""] = /^\d+\s+(\w+)\s+"?([^"]*)"?$/.exec(value.trim()) ?? [];
        return { tag: tag.toLowerCase(), ca: text.split(";")[0]?.trim() ?? "" };
      });
      const wild = values.filter(({ tag }) => tag === "issuewild");
      const counts =
        name.startsWith("*.") && wild.length > 0 ? wild : values.filter(({ tag }) => tag === "issue");
      if (counts.length === 0) continue;
      if (ca === undefined) {
        findings.set(
          set.name,
          finding(
            "caa-unjudged",
            "info",
            { kind: "record", name: `${set.name} CAA` },
            text`the CAA record of ${set.name} lets ${nameList(counts.map((each) => each.ca || "nobody"))} issue; how the CA at ${issuer.acme.server} calls itself there is not known here`,
          ),
        );
        continue;
      }
      if (counts.some((each) => each.ca === ca)) continue;
      findings.set(
        set.name,
        finding(
          "caa-forbids",
          "error",
          { kind: "record", name: `${set.name} CAA` },
          text`the CAA record of ${set.name} lets ${nameList(counts.map((each) => each.ca || "nobody"))} issue, and ${ca} would have to`,
          { remedy: text`Add ${code(`0 issuewild "${ca}"`)} to it` },
        ),
      );
    }
  }
  return [...findings.values()];
}

/** Certificates that look as if they covered the domain and do not: `*` matches one label. */
export const tooShort = ({ certificates, domain, hosts, zone }: TlsView): readonly Finding[] =>
  certificates
    .filter(({ dnsNames }) =>
      dnsNames.some(
        (name) =>
          name.startsWith("*.") && isWithin(domain, name.slice(2)) && isWithin(name.slice(2), zone.name),
      ),
    )
    .flatMap(({ namespace, name, dnsNames }) => {
      const left = uncovered(hosts, dnsNames);
      return left.length === 0
        ? []
        : [
            finding(
              "wildcard-too-short",
              "warning",
              { kind: "config", name: `Certificate ${namespace}/${name}` },
              text`Certificate ${namespace}/${name} is for ${dnsNames.join(", ")}: the star stands for one label, so ${nameList(left)} is not covered`,
              { facts: { uncovered: [...left] } },
            ),
          ];
    });

/** A Gateway may use a Secret of another namespace only where a ReferenceGrant there says so. */
export const grantsNeeded = ({ users }: TlsView): readonly Finding[] =>
  users.flatMap(({ title, namespace, secret, from }) =>
    from === undefined
      ? []
      : [
          finding(
            "reference-grant-needed",
            "info",
            { kind: "config", name: title },
            text`${title} uses Secret ${secret} of ${namespace}: without a ReferenceGrant in ${namespace} for Gateways of ${from} it gets none, and whether there is one is not looked at`,
            { remedy: text`See it: ${code(`kubectl -n ${namespace} get referencegrants`)}` },
          ),
        ],
  );

/** A Secret is seen in its own namespace only. */
export const outOfReach = ({ users, certificates }: TlsView): readonly Finding[] =>
  users.flatMap(({ title, namespace, secret }) => {
    const makers = certificates.filter((each) => each.secret === secret);
    return makers.length === 0 || makers.some((each) => each.namespace === namespace)
      ? []
      : [
          finding(
            "secret-out-of-reach",
            "warning",
            { kind: "config", name: title },
            text`${title} uses Secret ${secret} of ${namespace}, and the Certificate that makes it is in ${nameList(makers.map((each) => each.namespace))}: a Secret is seen in its own namespace only`,
          ),
        ];
  });
