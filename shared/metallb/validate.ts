import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { Admit, Operation, Refusal } from "../twin/object-store.ts";
import { bgpAdvertisementsFault, communitiesFault, peersFault } from "./bgp-configuration.ts";
import { l2AdvertisementFault, readPools } from "./configuration.ts";
import { type MetalLbObjects, parseMetalLbObjects } from "./resources.ts";
import { speakerSettings } from "./speakers.ts";
import { newestVersion, rulesOf } from "./versions.ts";

/*
 * MetalLB's validating webhooks. Read at v0.16.1: names, operations and failurePolicy in config/webhook/manifests.yaml;
 * what each one judges in internal/k8s/webhooks (an L2Advertisement with all others and the pools, a BGPAdvertisement
 * also with the Nodes, a pool with the other pools only, a BFDProfile only for its namespace and, on DELETE, its users);
 * wording in internal/config/config.go. The overlap refusal was also seen quoted from live clusters.
 */
type Webhook = Readonly<{
  name: string;
  operations: readonly Operation[];
  fault: (objects: MetalLbObjects, subject: KubeObject, operation: Operation) => string | undefined;
}>;

const l2Fault = (objects: MetalLbObjects): string | undefined => {
  const pools = readPools(objects.ipAddressPools);
  if ("error" in pools) return pools.error;
  const rules = rulesOf(speakerSettings(objects).version ?? newestVersion);
  return objects.l2Advertisements
    .map((ad) => l2AdvertisementFault(ad, rules))
    .find((fault) => fault !== undefined);
};

const webhooks: Readonly<Partial<Record<ResourceKind, Webhook>>> = {
  ipaddresspools: {
    name: "ipaddresspoolvalidationwebhook.metallb.io",
    operations: ["CREATE", "UPDATE"],
    fault: ({ ipAddressPools }) => {
      const pools = readPools(ipAddressPools);
      return "error" in pools ? pools.error : undefined;
    },
  },
  l2advertisements: {
    name: "l2advertisementvalidationwebhook.metallb.io",
    operations: ["CREATE", "UPDATE"],
    fault: l2Fault,
  },
  bgpadvertisements: {
    name: "bgpadvertisementvalidationwebhook.metallb.io",
    operations: ["CREATE", "UPDATE"],
    fault: ({ ipAddressPools, bgpAdvertisements, nodes }) => {
      const pools = readPools(ipAddressPools);
      if ("error" in pools) return pools.error;
      return bgpAdvertisementsFault(bgpAdvertisements, ipAddressPools, nodes, []);
    },
  },
  bgppeers: {
    name: "bgppeersvalidationwebhook.metallb.io",
    operations: ["CREATE", "UPDATE"],
    // Whether the password's Secret and the BFD profile exist is not judged here: MetalLB strips both fields first.
    fault: ({ bgpPeers }) => peersFault(bgpPeers.map((peer) => ({ ...peer, passwordSecret: undefined }))),
  },
  communities: {
    name: "communityvalidationwebhook.metallb.io",
    operations: ["CREATE", "UPDATE"],
    fault: ({ communities }) => communitiesFault(communities),
  },
  bfdprofiles: {
    name: "bfdprofilevalidationwebhook.metallb.io",
    operations: ["CREATE", "DELETE"],
    fault: ({ bgpPeers }, { metadata: { name } }, operation) => {
      if (operation !== "DELETE") return undefined;
      const user = bgpPeers.find(({ bfdProfile }) => bfdProfile === name);
      return user && `failed to delete BFDProfile ${name}, used by BGPPeer ${user.name}`;
    },
  },
};

/** The kinds a verdict may need. */
const context: readonly ResourceKind[] = [
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "communities",
  "bfdprofiles",
  "nodes",
  "daemonsets",
  "pods",
];

const isMetalLb = (kind: ResourceKind): boolean => resourceKinds[kind].group === "metallb.io";

const stamped = (kind: ResourceKind, object: KubeObject): KubeObject => ({
  ...object,
  kind: resourceKinds[kind].kind,
  apiVersion: [resourceKinds[kind].group, resourceKinds[kind].version]
    .filter((part) => part !== "")
    .join("/"),
});

/** `IPAddressPool.metallb.io "x" is invalid`: what the API server says to an object its schema refuses. */
const malformed = (kind: ResourceKind, object: KubeObject, problems: readonly string[]): Refusal => ({
  code: 422,
  reason: "Invalid",
  message: `${resourceKinds[kind].kind}.metallb.io ${JSON.stringify(object.metadata.name)} is invalid: ${problems
    .map((problem) => problem.replace(/^items\[0\] \([^)]*\): /, ""))
    .join(", ")}`,
  details: { name: object.metadata.name, group: "metallb.io", kind: resourceKinds[kind].kind },
});

/** MetalLB's namespace is where its speakers run; without speakers, where its objects already are. */
function metalLbNamespace(
  objects: MetalLbObjects,
  all: (kind: ResourceKind) => readonly KubeObject[],
): string | undefined {
  return (
    speakerSettings(objects).namespace ??
    context
      .filter(isMetalLb)
      .flatMap((kind) => all(kind))
      .map(({ metadata }) => metadata.namespace)
      .find((namespace) => namespace !== undefined)
  );
}

/** What the API server answers when MetalLB's validating webhooks refuse a write: 403, Forbidden, its own words. */
export const admitMetalLb: Admit = (operation, kind, object, _old, all) => {
  const webhook = webhooks[kind];
  if (!webhook?.operations.includes(operation)) return undefined;
  const denied = (message: string): Refusal => ({
    code: 403,
    reason: "Forbidden",
    message: `admission webhook ${JSON.stringify(webhook.name)} denied the request: ${message}`,
  });

  const own = parseMetalLbObjects([stamped(kind, object)]);
  if (operation !== "DELETE" && own.problems.length > 0) return malformed(kind, object, own.problems);

  const before = parseMetalLbObjects(
    context.flatMap((each) => all(each).map((item) => stamped(each, item))),
  ).objects;
  const namespace = metalLbNamespace(before, all);
  if (operation === "CREATE" && namespace !== undefined && object.metadata.namespace !== namespace)
    return denied(`resource must be created in ${namespace} namespace`);

  const where = namespace ?? object.metadata.namespace;
  const same = (item: KubeObject): boolean => item.metadata.name === object.metadata.name;
  const relevant = context.flatMap((each) => {
    const items = isMetalLb(each)
      ? all(each).filter(({ metadata }) => metadata.namespace === where)
      : all(each);
    if (each !== kind || operation === "DELETE") return items.map((item) => stamped(each, item));
    // The written object takes its old place in the list, or the end.
    const list = items.some(same) ? items.map((item) => (same(item) ? object : item)) : [...items, object];
    return list.map((item) => stamped(each, item));
  });
  const fault = webhook.fault(parseMetalLbObjects(relevant).objects, object, operation);
  return fault === undefined ? undefined : denied(fault);
};
