import * as z from "zod";
import type { Clock } from "../clock.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Schedule } from "./schedule.ts";

/** From a Deployment to pods that are ready: scheduling, a small image, a first probe. */
export const podReadyMs = 3_000;

const strings = z.record(z.string(), z.string()).nullish();

const deploymentShape = z.looseObject({
  spec: z.looseObject({
    replicas: z.number().nullish(),
    selector: z.looseObject({ matchLabels: strings }).nullish(),
    template: z.looseObject({
      metadata: z.looseObject({ labels: strings }).nullish(),
      spec: z.looseObject({
        containers: z.array(z.looseObject({ name: z.string() })),
        nodeSelector: strings,
        tolerations: z
          .array(z.looseObject({ key: z.string().nullish(), operator: z.string().nullish() }))
          .nullish(),
      }),
    }),
  }),
});

const serviceShape = z.looseObject({
  spec: z.looseObject({
    selector: strings,
    ports: z
      .array(
        z.looseObject({
          name: z.string().nullish(),
          port: z.number(),
          protocol: z.string().nullish(),
          targetPort: z.union([z.number(), z.string()]).nullish(),
        }),
      )
      .nullish(),
  }),
});

const nodeShape = z.looseObject({
  spec: z
    .looseObject({
      unschedulable: z.boolean().nullish(),
      taints: z.array(z.looseObject({ key: z.string(), effect: z.string() })).nullish(),
    })
    .nullish(),
});

type Taint = Readonly<{ key: string; effect: string }>;

