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
  hosts: readonly string[];
}>;

export type CertificateSeen = Readonly<{
  namespace: string;
  name: string;
  secret: string;
  dnsNames: readonly string[];
  /** `undefined` where it says nothing yet. */
  ready: boolean | undefined;
  message: string;
}>;

export type TlsView = Readonly<{
  domain: Fqdn;
  zone: HostedZone;
  recordSets: readonly RecordSet[];
  dns: DnsView;
  /** Every host below the domain that something asks for. */
  hosts: readonly string[];
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
        hostname: z.string().nullish(),
        tls: z
          .looseObject({
            certificateRefs: z
              .array(z.looseObject({ name: z.string(), namespace: z.string().nullish() }))
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
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().nullish() }))
        .nullish(),
    })
    .nullish(),
});

const usersOf = ({ ingresses, gateways }: SourceLists): readonly SecretUser[] => [
  ...ingresses.flatMap(({ metadata, spec }) =>
    (ingressTls.safeParse(spec).data?.tls ?? []).flatMap(({ hosts, secretName }) =>
      secretName
        ? [
            {
              title: `Ingress ${metadata.namespace ?? ""}/${metadata.name}`,
              namespace: metadata.namespace ?? "default",
              secret: secretName,
              hosts: hosts ?? [],
            },
          ]
        : [],
    ),
  ),
  ...gateways.flatMap(({ metadata, spec }) =>
    (gatewaySpec.safeParse(spec).data?.listeners ?? []).flatMap(({ hostname, tls }) =>
      (tls?.certificateRefs ?? []).map((ref) => ({
        title: `Gateway ${metadata.namespace ?? ""}/${metadata.name}`,
        namespace: ref.namespace ?? metadata.namespace ?? "default",
        secret: ref.name,
        hosts: hostname ? [hostname] : [],
      })),
    ),
  ),
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

const seen = (object: KubeObject): CertificateSeen => {
  const read = certificate.safeParse(object).data;
  const ready = read?.status?.conditions?.find(({ type }) => type === "Ready");
  return {
    namespace: object.metadata.namespace ?? "default",
    name: object.metadata.name,
    secret: read?.spec.secretName ?? "",
    dnsNames: read?.spec.dnsNames ?? [],
    ready: ready === undefined ? undefined : ready.status === "True",
    message: ready?.message ?? "",
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
    users: users.filter(({ hosts }) => hosts.some((host) => isWithin(host.replace(/^\*\./, ""), domain))),
    certificates: (certificates as readonly KubeObject[]).map(seen),
    issuers: [
      ...(clusterissuers as readonly KubeObject[]).map((object) => issuerOf("ClusterIssuer", object)),
      ...(issuers as readonly KubeObject[]).map((object) => issuerOf("Issuer", object)),
    ],
    controllerArgs: argsOf(dns.lists.deployments),
  };
}
