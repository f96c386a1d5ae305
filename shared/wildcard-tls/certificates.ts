import { stringify } from "yaml";
import type { Json } from "../json.ts";
import { dns01For, type Issuer } from "./issuers.ts";
import { uncovered, wildcardsFor } from "./levels.ts";
import type { CertificateSeen, SecretUser, TlsView } from "./tls-view.ts";

/** A Certificate as it has to be, one a namespace that needs the Secret. */
export type CertificateNeeded = Readonly<{
  namespace: string;
  name: string;
  secret: string;
  dnsNames: readonly string[];
  issuer: Issuer | undefined;
  /** Hosts it is for. */
  hosts: readonly string[];
}>;

const mostUsed = (names: readonly string[]): string | undefined =>
  [...new Set(names)].toSorted(
    (a, b) => names.filter((each) => each === b).length - names.filter((each) => each === a).length,
  )[0];

/** An issuer that can prove all of these names; an Issuer serves its own namespace alone. */
export const issuerFor = (
  issuers: readonly Issuer[],
  namespace: string,
  dnsNames: readonly string[],
): Issuer | undefined =>
  issuers
    .filter(
      (issuer) =>
        (issuer.kind === "ClusterIssuer" || issuer.namespace === namespace) &&
        dnsNames.every((name) => issuer.acme === undefined || dns01For(issuer, name) !== undefined),
    )
    // ACME before private CAs, ready before not, ClusterIssuers before Issuers.
    .toSorted(
      (a, b) =>
        Number(b.acme !== undefined) - Number(a.acme !== undefined) ||
        Number(b.ready === true) - Number(a.ready === true) ||
        Number(b.kind === "ClusterIssuer") - Number(a.kind === "ClusterIssuer"),
    )[0];

/** Where a Certificate is needed: in each namespace whose Ingresses or Gateways use a Secret, else in the given one. */
export function neededCertificates(view: TlsView, fallback: string): readonly CertificateNeeded[] {
  const { domain, hosts, users, issuers } = view;
  const base = domain.replaceAll(".", "-");
  const one = (namespace: string, mine: readonly string[], secrets: readonly string[]): CertificateNeeded => {
    const dnsNames = wildcardsFor(mine, domain);
    return {
      namespace,
      name: `wildcard-${base}`,
      secret: mostUsed(secrets) ?? `wildcard-${base}-tls`,
      dnsNames,
      issuer: issuerFor(issuers, namespace, dnsNames),
      hosts: mine,
    };
  };
  if (users.length === 0) return hosts.length === 0 ? [] : [one(fallback, hosts, [])];
  return [...new Set(users.map(({ namespace }) => namespace))].sort().map((namespace) => {
    const mine = users.filter((user) => user.namespace === namespace);
    return one(
      namespace,
      [...new Set(mine.flatMap((user: SecretUser) => user.hosts))],
      mine.map(({ secret }) => secret),
    );
  });
}

/** A Certificate of the namespace that has all the names, if there is one. */
export const standingFor = (
  { certificates }: TlsView,
  needed: CertificateNeeded,
): CertificateSeen | undefined => {
  const fitting = certificates.filter(
    (each) => each.namespace === needed.namespace && uncovered(needed.hosts, each.dnsNames).length === 0,
  );
  return fitting.find(({ ready }) => ready === true) ?? fitting[0];
};

export const manifestOf = ({ namespace, name, secret, dnsNames, issuer }: CertificateNeeded): Json => ({
  apiVersion: "cert-manager.io/v1",
  kind: "Certificate",
  metadata: { name, namespace },
  spec: {
    secretName: secret,
    dnsNames: [...dnsNames],
    privateKey: { rotationPolicy: "Always" },
    issuerRef: { group: "cert-manager.io", kind: issuer?.kind ?? "ClusterIssuer", name: issuer?.name ?? "" },
  },
});

export const manifestsText = (needed: readonly CertificateNeeded[]): string =>
  needed.map((each) => stringify(manifestOf(each))).join("---\n");
