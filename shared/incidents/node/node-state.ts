import * as z from "zod";
import { instant as time, optionalWord as word } from "../../kubernetes/object-fields.ts";
import type { KubeObject } from "../../kubernetes/read.ts";

/** What the API keeps of a node, as far as somebody asks whether it is still there. */
export type NodeState = Readonly<{
  name: string;
  internalIp: string | undefined;
  /** The Ready condition; undefined where kubelet has never said. Times are milliseconds since the epoch. */
  ready: Readonly<{ status: string; reason: string; message: string; since: number | undefined }> | undefined;
  networkUnavailable: boolean;
  cordoned: boolean;
  /** Being deleted since then. */
  deleting: number | undefined;
  created: number | undefined;
  labels: Readonly<Record<string, string>>;
}>;

const shape = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    creationTimestamp: time,
    deletionTimestamp: time,
    labels: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.looseObject({ unschedulable: z.boolean().nullish() }).nullish(),
  status: z
    .looseObject({
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).nullish(),
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            reason: word,
            message: word,
            lastTransitionTime: time,
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** Undefined when the object is none that could be read as a Node. */
export function readNodeState(object: KubeObject): NodeState | undefined {
  const read = shape.safeParse(object).data;
  if (read === undefined) return undefined;
  const { metadata, spec, status } = read;
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type);
  const ready = condition("Ready");
  return {
    name: metadata.name,
    internalIp: status?.addresses?.find(({ type }) => type === "InternalIP")?.address,
    ready: ready && {
      status: ready.status,
      reason: ready.reason,
      message: ready.message,
      since: ready.lastTransitionTime,
    },
    networkUnavailable: condition("NetworkUnavailable")?.status === "True",
    cordoned: spec?.unschedulable ?? false,
    deleting: metadata.deletionTimestamp,
    created: metadata.creationTimestamp,
    labels: metadata.labels ?? {},
  };
}
