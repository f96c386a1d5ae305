import * as z from "zod";
import type { KubeObject } from "../kubernetes/read.ts";
import { labelSelector } from "./selectors.ts";

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const strings = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const selectors = z
  .array(labelSelector)
  .nullish()
  .transform((value) => value ?? []);
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => (value ?? []) as z.output<T>[]);
const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => (value ?? undefined) as z.output<T> | undefined);
const flag = optional(z.boolean());
const string = optional(z.string());
const number = optional(z.number());
/** A missing or null `spec` or `status` reads as an empty one. */
const section = <S extends z.ZodRawShape>(shape: S) =>
  z.preprocess((value) => value ?? {}, z.object(shape)) as unknown as z.ZodObject<S>;

const clusterWide = z.object({ name: z.string().min(1), labels, annotations: labels, uid: string });
const namespaced = clusterWide.extend({
  namespace: z
    .string()
    .nullish()
    .transform((value) => value || "default"),
});

const node = z
  .object({
    metadata: clusterWide,
    spec: section({ unschedulable: flag }),
    status: section({
      conditions: list(z.object({ type: z.string(), status: z.string() })),
      addresses: list(z.object({ type: z.string(), address: z.string() })),
    }),
  })
  .transform(({ metadata, spec, status }) => ({
    ...metadata,
    unschedulable: spec.unschedulable ?? false,
    conditions: status.conditions,
    addresses: status.addresses,
  }));

const namespace = z.object({ metadata: clusterWide }).transform(({ metadata }) => metadata);

const service = z
  .object({
    metadata: namespaced,
    spec: section({ type: string, externalTrafficPolicy: string, loadBalancerClass: string }),
    status: section({ loadBalancer: section({ ingress: list(z.object({ ip: string, hostname: string })) }) }),
  })
  .transform(({ metadata, spec, status }) => ({
    ...metadata,
    ...spec,
    ingress: status.loadBalancer.ingress,
  }));

const endpointSlice = z
  .object({
    metadata: namespaced,
    endpoints: list(
      z
        .object({ conditions: section({ ready: flag, serving: flag }), nodeName: string })
        .transform(({ conditions, nodeName }) => ({ ...conditions, nodeName })),
    ),
  })
  .transform(({ metadata, endpoints }) => ({
    ...metadata,
    /** Of the slice's own namespace; a slice without the label belongs to no Service. */
    service: metadata.labels["kubernetes.io/service-name"],
    endpoints,
  }));

const ipAddressPool = z
  .object({
    metadata: namespaced,
    spec: section({
      addresses: strings,
      autoAssign: flag,
      avoidBuggyIPs: flag,
      serviceAllocation: optional(
        z.object({
          priority: number,
          namespaces: strings,
          namespaceSelectors: selectors,
          serviceSelectors: selectors,
        }),
      ),
    }),
  })
  .transform(({ metadata, spec }) => ({
    ...metadata,
    ...spec,
    autoAssign: spec.autoAssign ?? true,
    avoidBuggyIPs: spec.avoidBuggyIPs ?? false,
  }));

const poolsAndNodes = {
  ipAddressPools: strings,
  ipAddressPoolSelectors: selectors,
  nodeSelectors: selectors,
  serviceSelectors: selectors,
};

const l2Advertisement = z
  .object({
    metadata: namespaced,
    spec: section({
      ...poolsAndNodes,
      interfaces: strings,
      preferredNodeSelectors: list(z.object({ weight: z.number(), preference: labelSelector.optional() })),
    }),
  })
  .transform(({ metadata, spec }) => ({ ...metadata, ...spec }));

const bgpAdvertisement = z
  .object({
    metadata: namespaced,
    spec: section({
      ...poolsAndNodes,
      peers: strings,
      communities: strings,
      aggregationLength: number,
      aggregationLengthV6: number,
      localPref: number,
    }),
  })
  .transform(({ metadata, spec }) => ({ ...metadata, ...spec }));

const bgpPeer = z
  .object({
    metadata: namespaced,
    spec: section({
      myASN: number,
      peerASN: number,
      dynamicASN: string,
      peerAddress: string,
      interface: string,
      sourceAddress: string,
      routerID: string,
      holdTime: string,
      keepaliveTime: string,
      ebgpMultiHop: flag,
      vrf: string,
      bfdProfile: string,
      nodeSelectors: selectors,
      // v1beta1 keeps node selectors and the address under other names; only what later readers need is taken.
      password: z
        .unknown()
        .optional()
        .transform((value) => typeof value === "string" && value !== ""),
      passwordSecret: optional(z.object({ name: string })),
    }),
  })
  .transform(({ metadata, spec: { password, passwordSecret, ...spec } }) => ({
    ...metadata,
    // kubectl apply keeps a copy of the whole manifest, password included, in an annotation.
    annotations: Object.fromEntries(
      Object.entries(metadata.annotations).filter(
        ([key]) => key !== "kubectl.kubernetes.io/last-applied-configuration",
      ),
    ),
    ...spec,
    /** The password itself is dropped here and goes nowhere. */
    inlinePassword: password,
    passwordSecret: passwordSecret?.name,
  }));

