import type { KubeObject } from "#shared/kubernetes/read.ts";
import { type MetalLbObjects, parseMetalLbObjects } from "#shared/metallb/resources.ts";

/** Builders of Kubernetes objects as `kubectl get -o json` gives them, for the tests about MetalLB. */
type Extra = Readonly<Record<string, unknown>>;

export const node = (
  name: string,
  options: Readonly<{
    labels?: Record<string, string>;
    conditions?: readonly Extra[];
    unschedulable?: boolean;
  }> = {},
): KubeObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name, ...options.labels } },
  spec: options.unschedulable === undefined ? {} : { unschedulable: options.unschedulable },
  status: { conditions: options.conditions ?? [{ type: "Ready", status: "True" }] },
});

export const nodes = (...names: string[]): KubeObject[] => names.map((name) => node(name));

export const service = (
  name: string,
  ips: string | readonly string[],
  options: Readonly<{
    namespace?: string;
    policy?: "Local" | "Cluster";
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    loadBalancerClass?: string;
    type?: string;
  }> = {},
): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name,
    namespace: options.namespace ?? "default",
    labels: options.labels ?? {},
    annotations: options.annotations ?? {},
  },
  spec: {
    type: options.type ?? "LoadBalancer",
    externalTrafficPolicy: options.policy ?? "Cluster",
    ...(options.loadBalancerClass === undefined ? {} : { loadBalancerClass: options.loadBalancerClass }),
  },
  status: { loadBalancer: { ingress: [ips].flat().map((ip) => ({ ip })) } },
});

/** One slice; each endpoint is a node's name (ready there) or the endpoint itself. */
export const slice = (
  serviceName: string,
  endpoints: readonly (string | Extra)[],
  options: Readonly<{ namespace?: string; name?: string }> = {},
): KubeObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    name: options.name ?? `${serviceName}-1`,
    namespace: options.namespace ?? "default",
    labels: { "kubernetes.io/service-name": serviceName },
  },
  endpoints: endpoints.map((endpoint) =>
    typeof endpoint === "string"
      ? { addresses: ["10.244.0.9"], conditions: { ready: true, serving: true }, nodeName: endpoint }
      : endpoint,
  ),
});

const metallb =
  (kind: string, apiVersion = "metallb.io/v1beta1") =>
  (name: string, spec?: unknown, metadata: Extra = {}): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace: "metallb-system", ...metadata },
    ...(spec === undefined ? {} : { spec }),
  });

export const pool = (name: string, addresses: readonly string[], metadata: Extra = {}, spec: Extra = {}) =>
  metallb("IPAddressPool")(name, { addresses, ...spec }, metadata);
export const l2 = metallb("L2Advertisement");
export const bgp = metallb("BGPAdvertisement");
export const peer = metallb("BGPPeer", "metallb.io/v1beta2");
export const bfd = metallb("BFDProfile");
export const community = metallb("Community");

export const speakerPod = (on: string, options: Readonly<{ ready?: boolean; phase?: string }> = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: `speaker-${on}`,
    namespace: "metallb-system",
    labels: { app: "metallb", component: "speaker" },
  },
  spec: { nodeName: on },
  status: {
    phase: options.phase ?? "Running",
    conditions: [{ type: "Ready", status: options.ready === false ? "False" : "True" }],
  },
});

export const speakerDaemonSet = (
  image = "quay.io/metallb/speaker:v0.16.1",
  options: Readonly<{ args?: readonly string[]; memberlist?: boolean; namespace?: string }> = {},
): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: {
    name: "speaker",
    namespace: options.namespace ?? "metallb-system",
    labels: { app: "metallb", component: "speaker" },
  },
  spec: {
    template: {
      metadata: { labels: { app: "metallb", component: "speaker" } },
      spec: {
        containers: [
          {
            name: "speaker",
            image,
            args: ["--port=9120", ...(options.args ?? [])],
            env: [
              { name: "METALLB_NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
              ...(options.memberlist === false
                ? []
                : [
                    { name: "METALLB_ML_BIND_ADDR", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
                    { name: "METALLB_ML_LABELS", value: "app=metallb,component=speaker" },
                  ]),
            ],
          },
        ],
      },
    },
  },
});

/** The objects of a dump; fails the test when one cannot be read. */
export function objectsOf(...items: readonly (KubeObject | readonly KubeObject[])[]): MetalLbObjects {
  const { objects, problems } = parseMetalLbObjects(items.flat());
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return objects;
}

/** A pool over everything the tests use, advertised everywhere. */
export const openPool = [pool("all", ["10.0.0.0/8", "fd00::/64"]), l2("all")];

export const l2Status = (
  serviceName: string,
  on: string,
  options: Readonly<{ namespace?: string; interfaces?: readonly string[] }> = {},
): KubeObject => ({
  apiVersion: "metallb.io/v1beta1",
  kind: "ServiceL2Status",
  metadata: {
    name: `l2-${serviceName}-${on}`,
    namespace: "metallb-system",
    labels: {
      "metallb.io/node": on,
      "metallb.io/service-name": serviceName,
      "metallb.io/service-namespace": options.namespace ?? "default",
    },
  },
  status: {
    node: on,
    serviceName,
    serviceNamespace: options.namespace ?? "default",
    ...(options.interfaces === undefined ? {} : { interfaces: options.interfaces.map((name) => ({ name })) }),
  },
});

let events = 0;
export const event = (
  serviceName: string,
  reason: string,
  message: string,
  time: string,
  extra: Extra = {},
): KubeObject => ({
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: `${serviceName}.${++events}`, namespace: "default" },
  involvedObject: { kind: "Service", namespace: "default", name: serviceName },
  reason,
  message,
  source: { component: "metallb-speaker" },
  lastTimestamp: time === "" ? null : time,
  ...extra,
});
