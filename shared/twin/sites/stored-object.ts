import type { ResourceKind } from "../../kubernetes/kinds.ts";
import { resourceKinds } from "../../kubernetes/kinds.ts";
import type { KubeObject } from "../../kubernetes/read.ts";
import type { SiteSpec } from "../site-spec.ts";

export type StoredObject = SiteSpec["objects"][number];

/** When the sites' objects were made: long before anybody looks. */
export const created = "2025-03-02T18:20:11Z";

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
      ...rest,
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