const bfdProfile = z
  .object({
    metadata: namespaced,
    spec: section({
      detectMultiplier: number,
      receiveInterval: number,
      transmitInterval: number,
      echoInterval: number,
      minimumTtl: number,
      echoMode: flag,
      passiveMode: flag,
    }),
  })
  .transform(({ metadata, spec }) => ({ ...metadata, ...spec }));

const community = z
  .object({
    metadata: namespaced,
    spec: section({ communities: list(z.object({ name: z.string(), value: z.string() })) }),
  })
  .transform(({ metadata, spec }) => ({ ...metadata, ...spec }));

const serviceL2Status = z
  .object({
    metadata: namespaced.extend({ creationTimestamp: string }),
    status: section({
      node: string,
      serviceName: string,
      serviceNamespace: string,
      interfaces: list(z.object({ name: z.string() })),
    }),
  })
  .transform(({ metadata, status }) => ({
    ...metadata,
    service: `${metadata.labels["metallb.io/service-namespace"] ?? status.serviceNamespace ?? ""}/${
      metadata.labels["metallb.io/service-name"] ?? status.serviceName ?? ""
    }`,
    node: status.node || metadata.labels["metallb.io/node"],
    /** Empty means all interfaces. */
    interfaces: status.interfaces.map(({ name }) => name),
  }));

const event = z
  .object({
    metadata: namespaced.extend({ creationTimestamp: string }),
    involvedObject: optional(z.object({ kind: string, namespace: string, name: string })),
    regarding: optional(z.object({ kind: string, namespace: string, name: string })),
    reason: string,
    message: string,
    note: string,
    type: string,
    source: optional(z.object({ component: string })),
    reportingComponent: string,
    reportingController: string,
    firstTimestamp: string,
    lastTimestamp: string,
    deprecatedLastTimestamp: string,
    eventTime: string,
    series: optional(z.object({ lastObservedTime: string })),
  })
  .transform((raw) => {
    const about = raw.involvedObject ?? raw.regarding;
    return {
      name: raw.metadata.name,
      namespace: raw.metadata.namespace,
      kind: about?.kind,
      object: `${about?.namespace ?? raw.metadata.namespace}/${about?.name ?? ""}`,
      reason: raw.reason ?? "",
      message: raw.message ?? raw.note ?? "",
      type: raw.type,
      component: raw.source?.component || raw.reportingComponent || raw.reportingController,
      /** RFC 3339, the last time it was seen; absent when the event carries no usable time. */
      time: [
        raw.series?.lastObservedTime,
        raw.lastTimestamp,
        raw.deprecatedLastTimestamp,
        raw.eventTime,
        raw.firstTimestamp,
        raw.metadata.creationTimestamp,
      ].find((time) => time !== undefined && time !== "" && !Number.isNaN(Date.parse(time))),
    };
  });

const container = z.object({
  name: string,
  image: string,
  args: strings,
  command: strings,
  env: list(
    z
      .object({ name: z.string(), value: string, valueFrom: z.unknown().optional() })
      .transform(({ name, value, valueFrom }) => ({
        name,
        set: (value !== undefined && value !== "") || (valueFrom !== undefined && valueFrom !== null),
      })),
  ),
});

const pod = z
  .object({
    metadata: namespaced.extend({ deletionTimestamp: string }),
    spec: section({ nodeName: string, containers: list(container) }),
    status: section({ phase: string, conditions: list(z.object({ type: z.string(), status: z.string() })) }),
  })
  .transform(({ metadata, spec, status }) => ({
    ...metadata,
    ...spec,
    phase: status.phase,
    /** The Ready condition; `undefined` when the dump does not carry it. */
    ready: status.conditions
      .map(({ type, status }) => (type === "Ready" ? status === "True" : undefined))
      .find((value) => value !== undefined),
  }));

const daemonSet = z
  .object({
    metadata: namespaced,
    spec: section({
      template: section({ metadata: section({ labels }), spec: section({ containers: list(container) }) }),
    }),
  })
  .transform(({ metadata, spec }) => ({
    ...metadata,
    podLabels: spec.template.metadata.labels,
    containers: spec.template.spec.containers,
  }));

