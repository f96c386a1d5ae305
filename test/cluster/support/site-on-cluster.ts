import type { ClusterPorts } from "#bot/commands/command.ts";
import type { ClusterConnection } from "#shared/adapters/kubernetes.ts";
import { pluralOf, type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { KubeObject, ReadCluster } from "#shared/kubernetes/read.ts";
import type { KubeWrite } from "#shared/kubernetes/write.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import type { RawApi } from "./raw-api.ts";

/** What a run writes or compares; the rest of a cluster (nodes, pods, what speakers report) is the model's. */
export const realKinds = [
  "services",
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
  "communities",
] as const satisfies readonly ResourceKind[];

const isReal = (kind: ResourceKind): boolean => (realKinds as readonly ResourceKind[]).includes(kind);

const listPath = (kind: ResourceKind, namespace?: string): string => {
  const { group, version } = resourceKinds[kind];
  const inside = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `${group === "" ? "/api" : `/apis/${group}`}/${version}${inside}/${pluralOf(kind)}`;
};

type Fields = Readonly<Record<string, unknown>>;

/** What one makes of an object elsewhere: without what a server gives it. */
function anew({ metadata, spec, ...rest }: KubeObject, kind: ResourceKind): KubeObject {
  const { name, namespace, labels, annotations, finalizers } = metadata;
  // Addresses and ports of the server's own networks are its to give.
  const { clusterIP: _, clusterIPs: __, healthCheckNodePort: ___, ...kept } = (spec ?? {}) as Fields;
  const ports = (kept.ports as readonly Fields[] | undefined)?.map(({ nodePort: _, ...port }) => port);
  return {
    ...rest,
    metadata: Object.fromEntries(
      Object.entries({ name, namespace, labels, annotations, finalizers }).filter(([, v]) => v !== undefined),
    ) as KubeObject["metadata"],
    spec: kind === "services" ? { ...kept, ...(ports && { ports }) } : (spec ?? {}),
  };
}

const must = ({ status, body }: Awaited<ReturnType<RawApi["call"]>>, what: string): Fields => {
  if (status >= 300) throw new Error(`${what}: ${status} ${String(body.message)}`);
  return body;
};

/** Puts the model's Services and MetalLB's objects on a cluster that has none, and takes them away again. */
export async function putSite(
  api: RawApi,
  store: ObjectStore,
): Promise<Readonly<{ remove: () => Promise<void> }>> {
  for (const kind of realKinds) {
    const { items } = must(await api.call("GET", listPath(kind)), `list of ${kind}`) as {
      items: readonly KubeObject[];
    };
    const strange = items.filter(
      ({ spec }) => kind !== "services" || (spec as Fields).type === "LoadBalancer",
    );
    if (strange.length > 0)
      throw new Error(`this is no empty cluster: it has ${strange.length} ${kind}; nothing was written`);
  }
  const namespaces = new Set(
    realKinds.flatMap((kind) => store.list(kind).items.map(({ metadata }) => metadata.namespace ?? "")),
  );
  for (const name of namespaces) await api.call("POST", "/api/v1/namespaces", { metadata: { name } });
  const made: string[] = [];
  // A profile is there before the peer that names it, and a pool before its advertisement.
  for (const kind of [...realKinds].sort((a, b) => Number(/adv|peers/.test(a)) - Number(/adv|peers/.test(b))))
    for (const object of store.list(kind).items) {
      const path = listPath(kind, object.metadata.namespace);
      const what = `${kind} ${object.metadata.name}`;
      const body = must(await api.call("POST", path, anew(object, kind)), what);
      const own = `${path}/${object.metadata.name}`;
      made.push(own);
      if (kind === "services")
        must(await api.call("PUT", `${own}/status`, { ...body, status: object.status }), `status of ${what}`);
    }
  return {
    remove: async () => {
      for (const path of made.toReversed()) await api.call("DELETE", path);
      for (const kind of realKinds.filter((each) => each !== "services"))
        for (const namespace of namespaces) await api.call("DELETE", listPath(kind, namespace));
    },
  };
}

/** Does to the model what was done to the cluster: its speakers then do what MetalLB's would. */
function mirror(store: ObjectStore, write: KubeWrite, object: KubeObject | undefined): void {
  const { kind, namespace, name } =
    write.verb === "create" ? { kind: write.kind, ...write.object.metadata } : write.ref;
  const now = store.get(kind, namespace, name);
  const said =
    write.verb === "delete"
      ? store.remove(kind, namespace, name)
      : now === undefined
        ? store.create(kind, anew(object as KubeObject, kind))
        : store.update(kind, {
            ...now,
            metadata: {
              ...now.metadata,
              labels: object?.metadata.labels ?? {},
              annotations: object?.metadata.annotations ?? {},
            },
            spec: kind === "services" ? now.spec : object?.spec,
          });
  if (!said.ok) throw new Error(`the model does not follow: ${said.refusal.message}`);
}

/** The ports of a site whose Services and MetalLB's objects are on a real cluster, and everything else in the model. */
export const onCluster =
  (
    cluster: ClusterConnection,
    store: () => ObjectStore,
    writing: (write: KubeWrite, dryRun: boolean) => Promise<void>,
  ) =>
  (ports: ClusterPorts): ClusterPorts => ({
    ...ports,
    read: (async (kinds, signal) => {
      const real = await cluster.read(kinds.filter(isReal), signal);
      return {
        ...(await ports.read(
          kinds.filter((kind) => !isReal(kind)),
          signal,
        )),
        ...real,
      };
    }) as ReadCluster,
    write: async (write, options = {}) => {
      await writing(write, options.dryRun === true);
      const written = await cluster.write(write, options);
      if (written.ok && options.dryRun !== true) mirror(store(), write, written.object);
      return written;
    },
  });