const isReady = (pod: KubeObject): boolean => {
  const { conditions } = (pod.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return (conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
};
const nodeNameOf = (pod: KubeObject): string | undefined =>
  (pod.spec as { nodeName?: string } | undefined)?.nodeName;
const isLabelled = (pod: KubeObject, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);

/**
 * Deployments that are made while the model runs get pods, Services made meanwhile get endpoints, and both lose them
 * again. What was there from the start is described by the site and left alone.
 */
export function createWorkloads(
  options: Readonly<{ store: ObjectStore; clock: Clock; schedule: Schedule; newId: () => string }>,
): Readonly<{ stop: () => void }> {
  const { store, clock, schedule, newId } = options;
  const deployments = new Set<string>();
  const services = new Set<string>();
  const pending = new Set<() => void>();
  let pods = 0;

  const later = (ms: number, act: () => void): void => {
    const cancel = schedule(ms, () => {
      pending.delete(cancel);
      act();
    });
    pending.add(cancel);
  };

  /** The first nodes that take the pod, the emptiest first: neither cordoned nor tainted against it. */
  const nodesFor = (template: z.output<typeof deploymentShape>["spec"]["template"]["spec"]) => {
    const tolerates = (taint: Taint) =>
      (template.tolerations ?? []).some(
        ({ key, operator }) => operator === "Exists" && (key ?? taint.key) === taint.key,
      );
    const load = new Map<string, number>();
    for (const pod of store.list("pods").items) {
      const node = nodeNameOf(pod) ?? "";
      load.set(node, (load.get(node) ?? 0) + 1);
    }
    return store
      .list("nodes")
      .items.filter((node) => {
        const spec = nodeShape.safeParse(node).data?.spec;
        const keepsOut = (spec?.taints ?? []).some(
          (taint) => taint.effect !== "PreferNoSchedule" && !tolerates(taint),
        );
        const fits = Object.entries(template.nodeSelector ?? {}).every(
          ([key, value]) => node.metadata.labels?.[key] === value,
        );
        return spec?.unschedulable !== true && !keepsOut && fits;
      })
      .map(({ metadata }) => metadata.name)
      .sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || (a < b ? -1 : 1));
  };

  const podsOf = (namespace: string, owner: string): readonly KubeObject[] =>
    store
      .list("pods", namespace)
      .items.filter(({ metadata }) =>
        (metadata.ownerReferences as readonly { name?: string }[] | undefined)?.some(
          ({ name }) => name === owner,
        ),
      );

  const reconcileDeployment = (namespace: string, name: string): void => {
    const deployment = store.get("deployments", namespace, name);
    const read = deploymentShape.safeParse(deployment).data?.spec;
    const own = podsOf(namespace, name);
    if (deployment === undefined || read === undefined) {
      for (const { metadata } of own) store.remove("pods", namespace, metadata.name);
      return;
    }
    const replicas = read.replicas ?? 1;
    for (const { metadata } of own.slice(replicas)) store.remove("pods", namespace, metadata.name);
    const nodes = nodesFor(read.template.spec);
    for (let i = own.length; i < replicas; i++) {
      const node = nodes[i % Math.max(1, nodes.length)];
      const ip = `172.16.15.${(pods++ % 250) + 2}`;
      const conditions = (ready: boolean) => [
        { type: "PodScheduled", status: node === undefined ? "False" : "True" },
        { type: "Ready", status: ready ? "True" : "False" },
      ];
      const result = store.create("pods", {
        metadata: {
          name: "",
          generateName: `${name}-${newId().replaceAll("-", "").slice(-9)}-`,
          namespace,
          ...(read.template.metadata?.labels ? { labels: read.template.metadata.labels } : {}),
          ownerReferences: [
            { apiVersion: "apps/v1", kind: "ReplicaSet", name, uid: deployment.metadata.uid ?? "" },
          ],
        },
        spec: { ...read.template.spec, ...(node === undefined ? {} : { nodeName: node }) },
        status: { phase: "Pending", conditions: conditions(false) },
      });
      if (!result.ok || node === undefined) continue;
      const { name: pod } = result.object.metadata;
      later(podReadyMs, () => {
        store.mergePatch("pods", namespace, pod, {
          status: {
            phase: "Running",
            podIP: ip,
            conditions: conditions(true),
            containerStatuses: read.template.spec.containers.map((each) => ({
              name: each.name,
              ready: true,
              started: true,
              restartCount: 0,
              state: { running: { startedAt: new Date(clock.now()).toISOString() } },
            })),
          },
        });
        const ready = podsOf(namespace, name).filter(isReady).length;
        store.mergePatch("deployments", namespace, name, {
          status: { replicas, updatedReplicas: replicas, readyReplicas: ready, availableReplicas: ready },
        });
      });
    }
  };

  const sliceOf = (name: string) => `${name}-twin`;

  const reconcileService = (namespace: string, name: string): void => {
    const service = store.get("services", namespace, name);
    const spec = serviceShape.safeParse(service).data?.spec;
    const slice = store.get("endpointslices", namespace, sliceOf(name));
    if (service === undefined) {
      if (slice !== undefined) store.remove("endpointslices", namespace, sliceOf(name));
      return;
    }
    const selector = spec?.selector;
    if (!selector || Object.keys(selector).length === 0) return;
    const endpoints = store
      .list("pods", namespace)
      .items.filter(
        (pod) => isLabelled(pod, selector) && (pod.status as { podIP?: string })?.podIP !== undefined,
      )
      .map((pod) => ({
        addresses: [(pod.status as { podIP: string }).podIP],
        conditions: { ready: isReady(pod), serving: isReady(pod), terminating: false },
        nodeName: nodeNameOf(pod),
        targetRef: { kind: "Pod", name: pod.metadata.name, namespace },
      }));
    const ports = (spec?.ports ?? []).map((port) => ({
      name: port.name ?? "",
      port: typeof port.targetPort === "number" ? port.targetPort : port.port,
      protocol: port.protocol ?? "TCP",
    }));
    if (slice === undefined)
      store.create("endpointslices", {
        metadata: {
          name: sliceOf(name),
          namespace,
          labels: {
            "kubernetes.io/service-name": name,
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          },
          ownerReferences: [{ apiVersion: "v1", kind: "Service", name, uid: service.metadata.uid ?? "" }],
        },
        addressType: "IPv4",
        endpoints,
        ports,
      });
    else store.mergePatch("endpointslices", namespace, sliceOf(name), { endpoints, ports });
  };

  const unsubscribe = store.subscribe(({ type, kind, object }) => {
    const { namespace = "", name } = object.metadata;
    const key = `${namespace}/${name}`;
    if (kind === "deployments") {
      if (type === "ADDED") deployments.add(key);
      const had = deployments.has(key);
      if (type === "DELETED") deployments.delete(key);
      if (had) later(100, () => reconcileDeployment(namespace, name));
    }
    if (kind === "services") {
      if (type === "ADDED") services.add(key);
      const had = services.has(key);
      if (type === "DELETED") services.delete(key);
      if (had) later(100, () => reconcileService(namespace, name));
    }
    if (kind === "pods")
      for (const each of services) {
        const at = each.indexOf("/");
        if (each.slice(0, at) === namespace)
          later(100, () => reconcileService(namespace, each.slice(at + 1)));
      }
  });

  return {
    stop: () => {
      unsubscribe();
      for (const cancel of pending) cancel();
    },
  };
}
