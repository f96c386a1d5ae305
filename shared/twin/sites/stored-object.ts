import type { ResourceKind } from "../../kubernetes/kinds.ts";
import { resourceKinds } from "../../kubernetes/kinds.ts";
import type { KubeObject } from "../../kubernetes/read.ts";
import type { SiteSpec } from "../site-spec.ts";

export type StoredObject = SiteSpec["objects"][number];

/** When the sites' objects were made: long before anybody looks. */
export const created = "2025-03-02T18:20:11Z";

/** Running pods say so of every container, as the kubelet does. */
function containerStatuses(rest: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { spec, status } = rest as {
    spec?: { containers?: readonly { name: string; image?: string }[] };
    status?: { phase?: string };
  };
  if (status?.phase !== "Running" || spec?.containers === undefined) return rest;
  const statuses = spec.containers.map(({ name, image }) => ({
    name,
    image: image ?? name,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: created } },
  }));
  return { ...rest, status: { ...status, containerStatuses: statuses } };
}

/** An object with apiVersion and kind as the API gives them. */
export function object(
  kind: ResourceKind,
  metadata: KubeObject["metadata"],
  rest: Readonly<Record<string, unknown>> = {},
): StoredObject {
  const { group, version, kind: name } = resourceKinds[kind];
  return {
    kind,
    object: {
      apiVersion: group === "" ? version : `${group}/${version}`,
      kind: name,
      metadata: { creationTimestamp: created, ...metadata },
      ...(kind === "pods" ? containerStatuses(rest) : rest),
    },
  };
}

/** Status of a pod that runs and is ready. */
export const running = (ip: string | undefined) => ({
  phase: "Running",
  podIP: ip,
  conditions: [
    { type: "Initialized", status: "True" },
    { type: "Ready", status: "True" },
    { type: "ContainersReady", status: "True" },
    { type: "PodScheduled", status: "True" },
  ],
});
