import * as z from "zod";
import { providerSpecificShape } from "./endpoint-json.ts";

const text = z.string();
const stringMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});

const list = <Shape extends z.ZodType>(shape: Shape) =>
  z
    .array(shape)
    .nullish()
    .transform((items): z.output<Shape>[] => items ?? []);

const metadata = z
  .looseObject({
    name: text.nullish(),
    namespace: text.nullish(),
    annotations: stringMap,
    labels: stringMap,
    generation: z.number().nullish(),
  })
  .transform((given) => ({
    name: given.name ?? "",
    namespace: given.namespace ?? "default",
    annotations: given.annotations,
    labels: given.labels,
  }));

const loadBalancer = z
  .looseObject({
    loadBalancer: z
      .looseObject({ ingress: list(z.looseObject({ ip: text.nullish(), hostname: text.nullish() })) })
      .nullish(),
  })
  .nullish()
  .transform((status) => status?.loadBalancer?.ingress ?? []);

const service = z.looseObject({
  metadata,
  spec: z
    .looseObject({
      type: text.nullish(),
      clusterIP: text.nullish(),
      externalIPs: list(text),
      externalName: text.nullish(),
    })
    .nullish()
    .transform((spec) => ({
      type: spec?.type ?? "ClusterIP",
      clusterIp: spec?.clusterIP ?? "",
      externalIps: spec?.externalIPs ?? [],
      externalName: spec?.externalName ?? "",
    })),
  status: loadBalancer,
});

const ingress = z.looseObject({
  metadata,
  spec: z
    .looseObject({
      ingressClassName: text.nullish(),
      rules: list(z.looseObject({ host: text.nullish() })),
      tls: list(z.looseObject({ hosts: list(text) })),
    })
    .nullish(),
  status: loadBalancer,
});

const condition = z.looseObject({ type: text, status: text });

const parentRef = z.looseObject({
  group: text.nullish(),
  kind: text.nullish(),
  namespace: text.nullish(),
  name: text,
  sectionName: text.nullish(),
  port: z.number().nullish(),
});

const selector = z.looseObject({
  matchLabels: stringMap,
  matchExpressions: list(z.looseObject({ key: text, operator: text, values: list(text) })),
});

const listener = z.looseObject({
  name: text,
  hostname: text.nullish(),
  port: z.number().nullish(),
  protocol: text,
  allowedRoutes: z
    .looseObject({
      namespaces: z.looseObject({ from: text.nullish(), selector: selector.nullish() }).nullish(),
      kinds: list(z.looseObject({ group: text.nullish(), kind: text })),
    })
    .nullish(),
});

const gateway = z.looseObject({
  metadata,
  spec: z
    .looseObject({ listeners: list(listener) })
    .nullish()
    .transform((spec) => ({ listeners: spec?.listeners ?? [] })),
  status: z
    .looseObject({ addresses: list(z.looseObject({ value: text })) })
    .nullish()
    .transform((status) => ({ addresses: status?.addresses ?? [] })),
});

const route = z.looseObject({
  kind: text,
  metadata,
  spec: z
    .looseObject({ hostnames: list(text), parentRefs: list(parentRef) })
    .nullish()
    .transform((spec) => ({ hostnames: spec?.hostnames ?? [], parentRefs: spec?.parentRefs ?? [] })),
  status: z
    .looseObject({ parents: list(z.looseObject({ parentRef, conditions: list(condition) })) })
    .nullish()
    .transform((status) => ({ parents: status?.parents ?? [] })),
});

const namespace = z.looseObject({ metadata });

const dnsEndpoint = z.looseObject({
  metadata,
  spec: z
    .looseObject({
      endpoints: list(
        z
          .looseObject({
            dnsName: text.nullish(),
            recordType: text.nullish(),
            targets: list(text),
            recordTTL: z.number().int().min(0).max(2_147_483_647).nullish(),
            setIdentifier: text.nullish(),
            labels: z.record(z.string(), z.string()).nullish(),
            providerSpecific: providerSpecificShape.nullish(),
          })
          .nullable(),
      ),
    })
    .nullish()
    .transform((spec) => ({ endpoints: spec?.endpoints ?? [] })),
});

