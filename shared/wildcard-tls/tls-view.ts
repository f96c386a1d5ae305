import * as z from "zod";
import { decodeName, type Fqdn, isWithin } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import type { HostedZone } from "../dns/zones.ts";
import { type DnsView, type SourceLists, viewDns, wishesOf, zoneThere } from "../domain-move/dns-view.ts";
import { isOld, movedName } from "../domain-move/move.ts";
import { FaultError, isFault } from "../fault.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { StepContext } from "../steps/step.ts";
import { type Issuer, issuerOf } from "./issuers.ts";

/** Something that serves TLS with a Secret. */
export type SecretUser = Readonly<{
  title: string;
  /** Where the Secret has to be. */
  namespace: string;
  secret: string;
  /** What it serves with it now. */
  hosts: readonly string[];
  /** Where it is, when the Secret has to be somewhere else: that takes a ReferenceGrant there. */
  from?: string;
}>;

export type CertificateSeen = Readonly<{
  namespace: string;
  name: string;
  secret: string;
  dnsNames: readonly string[];
  /** `undefined` where it says nothing yet, or nothing about what it asks for now. */
  ready: boolean | undefined;
  message: string;
  /** Milliseconds since the epoch; undefined where it does not say. */
  since: number | undefined;
  /** What it was made from, where nobody wrote it: `Ingress web`. */
  madeFrom: string | undefined;
}>;

export type TlsView = Readonly<{
  domain: Fqdn;
  zone: HostedZone;
  recordSets: readonly RecordSet[];
  dns: DnsView;
  /** Every host below the domain that something asks for. */
  hosts: readonly string[];
  /** Who serves such a host with a Secret, or one of the old domain that is to move. */
  users: readonly SecretUser[];
  certificates: readonly CertificateSeen[];
  issuers: readonly Issuer[];
  /** Arguments of cert-manager's controller; undefined where no Deployment of it is seen. */
  controllerArgs: readonly string[] | undefined;
}>;

const ingressTls = z.looseObject({
  tls: z
    .array(z.looseObject({ hosts: z.array(z.string()).nullish(), secretName: z.string().nullish() }))
    .nullish(),
  rules: z.array(z.looseObject({ host: z.string().nullish() })).nullish(),
});

