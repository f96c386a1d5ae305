import * as z from "zod";
import type { KubeObject } from "../kubernetes/read.ts";
import { parseMetalLbObjects } from "../metallb/resources.ts";
import type { ObjectStore } from "./object-store.ts";
import type { ServedAddress } from "./reach.ts";

type Services = ReadonlyMap<string, Readonly<{ namespace: string; name: string; local: boolean }>>;
type Slices = ReadonlyMap<string, readonly string[]>;

/** Lists of the store are the same array until something of their kind changes. */
const servicesOf = new WeakMap<readonly KubeObject[], Services>();
const readyOf = new WeakMap<readonly KubeObject[], Slices>();

function services(items: readonly KubeObject[]): Services {
  const known = servicesOf.get(items);
  if (known !== undefined) return known;
  const found = new Map(
    parseMetalLbObjects(items)
      .objects.services.toReversed()
      .flatMap(({ namespace, name, externalTrafficPolicy, ingress }) =>
        ingress.flatMap(({ ip }) =>
          ip === undefined
            ? []
            : [[ip, { namespace, name, local: externalTrafficPolicy === "Local" }] as const],
        ),
      ),
  );
  servicesOf.set(items, found);
  return found;
}

function ready(items: readonly KubeObject[]): Slices {
  const known = readyOf.get(items);
  if (known !== undefined) return known;
  const found = new Map<string, readonly string[]>();
  for (const { namespace, service, endpoints } of parseMetalLbObjects(items).objects.endpointSlices) {
    const key = `${namespace}/${service}`;
    const nodes = endpoints.flatMap((endpoint) =>
      (endpoint.ready ?? true) && endpoint.nodeName !== undefined ? [endpoint.nodeName] : [],
    );
    found.set(key, [...(found.get(key) ?? []), ...nodes]);
  }
  readyOf.set(items, found);
  return found;
}

const portsShape = z.object({
  spec: z.object({ ports: z.array(z.looseObject({ port: z.number(), protocol: z.string().nullish() })) }),
});

/** UDP ports cannot be connected to. */
const tcpPorts = (service: KubeObject | undefined): readonly number[] =>
  (portsShape.safeParse(service).data?.spec.ports ?? []).flatMap(({ port, protocol }) =>
    (protocol ?? "TCP") === "TCP" ? [port] : [],
  );

const targetShape = z.object({
  spec: z.object({
    selector: z.record(z.string(), z.string()).nullish(),
    ports: z.array(
      z.looseObject({ port: z.number(), targetPort: z.union([z.number(), z.string()]).nullish() }),
    ),
  }),
});

const containerShape = z.object({
  spec: z.object({
    containers: z.array(
      z.looseObject({
        ports: z.array(z.looseObject({ containerPort: z.number(), name: z.string().nullish() })).nullish(),
      }),
    ),
  }),
});

/** Pods listen on the ports that they declare; a pod that declares none is taken to listen wherever it is asked. */
function listens(store: ObjectStore, service: KubeObject | undefined, port: number): boolean {
  const spec = targetShape.safeParse(service).data?.spec;
  const entry = spec?.ports.find((each) => each.port === port);
  const selector = Object.entries(spec?.selector ?? {});
  if (service === undefined || entry === undefined || selector.length === 0) return true;
  const declared = store
    .list("pods", service.metadata.namespace)
    .items.filter(({ metadata }) => selector.every(([key, value]) => metadata.labels?.[key] === value))
    .flatMap((pod) => containerShape.safeParse(pod).data?.spec.containers ?? [])
    .flatMap(({ ports }) => ports ?? []);
  const target = entry.targetPort ?? entry.port;
  return (
    declared.length === 0 ||
    declared.some(({ containerPort, name }) => containerPort === target || name === target)
  );
}

/** The Service that has an address, as kube-proxy programs it on every node; undefined when none has. */
export function servedAddress(store: ObjectStore, ip: string): ServedAddress | undefined {
  const service = services(store.list("services").items).get(ip);
  if (service === undefined) return undefined;
  const { namespace, name, local } = service;
  return {
    local,
    readyOn: ready(store.list("endpointslices").items).get(`${namespace}/${name}`) ?? [],
    get ports() {
      return tcpPorts(store.get("services", namespace, name));
    },
    listens: (port) => listens(store, store.get("services", namespace, name), port),
  };
}
