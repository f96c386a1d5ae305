import { type WishKind, wishKinds } from "../../dns/cluster-wishes.ts";
import { decodeName, type Fqdn, isWithin, readFqdn } from "../../dns/fqdn.ts";
import { valuesOf } from "../../dns/record-set.ts";
import { wishesOf } from "../../explain/name-facts.ts";
import { type Fault, FaultError, isFault } from "../../fault.ts";
import type { ResourceKind } from "../../kubernetes/kinds.ts";
import type { KubeObject, Listed } from "../../kubernetes/read.ts";
import { fromCluster } from "../../metallb/from-cluster.ts";
import type { Answer } from "../../probes/answer.ts";
import { type HttpAnswer, httpGet } from "../../probes/http-get.ts";
import type { Vantage } from "../../site/site.ts";
import { type Issuer, issuerOf } from "../../wildcard-tls/issuers.ts";
import { coversHost } from "../../wildcard-tls/levels.ts";
import { type SecretUser, usersOf } from "../../wildcard-tls/tls-view.ts";
import { clientVantages } from "../path/client-views.ts";
import { schemeOf, serviceFacts } from "../path/service-facts.ts";
import { type PathSubject, pathSubject } from "../path/subject.ts";
import { within } from "../path/within.ts";
import { changeKinds } from "../recent-changes.ts";
import type { DiagnoseOptions, DiagnosePorts, NoSuch } from "../runbook.ts";
import { type CertificateState, readCertificate } from "./certificate-state.ts";

export type ServedTo = Readonly<{ vantage: Vantage; answer: Answer<HttpAnswer> }>;

export type CertificateEvidence = Readonly<{
  now: number;
  lists: Readonly<Partial<Record<ResourceKind, Listed>>>;
  /** The host name that clients ask for. */
  host: Fqdn;
  ip: string | undefined;
  service: string | undefined;
  /** The port that speaks TLS; undefined where the Service has none. */
  port: number | undefined;
  served: readonly ServedTo[];
  /** Certificates that cover the host, the one that fills a used Secret first. */
  certificates: readonly CertificateState[] | Fault;
  issuers: readonly Issuer[] | Fault;
  /** What serves the host with a Secret. */
  users: readonly SecretUser[];
  /** Texts at `_acme-challenge` of the name that has to be proven; a fault where the zone could not be read. */
  challenge: Readonly<{ name: Fqdn; values: readonly string[] }> | Fault;
}>;

const wholeMs = 9_000;
const tlsPort = 443;

export const certificateKinds: readonly ResourceKind[] = [
  ...new Set<ResourceKind>([
    ...changeKinds,
    ...wishKinds,
    "certificates",
    "issuers",
    "clusterissuers",
    "nodes",
    "endpointslices",
  ]),
];

const items = (listed: Listed | undefined): readonly KubeObject[] =>
  listed === undefined || isFault(listed) ? [] : listed;

const faultOf = (...listed: readonly (Listed | undefined)[]): Fault | undefined =>
  listed.find((each) => isFault(each));

export type CertificateSubject = Readonly<{ path: PathSubject; host: Fqdn }>;

/** What a word means: a Certificate `namespace/name`, a Service, an address, or a host name. */
export function certificateSubject(
  { config }: DiagnosePorts,
  lists: CertificateEvidence["lists"],
  word: string,
): CertificateSubject | NoSuch {
  const wishes = wishesOf(config.name, lists as Readonly<Record<WishKind, Listed>>);
  const known = {
    objects: fromCluster(lists).objects,
    wishes,
    zones: config.dns?.zones.flatMap(({ name }) => {
      const read = readFqdn(name);
      return read.ok ? [read.fqdn] : [];
    }),
  };
  const named = items(lists.certificates)
    .flatMap((object) => readCertificate(object) ?? [])
    .find(({ key }) => key === word);
  const wished = wishes.views.flatMap(({ wanted }) => wanted.map(({ name }) => decodeName(name)));
  const host =
    named === undefined
      ? word
      : (named.dnsNames.find((each) => !each.startsWith("*.")) ??
        wished.find((each) => named.dnsNames.some((name) => coversHost(name, each))));
  if (host === undefined)
    return {
      noSuch: [
        `${word} is for ${named?.dnsNames.join(", ") ?? ""}, and nothing of the cluster has such a name.`,
      ],
      next: [["Name a host that it is for."]],
    };
  const path = pathSubject(known, host);
  if ("noSuch" in path) return path;
  const read = readFqdn(path.hostname ?? host);
  if (path.hostname === undefined || !read.ok)
    return {
      noSuch: [`${word} has no host name, and a certificate is for names.`],
      next: [["Name the host that clients ask for."]],
    };
  return { path, host: read.fqdn };
}

