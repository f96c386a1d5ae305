import { stringify } from "yaml";
import { decodeName } from "../dns/fqdn.ts";
import { isOld, movedName } from "../domain-move/move.ts";
import type { Json } from "../json.ts";
import { dns01For, type Issuer } from "./issuers.ts";
import { uncovered, wildcardsFor } from "./levels.ts";
import { type CertificateSeen, isBelow, type TlsView } from "./tls-view.ts";

/** A Certificate as it has to be, one for each Secret of each namespace. */
export type CertificateNeeded = Readonly<{
  namespace: string;
  name: string;
  /** The Secret: `used` by somebody already, or `proposed` where none is named yet. */
  secret: string;
  secretIs: "used" | "proposed";
  dnsNames: readonly string[];
  issuer: Issuer | undefined;
  /** Hosts it is for. */
  hosts: readonly string[];
  /** What cert-manager makes it from by itself: then nobody has to write it. */
  madeFrom: string | undefined;
}>;

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

type Wish = Readonly<{
  namespace: string;
  secret: string;
  secretIs: CertificateNeeded["secretIs"];
  hosts: readonly string[];
}>;

/**
 * What users of Secrets need: a Secret that serves the new domain has to hold all that it serves; one that serves the old
 * domain alone keeps its certificate, and the new names get a Secret of their own beside it.
 */
const wishesOf = ({ domain, users, dns: { move } }: TlsView, proposed: string): readonly Wish[] =>
  users.map(({ namespace, secret, hosts }) =>
    hosts.some((host) => isBelow(host, domain))
      ? { namespace, secret, secretIs: "used", hosts: hosts.map((host) => decodeName(host)) }
      : {
          namespace,
          secret: proposed,
          secretIs: "proposed",
          hosts: hosts.filter((host) => isOld(host, move)).map((host) => movedName(host, move)),
        },
  );

/** Where a Certificate is needed: for each Secret that Ingresses or Gateways use, else one in the given namespace. */
export function neededCertificates(view: TlsView, fallback: string): readonly CertificateNeeded[] {
  const { domain, hosts, users, issuers, certificates } = view;
  const base = domain.replaceAll(".", "-");
  const proposed = `wildcard-${base}-tls`;
  const wishes: readonly Wish[] =
    users.length > 0
      ? wishesOf(view, proposed)
      : hosts.length > 0
        ? [{ namespace: fallback, secret: proposed, secretIs: "proposed", hosts }]
        : [];
  const taken = new Set(certificates.map(({ namespace, name }) => `${namespace}/${name}`));
  const secrets = [...new Set(wishes.map(({ namespace, secret }) => `${namespace}/${secret}`))].sort();
  return secrets.map((key) => {
    const mine = wishes.filter(({ namespace, secret }) => `${namespace}/${secret}` === key);
    const { namespace, secret } = mine[0] as Wish;
    const all = [...new Set(mine.flatMap((each) => each.hosts))].sort();
    // Two Certificates for one Secret would overwrite each other for ever.
    const maker = certificates.find((each) => each.namespace === namespace && each.secret === secret);
    const names = [`wildcard-${base}`, secret, `wildcard-${base}-${secret}`];
    const name = maker?.name ?? names.find((each) => !taken.has(`${namespace}/${each}`)) ?? secret;
    taken.add(`${namespace}/${name}`);
    const dnsNames = [
      ...new Set([
        ...wildcardsFor(all, domain),
        ...all.filter((host) => !isBelow(host, domain)),
        ...(maker?.dnsNames ?? []),
      ]),
    ];
    return {
      namespace,
      name,
      secret,
      secretIs: mine.some(({ secretIs }) => secretIs === "used") ? "used" : "proposed",
      dnsNames,
      issuer: issuerFor(issuers, namespace, dnsNames),
      hosts: all,
      madeFrom: maker?.madeFrom,
    };
  });
}

/**
 * A Certificate of the namespace that has all the names, if there is one. Where a Secret is used by its name, only the
 * Certificate that fills that Secret is one.
 */
export const standingFor = (
  { certificates }: TlsView,
  needed: CertificateNeeded,
): CertificateSeen | undefined => {
  const fitting = certificates.filter(
    (each) =>
      each.namespace === needed.namespace &&
      (needed.secretIs === "proposed" || each.secret === needed.secret) &&
      uncovered(needed.hosts, each.dnsNames).length === 0,
  );
  return fitting.find(({ ready }) => ready === true) ?? fitting[0];
};

/** Hosts of the domain for which nothing uses a Secret: whoever serves them does so without one, or without TLS. */
export const servedWithout = (view: TlsView, needed: readonly CertificateNeeded[]): readonly string[] =>
  view.users.length === 0
    ? []
    : view.hosts.filter((host) => !needed.some(({ hosts }) => hosts.includes(host)));

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