/** Field of {@link MetalLbObjects} by kind, with the API groups that kind is read from. */
const readers = {
  Node: { field: "nodes", groups: [""], schema: node },
  Namespace: { field: "namespaces", groups: [""], schema: namespace },
  Service: { field: "services", groups: [""], schema: service },
  EndpointSlice: { field: "endpointSlices", groups: ["discovery.k8s.io"], schema: endpointSlice },
  IPAddressPool: { field: "ipAddressPools", groups: ["metallb.io"], schema: ipAddressPool },
  L2Advertisement: { field: "l2Advertisements", groups: ["metallb.io"], schema: l2Advertisement },
  BGPAdvertisement: { field: "bgpAdvertisements", groups: ["metallb.io"], schema: bgpAdvertisement },
  BGPPeer: { field: "bgpPeers", groups: ["metallb.io"], schema: bgpPeer },
  BFDProfile: { field: "bfdProfiles", groups: ["metallb.io"], schema: bfdProfile },
  Community: { field: "communities", groups: ["metallb.io"], schema: community },
  ServiceL2Status: { field: "serviceL2Statuses", groups: ["metallb.io"], schema: serviceL2Status },
  Event: { field: "events", groups: ["", "events.k8s.io"], schema: event },
  Pod: { field: "pods", groups: [""], schema: pod },
  DaemonSet: { field: "daemonSets", groups: ["apps"], schema: daemonSet },
} as const;

type Readers = typeof readers;
type Field = Readers[keyof Readers]["field"];

/** The parts of a cluster that MetalLB's behaviour depends on, in the order given. */
export type MetalLbObjects = Readonly<{
  [K in keyof Readers as Readers[K]["field"]]: readonly Readonly<z.output<Readers[K]["schema"]>>[];
}>;

export type NodeObject = MetalLbObjects["nodes"][number];
export type ServiceObject = MetalLbObjects["services"][number];
export type EndpointSliceObject = MetalLbObjects["endpointSlices"][number];
export type IpAddressPool = MetalLbObjects["ipAddressPools"][number];
export type L2Advertisement = MetalLbObjects["l2Advertisements"][number];
export type BgpAdvertisement = MetalLbObjects["bgpAdvertisements"][number];
export type BgpPeer = MetalLbObjects["bgpPeers"][number];
export type BfdProfile = MetalLbObjects["bfdProfiles"][number];
export type Community = MetalLbObjects["communities"][number];
export type ServiceL2Status = MetalLbObjects["serviceL2Statuses"][number];
export type EventObject = MetalLbObjects["events"][number];
export type PodObject = MetalLbObjects["pods"][number];
export type DaemonSetObject = MetalLbObjects["daemonSets"][number];

/** `namespace/name`, as every message names a Service. */
export const serviceKey = (object: Readonly<{ namespace: string; name: string }>): string =>
  `${object.namespace}/${object.name}`;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const said = (value: unknown): string =>
  value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);

/**
 * Reads objects of a `kubectl get -o json`: a flat list, or Lists inside it. Kinds nobody here needs are passed over;
 * an object of a kind we need that cannot be read is left out and told in `problems`, each with its place.
 */
export function parseMetalLbObjects(
  items: readonly KubeObject[],
): Readonly<{ objects: MetalLbObjects; problems: readonly string[] }> {
  const found = Object.fromEntries(
    Object.values(readers).map(({ field }) => [field, []]),
  ) as unknown as Record<Field, unknown[]>;
  const problems: string[] = [];
  const seen = new Set<string>();

  const read = (item: unknown, place: string): void => {
    if (!isRecord(item)) {
      problems.push(`${place}: expected a Kubernetes object, got ${said(item)}`);
      return;
    }
    const { kind, apiVersion } = item;
    if (typeof kind !== "string" || kind === "") {
      problems.push(`${place}: expected a "kind", got ${said(kind)}; use kubectl get -o json`);
      return;
    }
    if (kind.endsWith("List") && Array.isArray(item.items)) {
      const each = kind.slice(0, -"List".length);
      item.items.forEach((inner: unknown, i) => {
        const stamped =
          each !== "" && isRecord(inner) && inner.kind === undefined
            ? { ...inner, kind: each, apiVersion: inner.apiVersion ?? apiVersion }
            : inner;
        read(stamped, `${place}.items[${i}]`);
      });
      return;
    }
    if (!Object.hasOwn(readers, kind)) return;
    const reader = readers[kind as keyof Readers];
    if (apiVersion !== undefined && apiVersion !== null) {
      if (typeof apiVersion !== "string") {
        problems.push(`${place}: expected "apiVersion" to be text, got ${said(apiVersion)}`);
        return;
      }
      const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
      if (!(reader.groups as readonly string[]).includes(group)) return;
    }
    const parsed = reader.schema.safeParse(item);
    if (!parsed.success) {
      const name = isRecord(item.metadata) ? item.metadata.name : undefined;
      for (const issue of parsed.error.issues)
        problems.push(
          `${place} (${kind}${typeof name === "string" ? ` ${name}` : ""}): ${issue.path.join(".") || "object"}: ${issue.message}`,
        );
      return;
    }
    const object = parsed.data as Readonly<{ name: string; namespace?: string }>;
    const identity = `${kind} ${object.namespace ?? ""}/${object.name}`;
    if (seen.has(identity)) return;
    seen.add(identity);
    found[reader.field].push(object);
  };

  items.forEach((item, i) => {
    read(item, `items[${i}]`);
  });
  return { objects: found as unknown as MetalLbObjects, problems };
}
