import * as z from "zod";
import { isFault } from "../../fault.ts";
import type { KubeObject, Listed } from "../../kubernetes/read.ts";

export type ServicePort = Readonly<{
  name: string;
  port: number;
  protocol: string;
  /** A number, or the name that containers give the port. */
  target: number | string;
  appProtocol: string | undefined;
}>;

/** What a Service says of itself that MetalLB's reading of it leaves out. */
export type ServiceFacts = Readonly<{
  /** `namespace/name`. */
  key: string;
  type: string;
  ports: readonly ServicePort[];
  selector: Readonly<Record<string, string>>;
  policy: "Cluster" | "Local";
  loadBalancerClass: string | undefined;
  deleting: boolean;
}>;

const optional = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const strings = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

const serviceShape = z.looseObject({
  metadata: z.looseObject({ deletionTimestamp: optional }),
  spec: z.looseObject({
    type: optional,
    selector: strings,
    externalTrafficPolicy: optional,
    loadBalancerClass: optional,
    ports: z
      .array(
        z.looseObject({
          name: optional,
          port: z.number(),
          protocol: optional,
          targetPort: z.union([z.number(), z.string()]).nullish(),
          appProtocol: optional,
        }),
      )
      .nullish(),
  }),
});

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? "default"}/${metadata.name}`;

/** Undefined when the list does not have it, or it could not be read. */
export function serviceFacts(services: Listed, key: string): ServiceFacts | undefined {
  if (isFault(services)) return undefined;
  const read = serviceShape.safeParse(services.find((each) => keyOf(each) === key));
  if (!read.success) return undefined;
  const { metadata, spec } = read.data;
  return {
    key,
    type: spec.type ?? "ClusterIP",
    selector: spec.selector,
    policy: spec.externalTrafficPolicy === "Local" ? "Local" : "Cluster",
    loadBalancerClass: spec.loadBalancerClass,
    deleting: metadata.deletionTimestamp !== undefined,
    ports: (spec.ports ?? []).map(({ name, port, protocol, targetPort, appProtocol }) => ({
      name: name ?? "",
      port,
      protocol: protocol ?? "TCP",
      target: targetPort ?? port,
      appProtocol,
    })),
  };
}

export type PodFacts = Readonly<{
  name: string;
  node: string | undefined;
  phase: string;
  ready: boolean;
  /** Why a container waits or keeps ending, in the kubelet's word: `CrashLoopBackOff`, `ImagePullBackOff`. */
  trouble: string | undefined;
  /** Ports that containers declare; they are a note, not a rule. */
  ports: readonly Readonly<{ name: string | undefined; port: number }>[];
}>;

const podShape = z.looseObject({
  spec: z.looseObject({
    nodeName: optional,
    containers: z.array(
      z.looseObject({
        ports: z.array(z.looseObject({ name: optional, containerPort: z.number() })).nullish(),
      }),
    ),
  }),
  status: z
    .looseObject({
      phase: optional,
      conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).nullish(),
      containerStatuses: z
        .array(
          z.looseObject({
            state: z
              .looseObject({
                waiting: z.looseObject({ reason: optional }).nullish(),
                terminated: z.looseObject({ reason: optional }).nullish(),
              })
              .nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** Pods that the Service's selector means; none without a selector. Undefined when they could not be listed. */
export function podsOf(pods: Listed, { key, selector }: ServiceFacts): readonly PodFacts[] | undefined {
  if (isFault(pods)) return undefined;
  const wanted = Object.entries(selector);
  if (wanted.length === 0) return [];
  const namespace = key.slice(0, key.indexOf("/"));
  return pods
    .filter(
      ({ metadata }) =>
        metadata.namespace === namespace &&
        wanted.every(([name, value]) => metadata.labels?.[name] === value),
    )
    .flatMap((pod) => {
      const read = podShape.safeParse(pod);
      if (!read.success) return [];
      const { spec, status } = read.data;
      const states = (status?.containerStatuses ?? []).map(({ state }) => state);
      return [
        {
          name: pod.metadata.name,
          node: spec.nodeName,
          phase: status?.phase ?? "Unknown",
          ready: (status?.conditions ?? []).some((each) => each.type === "Ready" && each.status === "True"),
          trouble:
            states.find((state) => state?.waiting?.reason)?.waiting?.reason ??
            states.find((state) => state?.terminated?.reason)?.terminated?.reason,
          ports: spec.containers.flatMap(({ ports }) =>
            (ports ?? []).map((each) => ({ name: each.name, port: each.containerPort })),
          ),
        },
      ];
    });
}

/** An address that kube-proxy may send to. */
export type EndpointFacts = Readonly<{
  address: string;
  node: string | undefined;
  pod: string | undefined;
  ready: boolean;
  serving: boolean;
}>;

const sliceShape = z.looseObject({
  metadata: z.looseObject({ labels: strings, namespace: optional }),
  endpoints: z
    .array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: z.looseObject({ ready: z.boolean().nullish(), serving: z.boolean().nullish() }).nullish(),
        nodeName: optional,
        targetRef: z.looseObject({ kind: optional, name: optional }).nullish(),
      }),
    )
    .nullish(),
});

/** Endpoints of a Service; undefined when they could not be listed. */
export function endpointsOf(slices: Listed, key: string): readonly EndpointFacts[] | undefined {
  if (isFault(slices)) return undefined;
  return slices.flatMap((slice) => {
    const read = sliceShape.safeParse(slice);
    if (!read.success) return [];
    const { metadata, endpoints } = read.data;
    if (`${metadata.namespace ?? "default"}/${metadata.labels["kubernetes.io/service-name"]}` !== key)
      return [];
    return (endpoints ?? []).flatMap(({ addresses, conditions, nodeName, targetRef }) => {
      const ready = conditions?.ready ?? true;
      const pod = targetRef?.kind === "Pod" ? targetRef.name : undefined;
      return addresses.map((address) => ({
        address,
        node: nodeName,
        pod,
        ready,
        serving: conditions?.serving ?? ready,
      }));
    });
  });
}

const secure: readonly number[] = [443, 6443, 8443, 9443];
const plain: readonly number[] = [80, 3000, 8000, 8080, 8081, 8888, 9090];

/** What a client would speak on a port: what the Service says, else what the number is known for. */
export function schemeOf({ name, port, protocol, appProtocol }: ServicePort): "http" | "https" | undefined {
  if (protocol !== "TCP") return undefined;
  const said = appProtocol?.toLowerCase();
  if (said !== undefined) {
    if (/https|tls|wss/.test(said)) return "https";
    return /http|h2c|(^|\/)ws$/.test(said) ? "http" : undefined;
  }
  if (secure.includes(port) || /^https/.test(name)) return "https";
  return /^(http|web)/.test(name) || plain.includes(port) ? "http" : undefined;
}
