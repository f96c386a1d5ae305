import type { Clock } from "../clock.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Schedule } from "./schedule.ts";

/** Without heartbeats the node controller gives up after its grace period (kube-controller-manager default). */
export const nodeGraceMs = 40_000;

type Condition = Readonly<{ type: string; status: string; [key: string]: unknown }>;
type Endpoint = Readonly<{ nodeName?: string; [key: string]: unknown }>;

const conditionsOf = (object: KubeObject): readonly Condition[] =>
  (object.status as { conditions?: readonly Condition[] } | undefined)?.conditions ?? [];

/** What Kubernetes notices of a node that dies or comes back: its condition, its pods, their endpoints. */
export function createNodeLifecycle(
  options: Readonly<{ store: ObjectStore; clock: Clock; schedule: Schedule }>,
): Readonly<{
  died: (node: string) => void;
  /** Its containers run from now on; kubelet says Ready so many milliseconds later. */
  returned: (node: string, readyAfterMs: number) => void;
}> {
  const { store, clock, schedule } = options;
  const pending = new Map<string, () => void>();
  const time = () => new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z");

  const mark = (node: string, ready: boolean) => {
    const found = store.get("nodes", undefined, node);
    if (found === undefined) return;
    store.mergePatch("nodes", undefined, node, {
      status: {
        conditions: conditionsOf(found).map((condition) =>
          condition.type === "NetworkUnavailable"
            ? condition
            : {
                ...condition,
                status: ready ? (condition.type === "Ready" ? "True" : "False") : "Unknown",
                reason: ready ? condition.type : "NodeStatusUnknown",
                message: ready ? "kubelet is posting ready status" : "Kubelet stopped posting node status.",
                lastTransitionTime: time(),
              },
        ),
      },
    });
    for (const pod of store.list("pods").items)
      if ((pod.spec as { nodeName?: string } | undefined)?.nodeName === node)
        store.mergePatch("pods", pod.metadata.namespace, pod.metadata.name, {
          status: {
            conditions: conditionsOf(pod).map((condition) =>
              ["Ready", "ContainersReady"].includes(condition.type)
                ? { ...condition, status: ready ? "True" : "False" }
                : condition,
            ),
          },
        });
    for (const slice of store.list("endpointslices").items) {
      const endpoints = (slice.endpoints ?? []) as readonly Endpoint[];
      if (endpoints.some(({ nodeName }) => nodeName === node))
        store.mergePatch("endpointslices", slice.metadata.namespace, slice.metadata.name, {
          endpoints: endpoints.map((endpoint) =>
            endpoint.nodeName === node
              ? { ...endpoint, conditions: { ready, serving: ready, terminating: false } }
              : endpoint,
          ),
        });
    }
  };

  const startContainers = (node: string) => {
    const state = { running: { startedAt: time() } };
    for (const pod of store.list("pods").items) {
      if ((pod.spec as { nodeName?: string } | undefined)?.nodeName !== node) continue;
      const { containerStatuses } = (pod.status ?? {}) as {
        containerStatuses?: readonly Readonly<{ restartCount?: number }>[];
      };
      if (containerStatuses !== undefined)
        store.mergePatch("pods", pod.metadata.namespace, pod.metadata.name, {
          status: {
            containerStatuses: containerStatuses.map((each) => ({
              ...each,
              restartCount: (each.restartCount ?? 0) + 1,
              state,
            })),
          },
        });
    }
  };

  const after = (node: string, ms: number, ready: boolean) => {
    pending.get(node)?.();
    pending.set(
      node,
      schedule(ms, () => {
        pending.delete(node);
        mark(node, ready);
      }),
    );
  };

  return {
    died: (node) => after(node, nodeGraceMs, false),
    returned: (node, readyAfterMs) => {
      startContainers(node);
      after(node, readyAfterMs, true);
    },
  };
}
