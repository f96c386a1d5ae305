import type { Twin } from "#shared/twin/twin.ts";

export { setBgpMode } from "#infra/lab/set-bgp-mode.ts";

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
