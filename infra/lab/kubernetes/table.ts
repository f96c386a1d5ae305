import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { age } from "./age.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A column of `kubectl get`; priority 0 always, above it with `-o wide`. */
type Column = Readonly<{
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format?: string;
  priority: number;
  cell: (object: KubeObject, now: number) => unknown;
}>;

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const step of path.split("."))
    found = typeof found === "object" && found !== null ? (found as Fields)[step] : undefined;
  return found;
}

const list = (value: unknown, path: string): readonly unknown[] => {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
};

const count = (value: unknown, path: string): number => Number(at(value, path) ?? 0);

const orNone = (value: unknown): string => {
  const shown = Array.isArray(value) ? value.join(",") : String(value ?? "");
  return shown === "" ? "<none>" : shown;
};

const column = (
  name: string,
  cell: Column["cell"],
  extra: Partial<Pick<Column, "type" | "format" | "priority">> = {},
): Column => ({ name, type: "string", priority: 0, ...extra, cell });

const wide = (name: string, cell: Column["cell"]): Column => column(name, cell, { priority: 1 });

const name = column("Name", (object) => object.metadata.name, { format: "name" });
const aged = column("Age", (object, now) => age(object.metadata.creationTimestamp, now));

const labels = (value: unknown): string =>
  orNone(
    Object.entries((value as Readonly<Record<string, string>> | undefined) ?? {})
      .map(([key, of]) => `${key}=${of}`)
      .sort(),
  );

/** A printer column of a CRD: the value at a JSON path, lists and objects as JSON, nothing when absent. */
const custom = (
  title: string,
  path: string,
  extra: Partial<Pick<Column, "type" | "priority">> = {},
): Column =>
  column(
    title,
    (object) => {
      const value = at(object, path);
      return typeof value === "object" && value !== null ? JSON.stringify(value) : (value ?? null);
    },
    extra,
  );

function externalIp(service: KubeObject): string {
  const type = at(service, "spec.type");
  const outside = list(service, "spec.externalIPs");
  if (type === "ExternalName") return orNone(at(service, "spec.externalName"));
  if (type !== "LoadBalancer") return orNone(outside);
  const assigned = list(service, "status.loadBalancer.ingress").map((ingress) =>
    String(at(ingress, "ip") ?? at(ingress, "hostname") ?? ""),
  );
  const all = [...assigned, ...outside];
  return all.length === 0 ? "<pending>" : all.join(",");
}

const servicePorts = (service: KubeObject): string =>
  orNone(
    list(service, "spec.ports").map((port) => {
      const node = at(port, "nodePort");
      return `${at(port, "port")}${node ? `:${node}` : ""}/${at(port, "protocol") ?? "TCP"}`;
    }),
  );

function nodeStatus(node: KubeObject): string {
  const ready = list(node, "status.conditions").find((condition) => at(condition, "type") === "Ready");
  const words = [ready === undefined ? "Unknown" : at(ready, "status") === "True" ? "Ready" : "NotReady"];
  if (at(node, "spec.unschedulable") === true) words.push("SchedulingDisabled");
  return words.join(",");
}

const nodeRoles = (node: KubeObject): string =>
  orNone(
    Object.keys(node.metadata.labels ?? {})
      .filter((label) => label.startsWith("node-role.kubernetes.io/"))
      .map((label) => label.slice("node-role.kubernetes.io/".length))
      .sort(),
  );

const nodeAddress =
  (type: string) =>
  (node: KubeObject): string =>
    orNone(
      at(
        list(node, "status.addresses").find((address) => at(address, "type") === type),
        "address",
      ),
    );

function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp) return "Terminating";
  for (const container of list(pod, "status.containerStatuses")) {
    const reason = at(container, "state.waiting.reason") ?? at(container, "state.terminated.reason");
    if (reason) return String(reason);
  }
  return String(at(pod, "status.reason") ?? at(pod, "status.phase") ?? "Unknown");
}

const containers = (object: KubeObject, field: string): string =>
  orNone(list(object, "spec.template.spec.containers").map((container) => at(container, field)));

const sliceEndpoints = (slice: KubeObject): string =>
  orNone(list(slice, "endpoints").flatMap((endpoint) => list(endpoint, "addresses")));

const involved = (event: KubeObject): string =>
  `${String(at(event, "involvedObject.kind") ?? "").toLowerCase()}/${at(event, "involvedObject.name")}`;

const lastSeen = (event: KubeObject): unknown =>
  at(event, "lastTimestamp") ?? at(event, "eventTime") ?? at(event, "firstTimestamp");

const workloadWide = [
  wide("Containers", (object) => containers(object, "name")),
  wide("Images", (object) => containers(object, "image")),
  wide("Selector", (object) => labels(at(object, "spec.selector.matchLabels"))),
];