export type Metadata = z.output<typeof metadata>;
export type Service = z.output<typeof service>;
export type Ingress = z.output<typeof ingress>;
export type Gateway = z.output<typeof gateway>;
export type Route = z.output<typeof route>;
export type Listener = z.output<typeof listener>;
export type LabelSelector = z.output<typeof selector>;
export type DnsEndpoint = z.output<typeof dnsEndpoint>;

/** The objects of a dump that ExternalDNS's sources look at. */
export type SourceObjects = Readonly<{
  services: readonly Service[];
  ingresses: readonly Ingress[];
  gateways: readonly Gateway[];
  routes: readonly Route[];
  namespaces: readonly z.output<typeof namespace>[];
  dnsEndpoints: readonly DnsEndpoint[];
  /** Kinds other sources read, which nothing here models, with how many there are. */
  others: Readonly<Record<string, number>>;
}>;

export type ReadSourceObjects =
  | Readonly<{ ok: true; objects: SourceObjects }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

const routeKinds = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];

/** Read by other sources of ExternalDNS; the group tells Istio's Gateway from that of the Gateway API. */
const otherKinds = [
  "VirtualService",
  "HTTPProxy",
  "TransportServer",
  "VirtualServer",
  "RouteGroup",
  "IngressRoute",
  "IngressRouteTCP",
  "IngressRouteUDP",
  "TCPIngress",
  "Host",
  "ListenerSet",
];

const expected =
  "expected what kubectl get services,ingresses,gateways,httproutes,dnsendpoints -A -o json prints";

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lists may hold lists, as several commands' outputs put into one array do. */
function flatten(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(flatten);
  if (isObject(value) && Array.isArray(value.items)) {
    const kind = typeof value.kind === "string" ? value.kind.replace(/List$/, "") : "";
    return value.items.map((item) =>
      isObject(item) && item.kind === undefined && kind !== "" ? { kind, ...item } : item,
    );
  }
  return [value];
}

/** Reads a dump, every problem at once. Objects of other kinds are left alone. */
export function readSourceObjects(content: string): ReadSourceObjects {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.replace(/^\uFEFF/, ""));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [`not JSON (${detail}); ${expected}`] };
  }
  const problems: string[] = [];
  const found = {
    services: [] as Service[],
    ingresses: [] as Ingress[],
    gateways: [] as Gateway[],
    routes: [] as Route[],
    namespaces: [] as z.output<typeof namespace>[],
    dnsEndpoints: [] as DnsEndpoint[],
    others: {} as Record<string, number>,
  };
  const add = <T>(into: T[], shape: z.ZodType<T>, item: unknown, where: string): void => {
    const read = shape.safeParse(item);
    if (read.success) into.push(read.data);
    else
      for (const { path, message } of read.error.issues)
        problems.push(`${where}.${path.join(".")}: ${message}`);
  };
  flatten(parsed).forEach((item, i) => {
    if (!isObject(item) || typeof item.kind !== "string") {
      problems.push(`item ${i} is no Kubernetes object (it has no kind); ${expected}`);
      return;
    }
    const { kind } = item;
    const meta = isObject(item.metadata) ? item.metadata : {};
    const where = `${kind} ${meta.namespace ?? "default"}/${meta.name ?? `(item ${i})`}`;
    const group = typeof item.apiVersion === "string" ? item.apiVersion.split("/")[0] : undefined;
    if (kind === "Service" && (group === undefined || group === "v1"))
      add(found.services, service, item, where);
    else if (kind === "Ingress") add(found.ingresses, ingress, item, where);
    else if (kind === "Gateway" && (group === undefined || group === "gateway.networking.k8s.io"))
      add(found.gateways, gateway, item, where);
    else if (routeKinds.includes(kind)) add(found.routes, route, item, where);
    else if (kind === "Namespace") add(found.namespaces, namespace, item, where);
    else if (kind === "DNSEndpoint") add(found.dnsEndpoints, dnsEndpoint, item, where);
    else if (otherKinds.includes(kind) || kind === "Gateway")
      found.others[kind] = (found.others[kind] ?? 0) + 1;
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, objects: found };
}
