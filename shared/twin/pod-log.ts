import type { LogRequest } from "../kubernetes/logs.ts";
import { badRequest, notFound } from "../kubernetes/refusals.ts";
import type { Refusal } from "./object-store.ts";
import type { Twin } from "./twin.ts";

export type PodLog = Readonly<{ lines: readonly string[] }> | Readonly<{ refusal: Refusal }>;

type Pod = Readonly<{ nodeName?: string; containers?: readonly { name: string }[] }>;

/** Which of a pod's containers is meant, in the API server's words where that cannot be said. */
function containerOf(
  request: Pick<LogRequest, "pod" | "container">,
  names: readonly string[],
): string | Refusal {
  const { pod, container } = request;
  if (container !== undefined)
    return names.includes(container)
      ? container
      : badRequest(`container ${container} is not valid for pod ${pod}`);
  const [only = ""] = names;
  return names.length === 1
    ? only
    : badRequest(`a container name must be specified for pod ${pod}, choose one of: [${names.join(" ")}]`);
}

/**
 * The log of a container, or how the API server refuses it. Speakers write; what other containers write is not part of
 * the model, and that is said rather than shown as silence.
 */
export function podLogOf(
  twin: Twin,
  request: Omit<LogRequest, "tailLines"> & { tailLines?: number },
): PodLog {
  const { namespace, pod: name, tailLines, sinceSeconds } = request;
  const pod = twin.store.get("pods", namespace, name);
  if (pod === undefined) return { refusal: notFound("pods", name) };
  const { nodeName = "", containers = [] } = (pod.spec ?? {}) as Pod;
  const container = containerOf(
    request,
    containers.map((each) => each.name),
  );
  if (typeof container !== "string") return { refusal: container };
  const isSpeaker = pod.metadata.labels?.["app.kubernetes.io/component"] === "speaker";
  if (!isSpeaker || container !== "speaker" || !twin.hasMachine(nodeName))
    return {
      refusal: {
        code: 501,
        reason: "NotImplemented",
        message: `what container ${container} of pod ${namespace}/${name} writes is not modelled`,
      },
    };
  if (!twin.isReachable(nodeName))
    return {
      refusal: {
        code: 500,
        reason: "InternalError",
        message: `Get "https://${nodeName}:10250/containerLogs/${namespace}/${name}/${container}": dial tcp: i/o timeout`,
      },
    };
  const after = sinceSeconds === undefined ? 0 : twin.clock.now() - sinceSeconds * 1_000;
  const lines = twin.speakerLog(nodeName).filter(({ at }) => at >= after);
  return {
    lines: (tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - tailLines))).map(
      ({ text }) => text,
    ),
  };
}