const gatewaySpec = z.looseObject({
  listeners: z
    .array(
      z.looseObject({
        name: z.string().nullish(),
        hostname: z.string().nullish(),
        tls: z
          .looseObject({
            certificateRefs: z
              .array(
                z.looseObject({
                  name: z.string(),
                  namespace: z.string().nullish(),
                  kind: z.string().nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
});

const certificate = z.looseObject({
  spec: z.looseObject({
    secretName: z.string().default(""),
    dnsNames: z.array(z.string()).nullish(),
    commonName: z.string().nullish(),
  }),
  status: z
    .looseObject({
      notAfter: z.string().nullish(),
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            message: z.string().nullish(),
            observedGeneration: z.number().optional(),
            lastTransitionTime: z.string().optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

const metadataShape = z.looseObject({
  generation: z.number().optional(),
  creationTimestamp: z.string().optional(),
  ownerReferences: z.array(z.looseObject({ kind: z.string(), name: z.string() })).optional(),
});

const routeSpec = z.looseObject({
  hostnames: z.array(z.string()).nullish(),
  parentRefs: z
    .array(
      z.looseObject({
        name: z.string(),
        namespace: z.string().nullish(),
        sectionName: z.string().nullish(),
      }),
    )
    .nullish(),
});

/** Hostnames of the routes at a listener: what it serves where it names no host itself. */
const routedTo = (gateway: KubeObject, listener: string, routes: readonly KubeObject[]): readonly string[] =>
  routes.flatMap(({ metadata, spec }) => {
    const { hostnames, parentRefs } = routeSpec.safeParse(spec).data ?? {};
    const isHere = (parentRefs ?? []).some(
      (ref) =>
        ref.name === gateway.metadata.name &&
        (ref.namespace ?? metadata.namespace) === gateway.metadata.namespace &&
        (!ref.sectionName || ref.sectionName === listener),
    );
    return isHere ? (hostnames ?? []) : [];
  });

/** Who serves TLS with which Secret, by Ingresses and Gateways. */
export const usersOf = ({ ingresses, gateways, httproutes }: SourceLists): readonly SecretUser[] => [
  ...ingresses.flatMap(({ metadata, spec }) => {
    const { tls, rules } = ingressTls.safeParse(spec).data ?? {};
    return (tls ?? []).flatMap(({ hosts, secretName }) =>
      secretName
        ? [
            {
              title: `Ingress ${metadata.namespace ?? ""}/${metadata.name}`,
              namespace: metadata.namespace ?? "default",
              secret: secretName,
              // Without hosts of its own it stands for all that the Ingress serves.
              hosts: hosts?.length ? hosts : (rules ?? []).flatMap(({ host }) => host ?? []),
            },
          ]
        : [],
    );
  }),
  ...gateways.flatMap((gateway) => {
    const { metadata, spec } = gateway;
    const own = metadata.namespace ?? "default";
    return (gatewaySpec.safeParse(spec).data?.listeners ?? []).flatMap(({ name, hostname, tls }) =>
      (tls?.certificateRefs ?? [])
        .filter(({ kind }) => !kind || kind === "Secret")
        .map((ref) => ({
          title: `Gateway ${metadata.namespace ?? ""}/${metadata.name}`,
          namespace: ref.namespace ?? own,
          secret: ref.name,
          hosts: hostname ? [hostname] : [...new Set(routedTo(gateway, name ?? "", httproutes))],
          ...(ref.namespace && ref.namespace !== own ? { from: own } : {}),
        })),
    );
  }),
];

const hostsOf = (view: DnsView, domain: Fqdn, users: readonly SecretUser[]): readonly string[] => {
  const { lists, publishers, move } = view;
  const asked = [
    ...publishers.flatMap((publisher) => wishesOf(publisher, lists).endpoints.map(({ name }) => name)),
    ...users.flatMap(({ hosts }) => hosts),
    ...lists.ingresses.flatMap(({ spec }) =>
      (ingressTls.safeParse(spec).data?.rules ?? []).flatMap(({ host }) => host ?? []),
    ),
    ...lists.gateways.flatMap(({ spec }) =>
      (gatewaySpec.safeParse(spec).data?.listeners ?? []).flatMap(({ hostname }) => hostname ?? []),
    ),
    ...lists.httproutes.flatMap(({ spec }) => {
      const { hostnames } = (spec ?? {}) as Readonly<{ hostnames?: readonly string[] }>;
      return hostnames ?? [];
    }),
  ];
  // A name that is yet to move needs its certificate under the new domain.
  const coming = asked.map((name) => (isOld(name, move) ? movedName(name, move) : decodeName(name)));
  return [...new Set(coming.filter((name) => isWithin(name.replace(/^\*\./, ""), domain)))].sort();
};

const seen = (object: KubeObject, now: number): CertificateSeen => {
  const read = certificate.safeParse(object).data;
  const ready = read?.status?.conditions?.find(({ type }) => type === "Ready");
  const { generation, ownerReferences, creationTimestamp } = metadataShape.parse(object.metadata);
  const notAfter = Date.parse(read?.status?.notAfter ?? "");
  const isOver = Number.isFinite(notAfter) && notAfter <= now;
  // A condition of an older generation says nothing of the names that are asked for now.
  const isStale =
    generation !== undefined &&
    ready?.observedGeneration !== undefined &&
    ready.observedGeneration < generation;
  const since = Date.parse(ready?.lastTransitionTime ?? creationTimestamp ?? "");
  const [owner] = ownerReferences ?? [];
  return {
    namespace: object.metadata.namespace ?? "default",
    name: object.metadata.name,
    secret: read?.spec.secretName ?? "",
    dnsNames: read?.spec.dnsNames ?? [],
    ready: ready === undefined || isStale ? undefined : ready.status === "True" && !isOver,
    message: isOver ? `it ended ${read?.status?.notAfter ?? ""}` : (ready?.message ?? ""),
    since: Number.isFinite(since) ? since : undefined,
    madeFrom: owner === undefined ? undefined : `${owner.kind} ${owner.name}`,
  };
};

const argsOf = (deployments: readonly KubeObject[]): readonly string[] | undefined => {
  const shape = z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({ image: z.string().default(""), args: z.array(z.string()).nullish() }),
        ),
      }),
    }),
  });
  const all = deployments.flatMap(({ spec }) => shape.safeParse(spec).data?.template.spec.containers ?? []);
  return all.find(({ image }) => /cert-manager-controller/.test(image))?.args ?? undefined;
};

/** A host, or a wildcard of hosts, of the domain. */
export const isBelow = (host: string, domain: string): boolean => isWithin(host.replace(/^\*\./, ""), domain);

/** Reads names, Secrets' users, Certificates and issuers. Throws FaultError, also where cert-manager is not there. */
export async function viewTls(context: Pick<StepContext, "ports" | "run" | "signal">): Promise<TlsView> {
  const dns = await viewDns(context);
  const zone = zoneThere(dns.newZone);
  const lists = await context.ports.read(["certificates", "issuers", "clusterissuers"], context.signal);
  const { certificates, issuers, clusterissuers } = lists;
  for (const listed of [certificates, issuers, clusterissuers])
    if (isFault(listed)) throw new FaultError(listed);
  const users = usersOf(dns.lists);
  const domain = dns.move.to;
  return {
    domain,
    zone,
    recordSets: await dns.read.recordSets(zone.id),
    dns,
    hosts: hostsOf(dns, domain, users),
    users: users.filter(({ hosts }) => hosts.some((host) => isBelow(host, domain) || isOld(host, dns.move))),
    certificates: (certificates as readonly KubeObject[]).map((object) =>
      seen(object, context.ports.clock.now()),
    ),
    issuers: [
      ...(clusterissuers as readonly KubeObject[]).map((object) => issuerOf("ClusterIssuer", object)),
      ...(issuers as readonly KubeObject[]).map((object) => issuerOf("Issuer", object)),
    ],
    controllerArgs: argsOf(dns.lists.deployments),
  };
}
