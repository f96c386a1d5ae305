import type { Clock } from "../clock.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { atLeast } from "../metallb/versions.ts";
import type { ObjectStore, StoreResult } from "./object-store.ts";
import type { MetalLbSpec } from "./site-spec.ts";

export type AnnouncementRecords = Readonly<{
  /** A speaker starts anew: it knows nothing of the events that the last one wrote, and writes others. */
  launched: (node: string) => void;
  /** Normal `nodeAssigned` on the Service; the same text again raises the count of the event there is. */
  assigned: (service: string, node: string, protocol: "layer2" | "bgp") => void;
  /** Warning `announceFailed`: none of the interfaces that were asked for exists. */
  failed: (service: string, node: string, ip: string) => void;
  layer2Status: (service: string, node: string, interfaces: readonly string[] | "all") => void;
  layer2Withdrawn: (service: string, node: string) => void;
  bgpStatus: (service: string, node: string, peers: readonly string[]) => void;
  bgpWithdrawn: (service: string, node: string) => void;
  configuration: (component: string, error: string | undefined) => void;
}>;

const eventLifeMs = 3_600_000;

const split = (service: string): readonly [string, string] => {
  const at = service.indexOf("/");
  return [service.slice(0, at), service.slice(at + 1)];
};

const labelsOf = (object: KubeObject): Readonly<Record<string, string>> => object.metadata.labels ?? {};