const advertised = [
  custom("IPAddressPools", "spec.ipAddressPools"),
  custom("IPAddressPool Selectors", "spec.ipAddressPoolSelectors"),
];
const nodeSelectors = custom("Node Selectors", "spec.nodeSelectors", { priority: 10 });

const readyCondition = (object: KubeObject): unknown =>
  at(
    list(object, "status.conditions").find((condition) => at(condition, "type") === "Ready"),
    "status",
  ) ?? "";

// Built-in kinds as pkg/printers/internalversion prints them, MetalLB's as its CRDs' additionalPrinterColumns say.
const columns: Readonly<Record<ResourceKind, readonly Column[]>> = {
  namespaces: [name, column("Status", (object) => at(object, "status.phase") ?? "Active"), aged],
  nodes: [
    name,
    column("Status", nodeStatus),
    column("Roles", nodeRoles),
    aged,
    column("Version", (node) => at(node, "status.nodeInfo.kubeletVersion") ?? ""),
    wide("Internal-IP", nodeAddress("InternalIP")),
    wide("External-IP", nodeAddress("ExternalIP")),
    wide("OS-Image", (node) => at(node, "status.nodeInfo.osImage") ?? "<unknown>"),
    wide("Kernel-Version", (node) => at(node, "status.nodeInfo.kernelVersion") ?? "<unknown>"),
    wide("Container-Runtime", (node) => at(node, "status.nodeInfo.containerRuntimeVersion") ?? "<unknown>"),
  ],
  pods: [
    name,
    column("Ready", (pod) => {
      const all = list(pod, "status.containerStatuses");
      const ready = all.filter((container) => at(container, "ready") === true).length;
      return `${ready}/${Math.max(all.length, list(pod, "spec.containers").length)}`;
    }),
    column("Status", podStatus),
    column("Restarts", (pod) =>
      String(
        list(pod, "status.containerStatuses").reduce<number>(
          (sum, container) => sum + count(container, "restartCount"),
          0,
        ),
      ),
    ),
    aged,
    wide("IP", (pod) => orNone(at(pod, "status.podIP"))),
    wide("Node", (pod) => orNone(at(pod, "spec.nodeName"))),
    wide("Nominated Node", (pod) => orNone(at(pod, "status.nominatedNodeName"))),
    wide("Readiness Gates", () => "<none>"),
  ],
  services: [
    name,
    column("Type", (service) => at(service, "spec.type") ?? "ClusterIP"),
    column("Cluster-IP", (service) => orNone(at(service, "spec.clusterIP"))),
    column("External-IP", externalIp),
    column("Port(s)", servicePorts),
    aged,
    wide("Selector", (service) => labels(at(service, "spec.selector"))),
  ],
  configmaps: [
    name,
    column(
      "Data",
      (object) =>
        Object.keys((at(object, "data") as Fields | undefined) ?? {}).length +
        Object.keys((at(object, "binaryData") as Fields | undefined) ?? {}).length,
    ),
    aged,
  ],
  events: [
    column("Last Seen", (event, now) => age(lastSeen(event), now)),
    column("Type", (event) => at(event, "type") ?? ""),
    column("Reason", (event) => at(event, "reason") ?? ""),
    column("Object", involved),
    wide("Subobject", (event) => at(event, "involvedObject.fieldPath") ?? ""),
    wide("Source", (event) =>
      [at(event, "source.component") ?? at(event, "reportingComponent"), at(event, "source.host")]
        .filter((part) => part)
        .join(", "),
    ),
    column("Message", (event) => String(at(event, "message") ?? "").trim()),
    wide("First Seen", (event, now) => age(at(event, "firstTimestamp") ?? lastSeen(event), now)),
    column("Count", (event) => count(event, "count") || 1, { type: "integer", priority: 1 }),
    { ...name, priority: 1 },
  ],
  endpointslices: [
    name,
    column("AddressType", (slice) => at(slice, "addressType") ?? ""),
    column("Ports", (slice) => orNone(list(slice, "ports").map((port) => at(port, "port")))),
    column("Endpoints", sliceEndpoints),
    aged,
  ],
  daemonsets: [
    name,
    column("Desired", (set) => count(set, "status.desiredNumberScheduled"), { type: "integer" }),
    column("Current", (set) => count(set, "status.currentNumberScheduled"), { type: "integer" }),
    column("Ready", (set) => count(set, "status.numberReady"), { type: "integer" }),
    column("Up-to-date", (set) => count(set, "status.updatedNumberScheduled"), { type: "integer" }),
    column("Available", (set) => count(set, "status.numberAvailable"), { type: "integer" }),
    column("Node Selector", (set) => labels(at(set, "spec.template.spec.nodeSelector"))),
    aged,
    ...workloadWide,
  ],
  deployments: [
    name,
    column(
      "Ready",
      (deployment) => `${count(deployment, "status.readyReplicas")}/${at(deployment, "spec.replicas") ?? 1}`,
    ),
    column("Up-to-date", (deployment) => count(deployment, "status.updatedReplicas"), { type: "integer" }),
    column("Available", (deployment) => count(deployment, "status.availableReplicas"), { type: "integer" }),
    aged,
    ...workloadWide,
  ],
  ipaddresspools: [
    name,
    custom("Auto Assign", "spec.autoAssign", { type: "boolean" }),
    custom("Avoid Buggy IPs", "spec.avoidBuggyIPs", { type: "boolean" }),
    custom("Addresses", "spec.addresses"),
  ],
  l2advertisements: [name, ...advertised, custom("Interfaces", "spec.interfaces"), nodeSelectors],
  bgpadvertisements: [name, ...advertised, custom("Peers", "spec.peers"), nodeSelectors],
  bgppeers: [
    name,
    custom("Address", "spec.peerAddress"),
    custom("ASN", "spec.peerASN"),
    custom("BFD Profile", "spec.bfdProfile"),
    custom("Multi Hops", "spec.ebgpMultiHop"),
  ],
  bfdprofiles: [
    name,
    custom("Passive Mode", "spec.passiveMode", { type: "boolean" }),
    custom("Transmit Interval", "spec.transmitInterval", { type: "integer" }),
    custom("Receive Interval", "spec.receiveInterval", { type: "integer" }),
    custom("Multiplier", "spec.detectMultiplier", { type: "integer" }),
  ],
  communities: [name, aged],
  servicel2statuses: [
    name,
    custom("Allocated Node", "status.node"),
    custom("Service Name", "status.serviceName"),
    custom("Service Namespace", "status.serviceNamespace"),
  ],
  servicebgpstatuses: [
    name,
    custom("Node", "status.node"),
    custom("Service Name", "status.serviceName"),
    custom("Service Namespace", "status.serviceNamespace"),
  ],
  configurationstates: [
    name,
    custom("Result", "status.result"),
    custom("ErrorSummary", "status.errorSummary"),
    aged,
  ],
  validatingwebhookconfigurations: [
    name,
    column("Webhooks", (object) => list(object, "webhooks").length, { type: "integer" }),
    aged,
  ],
  bgpconfigurations: [name, aged],
  calicobgppeers: [name, aged],
  felixconfigurations: [name, aged],
  ippools: [name, aged],
  applications: [
    name,
    custom("Sync Status", "status.sync.status"),
    custom("Health Status", "status.health.status"),
  ],
  kustomizations: [name, aged],
  helmreleases: [name, aged],
  ingresses: [
    name,
    column("Class", (ingress) => orNone(at(ingress, "spec.ingressClassName"))),
    column(
      "Hosts",
      (ingress) =>
        list(ingress, "spec.rules")
          .map((rule) => at(rule, "host") ?? "*")
          .join(",") || "*",
    ),
    column("Address", (ingress) =>
      list(ingress, "status.loadBalancer.ingress")
        .map((entry) => at(entry, "ip") ?? at(entry, "hostname") ?? "")
        .join(","),
    ),
    aged,
  ],
  gateways: [
    name,
    custom("Class", "spec.gatewayClassName"),
    column("Address", (gateway) => at(list(gateway, "status.addresses")[0], "value") ?? ""),
    aged,
  ],
  httproutes: [name, custom("Hostnames", "spec.hostnames"), aged],
  dnsendpoints: [name, aged],
  certificates: [
    name,
    column("Ready", readyCondition),
    custom("Secret", "spec.secretName"),
    custom("Issuer", "spec.issuerRef.name", { priority: 1 }),
    aged,
  ],
  issuers: [name, column("Ready", readyCondition), aged],
  clusterissuers: [name, column("Ready", readyCondition), aged],
};

/** What a row carries of its object, as `includeObject` asks: all of it, its metadata (the default), or nothing. */
export type IncludeObject = "Object" | "Metadata" | "None";

/** `meta.k8s.io/v1` Table of objects, for `Accept: application/json;as=Table`. */
export function table(
  kind: ResourceKind,
  objects: readonly KubeObject[],
  metadata: Fields,
  options: Readonly<{ now: number; include: IncludeObject }>,
): Fields {
  const shown = columns[kind];
  const carried = (object: KubeObject): Fields => {
    if (options.include === "Object") return { object };
    if (options.include === "None") return {};
    return {
      object: {
        kind: "PartialObjectMetadata",
        apiVersion: "meta.k8s.io/v1",
        metadata: object.metadata,
      },
    };
  };
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: shown.map(({ name: title, type, format = "", priority }) => ({
      name: title,
      type,
      format,
      description: "",
      priority,
    })),
    rows: objects.map((object) => ({
      cells: shown.map(({ cell }) => cell(object, options.now)),
      ...carried(object),
    })),
  };
}
