import type { LogRequest } from "../kubernetes/logs.ts";
import type { KubeObject } from "../kubernetes/read.ts";
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

/** The Deployment whose ExternalDNS runs in a pod, `namespace/name`. */
function externalDnsOf({ store, externalDns }: Twin, { metadata }: KubeObject): string | undefined {
  return externalDns.deployments().find((key) => {
    const [namespace = "", name = ""] = key.split("/");
    const deployment = store.get("deployments", namespace, name);
    const { selector } = (deployment?.spec ?? {}) as {
      selector?: { matchLabels?: Readonly<Record<string, string>> };
    };
    const labels = Object.entries(selector?.matchLabels ?? {});
    return (
      namespace === metadata.namespace &&
      labels.length > 0 &&
      labels.every(([label, value]) => metadata.labels?.[label] === value)
    );
  });
}

type Line = Readonly<{ at: number; text: string }>;

/** As logrus stamps its lines. */
const stamped = (text: string): Line => ({
  at: Date.parse(/^time="([^"]+)"/.exec(text)?.[1] ?? ""),
  text,
});

/** What a container has written; undefined where the model does not know. */
function linesOf(twin: Twin, pod: KubeObject, container: string, node: string): readonly Line[] | undefined {
  const component = pod.metadata.labels?.["app.kubernetes.io/component"];
  if (component === "speaker" && container === "speaker" && twin.hasMachine(node))
    return twin.speakerLog(node);
  const deployment = externalDnsOf(twin, pod);
  return deployment === undefined ? undefined : (twin.externalDns.log(deployment) ?? []).map(stamped);
}

/**
 * The log of a container, or how the API server refuses it. Speakers and ExternalDNS write; what other containers write is not part of
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
  const written = linesOf(twin, pod, container, nodeName);
  if (written === undefined)
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
  const lines = written.filter(({ at }) => at >= after);
  return {
    lines: (tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - tailLines))).map(
      ({ text }) => text,
    ),
  };
}
