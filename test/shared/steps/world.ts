import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { Twin } from "#shared/twin/twin.ts";

/** What a person does who applies the values: the speakers come up again in another mode. */
export function setBgpMode(twin: Twin, mode: string): void {
  const { store, spec } = twin;
  const found = store.get("daemonsets", spec.metallb.namespace, "metallb-speaker") as KubeObject & {
    spec: { template: { spec: { containers: { name: string; env: { name: string; value?: string }[] }[] } } };
  };
  const { template } = found.spec;
  const containers = template.spec.containers.map((container) =>
    container.name !== "speaker"
      ? container
      : {
          ...container,
          env: [
            ...container.env.filter(({ name }) => name !== "METALLB_BGP_TYPE"),
            { name: "METALLB_BGP_TYPE", value: mode },
          ],
        },
  );
  const result = store.update("daemonsets", {
    ...found,
    spec: { ...found.spec, template: { ...template, spec: { ...template.spec, containers } } },
  } as KubeObject);
  if (!result.ok) throw new Error(result.refusal.message);
}

/** What kube-controller-manager does for a new Service: an EndpointSlice of the pods that its selector finds. */
export function followServices(twin: Twin): void {
  const { store } = twin;
  store.subscribe(({ type, kind, object }) => {
    const { selector } = (object.spec ?? {}) as { selector?: Record<string, string> };
    const { namespace, name } = object.metadata;
    if (kind !== "services" || type !== "ADDED" || selector === undefined || namespace === undefined) return;
    if (store.get("endpointslices", namespace, `${name}-echo`) !== undefined) return;
    const pods = store
      .list("pods", namespace)
      .items.filter(({ metadata: { labels = {} } }) =>
        Object.entries(selector).every(([key, value]) => labels[key] === value),
      );
    store.create("endpointslices", {
      metadata: { name: `${name}-echo`, namespace, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: pods.map(({ spec, status }) => ({
        addresses: [(status as { podIP: string }).podIP],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: (spec as { nodeName: string }).nodeName,
      })),
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    });
  });
}

/** Specs of what the run touches, by kind and name: what a rollback has to bring back. */
export const touched = (twin: Twin): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    (["ipaddresspools", "l2advertisements", "bgpadvertisements", "bgppeers", "bfdprofiles"] as const).flatMap(
      (kind) => twin.store.list(kind).items.map((object) => [`${kind}/${object.metadata.name}`, object.spec]),
    ),
  );