/** What speakers leave in the API: events, status objects, configuration states, as each release does it. */
export function createAnnouncementRecords(
  options: Readonly<{ store: ObjectStore; clock: Clock; newId: () => string; metallb: MetalLbSpec }>,
): AnnouncementRecords {
  const { store, clock, newId, metallb } = options;
  const { version, namespace } = metallb;
  const time = () => new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z");
  const token = () => newId().replaceAll("-", "").slice(-5);
  const written = (result: StoreResult, what: string) => {
    if (!result.ok && result.refusal.code !== 404) throw new Error(`${what}: ${result.refusal.message}`);
  };
  const eventNames = new Map<string, Readonly<{ namespace: string; name: string }>>();

  const emit = (service: string, node: string, type: string, reason: string, message: string) => {
    const [serviceNamespace, name] = split(service);
    const key = `${service} ${node} ${reason} ${message}`;
    const known = eventNames.get(key);
    const old = known && store.get("events", known.namespace, known.name);
    const lastTimestamp = time();
    if (old !== undefined && Date.parse(String(old.lastTimestamp)) + eventLifeMs > clock.now()) {
      written(
        store.mergePatch("events", serviceNamespace, old.metadata.name, {
          count: Number(old.count ?? 1) + 1,
          lastTimestamp,
        }),
        "event",
      );
      return;
    }
    if (old !== undefined) store.remove("events", serviceNamespace, old.metadata.name);
    const eventName = `${name}.${newId().replaceAll("-", "").slice(-16)}`;
    eventNames.set(key, { namespace: serviceNamespace, name: eventName });
    written(
      store.create("events", {
        metadata: { name: eventName, namespace: serviceNamespace },
        involvedObject: {
          apiVersion: "v1",
          kind: "Service",
          name,
          namespace: serviceNamespace,
          uid: store.get("services", serviceNamespace, name)?.metadata.uid,
        },
        reason,
        message,
        type,
        source: { component: "metallb-speaker", host: node },
        reportingComponent: "metallb-speaker",
        reportingInstance: node,
        firstTimestamp: lastTimestamp,
        lastTimestamp,
        eventTime: null,
        count: 1,
      }),
      "event",
    );
  };

  const statuses = (kind: ResourceKind, service: string): readonly KubeObject[] => {
    const [serviceNamespace, name] = split(service);
    return store
      .list(kind, namespace)
      .items.filter(
        (item) =>
          labelsOf(item)["metallb.io/service-name"] === name &&
          labelsOf(item)["metallb.io/service-namespace"] === serviceNamespace,
      );
  };
  const nodeOf = (item: KubeObject): string | undefined => labelsOf(item)["metallb.io/node"];
  const remove = (kind: ResourceKind, item: KubeObject) => {
    store.remove(kind, namespace, item.metadata.name);
  };
  const create = (kind: ResourceKind, prefix: string, service: string, node: string, status: object) => {
    const [serviceNamespace, name] = split(service);
    const pod = store
      .list("pods", namespace)
      .items.find(
        (item) =>
          labelsOf(item)["app.kubernetes.io/component"] === "speaker" &&
          (item.spec as { nodeName?: string } | undefined)?.nodeName === node,
      );
    written(
      store.create(kind, {
        metadata: {
          name: `${prefix}-${token()}`,
          namespace,
          labels: {
            "metallb.io/node": node,
            "metallb.io/service-name": name,
            "metallb.io/service-namespace": serviceNamespace,
          },
          ...(pod === undefined
            ? {}
            : {
                ownerReferences: [
                  { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid },
                ],
              }),
        },
        spec: {},
        status: { node, serviceName: name, serviceNamespace, ...status },
      }),
      kind,
    );
  };

  const hasLayer2Status = atLeast(version, "0.14.4");
  const cleansOthers = atLeast(version, "0.16.0");
  const hasBgpStatus = atLeast(version, "0.15.0");
  const hasConfigurationState = atLeast(version, "0.15.3");

  return {
    launched(node) {
      for (const key of eventNames.keys()) if (key.split(" ")[1] === node) eventNames.delete(key);
    },
    assigned: (service, node, protocol) =>
      emit(
        service,
        node,
        "Normal",
        "nodeAssigned",
        atLeast(version, "0.13.0")
          ? `announcing from node "${node}" with protocol "${protocol}"`
          : `announcing from node "${node}"`,
      ),
    failed: (service, node, ip) =>
      emit(
        service,
        node,
        "Warning",
        "announceFailed",
        `the interfaces specified by LB IP "${ip}" doesn't exist in assigned node "${node}" with protocol "layer2"`,
      ),
    layer2Status(service, node, interfaces) {
      if (!hasLayer2Status) return;
      const existing = statuses("servicel2statuses", service);
      const names = interfaces === "all" ? [] : interfaces.map((name) => ({ name }));
      const mine = existing.find((item) => nodeOf(item) === node);
      if (cleansOthers) {
        for (const other of existing) if (other !== mine) remove("servicel2statuses", other);
      } else if (mine === undefined && existing.length > 0) {
        // status.node is immutable: the new leader's write to the old object is refused, and it stays as it was.
        return;
      }
      if (mine === undefined)
        create("servicel2statuses", "l2", service, node, names.length > 0 ? { interfaces: names } : {});
      else
        written(
          store.mergePatch("servicel2statuses", namespace, mine.metadata.name, {
            status: { interfaces: names.length > 0 ? names : null },
          }),
          "servicel2statuses",
        );
    },
    layer2Withdrawn(service, node) {
      for (const item of statuses("servicel2statuses", service))
        if (nodeOf(item) === node) remove("servicel2statuses", item);
    },
    bgpStatus(service, node, peers) {
      if (!hasBgpStatus) return;
      const mine = statuses("servicebgpstatuses", service).find((item) => nodeOf(item) === node);
      if (mine === undefined) create("servicebgpstatuses", "bgp", service, node, { peers });
      else
        written(
          store.mergePatch("servicebgpstatuses", namespace, mine.metadata.name, { status: { peers } }),
          "servicebgpstatuses",
        );
    },
    bgpWithdrawn(service, node) {
      for (const item of statuses("servicebgpstatuses", service))
        if (nodeOf(item) === node) remove("servicebgpstatuses", item);
    },
    configuration(component, error) {
      if (!hasConfigurationState) return;
      const node = component.startsWith("speaker-") ? component.slice("speaker-".length) : undefined;
      const status = {
        result: error === undefined ? "Valid" : "Invalid",
        errorSummary: error ?? "",
        conditions: [
          {
            type: "configReconcilerValid",
            status: error === undefined ? "True" : "False",
            reason: error === undefined ? "Reconciled" : "ConfigurationError",
            message: error ?? "",
            lastTransitionTime: time(),
          },
        ],
      };
      const old = store.get("configurationstates", namespace, component);
      if (old === undefined)
        written(
          store.create("configurationstates", {
            metadata: {
              name: component,
              namespace,
              labels: {
                "metallb.io/component-type": node === undefined ? "controller" : "speaker",
                ...(node === undefined ? {} : { "metallb.io/node-name": node }),
              },
            },
            spec: {},
            status,
          }),
          "configurationstates",
        );
      else if ((old.status as { errorSummary?: string } | undefined)?.errorSummary !== status.errorSummary)
        written(
          store.mergePatch("configurationstates", namespace, component, { status }),
          "configurationstates",
        );
    },
  };
}
