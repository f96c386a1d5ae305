import { isFault } from "../../fault.ts";
import { counted } from "../../report/wording.ts";
import { code, type Text, text } from "../../text.ts";
import { holds, skipped, unseen } from "../make-link.ts";
import type { PathEvidence } from "./evidence.ts";
import { predictionOf } from "./judge-address.ts";
import { lostNode } from "./lost-node.ts";
import { fails, type Judged, only, type Reason } from "./reason.ts";
import {
  type EndpointFacts,
  endpointsOf,
  type PodFacts,
  podsOf,
  type ServiceFacts,
} from "./service-facts.ts";

const api = "Kubernetes API";
const heads = {
  endpoints: { id: "endpoints", title: "Pods are ready behind it", from: api },
  nodes: { id: "pods-nodes", title: "Its pods are where traffic can reach them", from: api },
} as const;

const missing = { kind: "unreadable", what: "endpoints", detail: "EndpointSlices were not listed" } as const;

const selectorText = ({ selector }: ServiceFacts): string =>
  Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** Why none of the pods takes traffic, in the words of the first that says why. */
function notReady(
  service: ServiceFacts,
  pods: readonly PodFacts[] | undefined,
): Readonly<{ code: string; text: Text }> {
  if (Object.keys(service.selector).length === 0)
    return {
      code: "no-endpoints",
      text: text`${code(service.key)} has no selector, and nobody gave it endpoints`,
    };
  if (pods === undefined)
    return { code: "no-ready-endpoint", text: text`no endpoint of ${code(service.key)} is ready` };
  if (pods.length === 0)
    return {
      code: "no-pods",
      text: text`no pod has the labels that ${code(service.key)} selects (${code(selectorText(service))})`,
    };
  const unscheduled = pods.filter(({ node }) => node === undefined);
  if (unscheduled.length === pods.length)
    return {
      code: "pods-not-scheduled",
      text: text`${counted(pods.length, "pod")} of ${code(service.key)} found no node`,
    };
  const trouble = pods.find((pod) => pod.trouble !== undefined)?.trouble;
  return {
    code: "no-ready-endpoint",
    text: text`none of ${counted(pods.length, "pod")} of ${code(service.key)} is ready${trouble === undefined ? "" : ` (${trouble})`}, so nothing answers behind it`,
  };
}

/** Where the Service leads and no container says that it listens; undefined when that fits or nothing is declared. */
function wrongTarget(
  service: ServiceFacts,
  pods: readonly PodFacts[] | undefined,
): Readonly<{ port: number; target: number | string; declared: readonly string[] }> | undefined {
  const declared = (pods ?? []).flatMap(({ ports }) => ports);
  if (declared.length === 0) return undefined;
  const wrong = service.ports.find(
    ({ target }) => !declared.some(({ name, port }) => port === target || name === target),
  );
  return (
    wrong && {
      port: wrong.port,
      target: wrong.target,
      declared: [
        ...new Set(
          declared.map(({ name, port }) => (name === undefined ? String(port) : `${port} (${name})`)),
        ),
      ],
    }
  );
}

const lines = (
  endpoints: readonly EndpointFacts[],
  pods: readonly PodFacts[] | undefined,
): readonly string[] => [
  ...endpoints.map(
    ({ address, node, pod, ready, serving }) =>
      `${address}  ${node ?? "no node"}  ${pod ?? ""}  ${ready ? "ready" : serving ? "serving" : "not ready"}`,
  ),
  ...(pods ?? [])
    .filter(({ name }) => !endpoints.some(({ pod }) => pod === name))
    .map(
      ({ name, node, phase, trouble }) =>
        `${name}  ${node ?? "no node"}  ${phase}${trouble === undefined ? "" : ` ${trouble}`}`,
    ),
];

