import type { KubeObject } from "../../kubernetes/read.ts";
import type { SiteSpec } from "../site-spec.ts";
import type { WebSpec } from "../web.ts";
import { patchObject, type SiteFault } from "./faults.ts";
import type { StoredObject } from "./stored-object.ts";

type Labelled = Readonly<{ spec?: Readonly<{ selector?: Readonly<Record<string, string>> }> }>;

const serviceOf = ({ name: site, objects }: SiteSpec, service: string): KubeObject & Labelled => {
  const found = objects.find(({ kind, object }) => kind === "services" && object.metadata.name === service);
  if (found === undefined) throw new Error(`${site} has no Service ${service}`);
  return found.object;
};

const isPodOf = (service: KubeObject & Labelled, { kind, object }: StoredObject): boolean =>
  kind === "pods" &&
  object.metadata.namespace === service.metadata.namespace &&
  Object.entries(service.spec?.selector ?? {}).every(
    ([key, value]) => object.metadata.labels?.[key] === value,
  );

const isSliceOf = (service: KubeObject, { kind, object }: StoredObject): boolean =>
  kind === "endpointslices" &&
  object.metadata.namespace === service.metadata.namespace &&
  object.metadata.labels?.["kubernetes.io/service-name"] === service.metadata.name;

type Endpoint = Readonly<{ targetRef?: Readonly<{ name?: string }>; [key: string]: unknown }>;

/** Pods of a Service whose container keeps ending; `only` the first so many of them. */
export const podsNotReady =
  (name: string, only = Number.POSITIVE_INFINITY): SiteFault =>
  (spec) => {
    const service = serviceOf(spec, name);
    const bad = new Set(
      spec.objects
        .filter((each) => isPodOf(service, each))
        .map(({ object }) => object.metadata.name)
        .slice(0, only),
    );
    return {
      ...spec,
      objects: spec.objects.map((each): StoredObject => {
        if (isPodOf(service, each) && bad.has(each.object.metadata.name))
          return {
            ...each,
            object: {
              ...each.object,
              status: {
                ...(each.object.status as object),
                conditions: [
                  { type: "PodScheduled", status: "True" },
                  { type: "Ready", status: "False" },
                  { type: "ContainersReady", status: "False" },
                ],
                containerStatuses: [
                  {
                    name: "app",
                    ready: false,
                    restartCount: 7,
                    state: { waiting: { reason: "CrashLoopBackOff" } },
                  },
                ],
              },
            },
          };
        if (!isSliceOf(service, each)) return each;
        const endpoints = ((each.object.endpoints ?? []) as readonly Endpoint[]).map((endpoint) =>
          bad.has(endpoint.targetRef?.name ?? "")
            ? { ...endpoint, conditions: { ready: false, serving: false, terminating: false } }
            : endpoint,
        );
        return { ...each, object: { ...each.object, endpoints } };
      }),
    };
  };

/** Nothing runs for a Service: no pod, and a slice without endpoints. */
export const withoutPods =
  (name: string): SiteFault =>
  (spec) => {
    const service = serviceOf(spec, name);
    return {
      ...spec,
      objects: spec.objects
        .filter((each) => !isPodOf(service, each))
        .map((each) =>
          isSliceOf(service, each) ? { ...each, object: { ...each.object, endpoints: [] } } : each,
        ),
    };
  };

/** A selector that no pod has; the endpoint controller has emptied the slice. */
export const selectsNothing =
  (name: string): SiteFault =>
  (spec) => {
    const service = serviceOf(spec, name);
    const emptied = {
      ...spec,
      objects: spec.objects.map((each) =>
        isSliceOf(service, each) ? { ...each, object: { ...each.object, endpoints: [] } } : each,
      ),
    };
    const old = Object.keys(service.spec?.selector ?? {});
    const selector = { ...Object.fromEntries(old.map((key) => [key, null])), app: "misspelt" };
    return patchObject("services", name, { spec: { selector } })(emptied);
  };

/** Pods that no node takes: they are there, and nowhere. */
export const unscheduled =
  (name: string): SiteFault =>
  (spec) => {
    const service = serviceOf(spec, name);
    return {
      ...spec,
      objects: spec.objects.map((each): StoredObject => {
        if (isSliceOf(service, each)) return { ...each, object: { ...each.object, endpoints: [] } };
        if (!isPodOf(service, each)) return each;
        const { nodeName: _, ...pod } = each.object.spec as Readonly<{ nodeName?: string }>;
        return {
          ...each,
          object: {
            ...each.object,
            spec: pod,
            status: {
              phase: "Pending",
              conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }],
            },
          },
        };
      }),
    };
  };

/** The Service sends to a port on which no container listens; its slice follows. */
export const targetPort =
  (name: string, port: number): SiteFault =>
  (spec) => {
    const service = serviceOf(spec, name);
    const ports = (service.spec as unknown as Readonly<{ ports: readonly object[] }>).ports;
    const changed = patchObject("services", name, {
      spec: { ports: ports.map((each) => ({ ...each, targetPort: port })) },
    })(spec);
    return {
      ...changed,
      objects: changed.objects.map((each) =>
        isSliceOf(service, each)
          ? { ...each, object: { ...each.object, ports: [{ name: "http", port, protocol: "TCP" }] } }
          : each,
      ),
    };
  };

/** What the pods of a Service say to a client. */
export const serves =
  (web: WebSpec): SiteFault =>
  (spec) => ({ ...spec, web: [...(spec.web ?? []), web] });

const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

/** The label on these nodes; on every node without names. */
export const excluded =
  (...names: readonly string[]): SiteFault =>
  (spec) =>
    (names.length > 0 ? names : spec.nodes.map(({ name }) => name)).reduce(
      (site, name) => patchObject("nodes", name, { metadata: { labels: { [excludeLabel]: "" } } })(site),
      spec,
    );

/** Conditions of a node; kubelet and the CNI have the last word on both. */
export const nodeConditions =
  (
    name: string,
    conditions: Readonly<Record<string, readonly [status: string, reason: string, message?: string]>>,
  ): SiteFault =>
  (spec) => {
    const node = spec.objects.find(({ kind, object }) => kind === "nodes" && object.metadata.name === name);
    const had = ((node?.object.status as { conditions?: readonly { type: string }[] } | undefined)
      ?.conditions ?? []) as readonly Readonly<{ type: string }>[];
    return patchObject("nodes", name, {
      status: {
        conditions: [
          ...had.filter(({ type }) => conditions[type] === undefined),
          ...Object.entries(conditions).map(([type, [status, reason, message = ""]]) => ({
            type,
            status,
            reason,
            message,
            lastTransitionTime: "2026-03-01T13:58:00Z",
          })),
        ],
      },
    })(spec);
  };