/** The name that DNS-01 has to prove: the host, or what is below the star. */
const challengeName = (certificates: readonly CertificateState[], host: Fqdn): string => {
  const covering = certificates[0]?.dnsNames.find((name) => coversHost(name, host)) ?? host;
  return `_acme-challenge.${covering.replace(/^\*\./, "")}`;
};

async function challengeAt(
  { zones }: DiagnosePorts,
  name: string,
): Promise<CertificateEvidence["challenge"]> {
  const what = `TXT at ${name}`;
  const read = readFqdn(name);
  if (!read.ok) return { kind: "unreadable", what, detail: read.problem };
  if (zones === undefined)
    return { kind: "not-configured", what, detail: "no zones are configured (dns.zones)" };
  try {
    const [zone] = (await zones.zones())
      .filter((each) => !each.private && isWithin(read.fqdn, each.name))
      .toSorted((a, b) => b.name.length - a.name.length);
    if (zone === undefined)
      return { kind: "not-configured", what, detail: "no zone of the account holds it" };
    const [set] = await zones.lookUp(zone.id, [{ name: read.fqdn, type: "TXT" }]);
    return { name: read.fqdn, values: set === undefined ? [] : valuesOf(set) };
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
}

/** Asks every client vantage for the certificate, and the API and the zone about its renewal. Throws only bugs. */
export async function gatherCertificate(
  ports: DiagnosePorts,
  lists: CertificateEvidence["lists"],
  { path, host }: CertificateSubject,
  { signal, show }: DiagnoseOptions,
): Promise<CertificateEvidence> {
  const { clock, config, shell } = ports;
  const until = clock.now() + wholeMs;
  const facts = path.service === undefined ? undefined : serviceFacts(lists.services ?? [], path.service);
  const secure = facts?.ports.find((each) => schemeOf(each) === "https")?.port;
  const port = facts === undefined ? tlsPort : secure;
  const users = usersOf({
    ingresses: items(lists.ingresses),
    gateways: items(lists.gateways),
    httproutes: items(lists.httproutes),
  } as unknown as Parameters<typeof usersOf>[0]).filter(({ hosts }) =>
    hosts.some((each) => coversHost(each, host)),
  );
  const unread = faultOf(lists.certificates);
  const covering = items(lists.certificates)
    .flatMap((object) => readCertificate(object) ?? [])
    .filter(({ dnsNames }) => dnsNames.some((name) => coversHost(name, host)));
  const isUsed = ({ namespace, secret }: CertificateState): number =>
    users.some((user) => user.namespace === namespace && user.secret === secret) ? 0 : 1;
  const certificates = covering.toSorted((a, b) => isUsed(a) - isUsed(b));
  const { ip } = path;
  show(["asking for the certificate that is served"]);
  const [served, challenge] = await Promise.all([
    Promise.all(
      ip === undefined || port === undefined
        ? []
        : clientVantages(config.vantages).map(async (vantage): Promise<ServedTo> => {
            const question = { scheme: "https", address: ip, port, name: host } as const;
            const answer = await within(
              clock,
              { until, what: `curl on ${vantage.name}`, signal },
              async (late) =>
                httpGet.read(
                  await shell({ kind: "vantage", name: vantage.name }, httpGet.argv(question), {
                    signal: late,
                  }),
                ),
            );
            return { vantage, answer };
          }),
    ),
    challengeAt(ports, challengeName(certificates, host)),
  ]);
  const issuersUnread = faultOf(lists.issuers, lists.clusterissuers);
  return {
    now: clock.now(),
    lists,
    host,
    ip,
    service: path.service,
    port,
    served,
    certificates: unread ?? certificates,
    issuers: issuersUnread ?? [
      ...items(lists.clusterissuers).map((object) => issuerOf("ClusterIssuer", object)),
      ...items(lists.issuers).map((object) => issuerOf("Issuer", object)),
    ],
    users,
    challenge,
  };
}