function endpointsLink(evidence: PathEvidence): Judged {
  const { lists, service, clients } = evidence;
  const head = heads.endpoints;
  if (service === undefined) return only(skipped(head, text`there is no Service to look behind`));
  const endpoints = endpointsOf(lists.endpointslices ?? missing, service.key);
  if (endpoints === undefined) {
    const slices = lists.endpointslices;
    return only(unseen(head, slices !== undefined && isFault(slices) ? slices : missing));
  }
  const pods = podsOf(lists.pods ?? missing, service);
  const shown = { title: "endpoints", lines: lines(endpoints, pods) };
  const [namespace, name] = service.key.split("/");
  const base = { link: "endpoints", certain: true, subject: { kind: "service", name: service.key } } as const;
  const usable = endpoints.filter(({ ready, serving }) => ready || serving);
  if (usable.length === 0) {
    const why = notReady(service, pods);
    const reason: Reason = {
      ...base,
      ...why,
      next: [
        text`${code(`kubectl -n ${namespace} describe pods -l ${selectorText(service) || `app=${name}`}`)}`,
        text`What changed: ${code("/arpeggio changes")}`,
      ],
    };
    return fails(head, why.text, [reason], shown);
  }
  const target = wrongTarget(service, pods);
  const refused = clients.some(({ tcp }) =>
    tcp.some(({ port, answer }) => port === target?.port && answer.ok && answer.evidence === "refused"),
  );
  if (target !== undefined && refused) {
    const because = text`port ${target.port} leads to targetPort ${target.target}, and the containers declare ${target.declared.join(", ")}: the connection is refused`;
    return fails(
      head,
      because,
      [
        {
          ...base,
          code: "target-port",
          text: because,
          facts: { port: target.port, targetPort: target.target },
          explains: ["tcp", "tls", "http"],
          next: [
            text`Correct targetPort of ${code(service.key)} at its source; who changed it: ${code("/arpeggio changes")}`,
          ],
        },
      ],
      shown,
    );
  }
  const idle = endpoints.length - usable.length;
  return only(
    holds(
      head,
      text`${usable.length} of ${counted(endpoints.length, "endpoint")} ${usable.length === 1 ? "takes" : "take"} traffic`,
      {
        evidence: shown,
        findings:
          idle === 0
            ? []
            : [
                {
                  code: "some-endpoints-not-ready",
                  severity: "info",
                  subject: { kind: "service", name: service.key },
                  facts: { ready: usable.length, all: endpoints.length },
                  text: text`${idle} of ${endpoints.length} endpoints of ${code(service.key)} take no traffic`,
                },
              ],
      },
    ),
  );
}

function nodesLink(evidence: PathEvidence): Judged {
  const { lists, service, surroundings, wire } = evidence;
  const head = heads.nodes;
  if (service === undefined) return only(skipped(head, text`there is no Service to look behind`));
  const endpoints = endpointsOf(lists.endpointslices ?? missing, service.key);
  if (endpoints === undefined || surroundings.faults.has("nodes"))
    return only(unseen(head, surroundings.faults.get("nodes") ?? missing));
  const usable = endpoints.filter(({ ready, serving }) => ready || serving);
  if (usable.length === 0) return only(skipped(head, text`no endpoint takes traffic`));
  const nodes = [...new Set(usable.flatMap(({ node }) => node ?? []))];
  const dead = nodes.filter((node) => surroundings.notReady.has(node));
  const base = { link: "pods-nodes", subject: { kind: "service", name: service.key } } as const;
  if (dead.length > 0) {
    const all = dead.length === nodes.length;
    const because = text`${all ? "every ready pod is" : "ready pods are"} on ${dead.join(", ")}, which ${dead.length === 1 ? "is" : "are"} not Ready`;
    return fails(head, because, [
      {
        ...base,
        code: "endpoints-on-lost-node",
        certain: true,
        severity: all ? "error" : "warning",
        text: text`${because}: ${all ? "all" : "some"} connections are led there until Kubernetes takes them out (about 50 s) and moves the pods (minutes)`,
        explains: all ? ["tcp", "tls", "http"] : [],
        next: [text`The node: ${code(`/runbook run node-lost ${dead[0] ?? ""}`)}`],
      },
    ]);
  }
  const gone = nodes.filter((node) => lostNode(evidence, node) !== undefined);
  if (gone.length > 0) {
    const all = gone.length === nodes.length;
    const because = text`${all ? "every ready pod is" : "ready pods are"} on ${gone.join(", ")}, which answers neither ping nor SSH`;
    return fails(head, because, [
      {
        ...base,
        code: "endpoints-on-lost-node",
        certain: true,
        severity: all ? "error" : "warning",
        text: text`${because}; Kubernetes has not noticed yet, so ${all ? "all" : "some"} connections are led there (about 50 s after it died)`,
        explains: all ? ["tcp", "tls", "http"] : [],
        next: [text`The node: ${code(`/runbook run node-lost ${gone[0] ?? ""}`)}`],
      },
    ]);
  }
  if (service.policy !== "Local")
    return only(
      holds(head, text`on ${nodes.join(", ") || "unnamed nodes"}; policy Cluster, so any node leads there`),
    );
  const announcer = (wire?.ok ? wire.evidence.verdict.node : undefined) ?? predictionOf(evidence)?.order[0];
  if (announcer === undefined)
    return only(skipped(head, text`policy Local, and nobody is known to announce`));
  if (nodes.includes(announcer))
    return only(holds(head, text`policy Local, and ${announcer} has an endpoint of its own`));
  const because = text`policy Local, and ${announcer}, which announces it, has no ready pod (they are on ${nodes.join(", ")})`;
  return fails(head, because, [
    {
      ...base,
      code: "no-local-endpoint",
      certain: true,
      text: text`${because}: it drops everything it is sent`,
      next: [
        text`Run a pod on ${announcer}, or use policy Cluster; who else could announce: ${code(`/nodes impact ${announcer}`)}`,
      ],
    },
  ]);
}

/** What is behind the address: endpoints, and the nodes that they are on. */
export const judgePods = (evidence: PathEvidence): readonly Judged[] => [
  endpointsLink(evidence),
  nodesLink(evidence),
];
