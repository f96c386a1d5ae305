import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Puts defaults under what is given: a field that is there, even false or 0, stays. */
const under = (given: unknown, defaults: Fields): Fields => ({
  ...defaults,
  ...(isObject(given) ? given : {}),
});

/** The first address of the Service network nobody has; 10.43.0.0/16 as k3s, with .0.1 left to the API server. */
function freeClusterIp(services: readonly KubeObject[]): string {
  const taken = new Set(services.map((service) => (isObject(service.spec) ? service.spec.clusterIP : "")));
  for (let i = 10; i < 65_535; i++) {
    const ip = `10.43.${i >> 8}.${i & 255}`;
    if (!taken.has(ip)) return ip;
  }
  return "";
}

function freeNodePort(services: readonly KubeObject[], own: readonly unknown[]): number {
  const ports = (list: unknown): unknown[] =>
    Array.isArray(list) ? list.map((port) => (isObject(port) ? port.nodePort : undefined)) : [];
  const taken = new Set([
    ...services.flatMap((service) => (isObject(service.spec) ? ports(service.spec.ports) : [])),
    ...ports(own),
  ]);
  for (let port = 30_000; port <= 32_767; port++) if (!taken.has(port)) return port;
  return 0;
}

function service(spec: unknown, services: readonly KubeObject[]): Fields {
  const given = isObject(spec) ? spec : {};
  const type = given.type ?? "ClusterIP";
  if (type === "ExternalName") return under(given, { type, sessionAffinity: "None" });
  const clusterIP = given.clusterIP || freeClusterIp(services);
  const out: Fields = {
    ...under(given, {
      type,
      sessionAffinity: "None",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
    }),
    clusterIP,
    clusterIPs: given.clusterIPs ?? [clusterIP],
  };
  const reachable = type === "LoadBalancer" || type === "NodePort";
  if (reachable) out.externalTrafficPolicy ??= "Cluster";
  if (type === "LoadBalancer") out.allocateLoadBalancerNodePorts ??= true;
  if (Array.isArray(given.ports)) {
    const done: unknown[] = [];
    for (const port of given.ports as readonly unknown[]) {
      const filled = under(port, { protocol: "TCP" });
      filled.targetPort ??= filled.port;
      if (reachable && out.allocateLoadBalancerNodePorts !== false)
        filled.nodePort ??= freeNodePort(services, [...given.ports, ...done]);
      done.push(filled);
    }
    out.ports = done;
  }
  return out;
}

// Defaults of the MetalLB CRDs (the kubebuilder:default markers of api/v1beta1 and api/v1beta2).
const specDefaults: Partial<Record<ResourceKind, Fields>> = {
  ipaddresspools: { autoAssign: true, avoidBuggyIPs: false },
  bgpadvertisements: { aggregationLength: 32, aggregationLengthV6: 128 },
  bgppeers: { peerPort: 179, disableMP: false, dualStackAddressFamily: false },
};

/** What the API server fills in before admission. Services get an address of their own and node ports, as in a cluster. */
export function withDefaults(
  kind: ResourceKind,
  object: Readonly<Fields>,
  services: readonly KubeObject[],
): Readonly<Fields> {
  if (kind === "services") return { ...object, spec: service(object.spec, services) };
  if (kind === "namespaces") return { ...object, status: { phase: "Active" } };
  const defaults = specDefaults[kind];
  return defaults && isObject(object.spec) ? { ...object, spec: under(object.spec, defaults) } : object;
}
