import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { RouteSpec, SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { addObject, patchObject, plugIn, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpObjects } from "#shared/twin/sites/goldentooth-plan.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";
import type { SitePlan } from "#shared/twin/sites/site-plan.ts";
import { object } from "#shared/twin/sites/stored-object.ts";

export const namespace = "metallb";

export const healthyWith =
  (...faults: readonly SiteFault[]) =>
  (): SiteSpec =>
    withFaults(healthy(), ...faults);

export const planned = (change: Partial<SitePlan>) => (): SiteSpec =>
  buildSite({ ...healthyPlan, ...change });

export const advertisement = (spec: unknown): SiteFault =>
  patchObject("l2advertisements", "primary", { spec });

/** A vantage has a route beside those it has. */
export const vantageRoutes =
  (name: string, route: RouteSpec): SiteFault =>
  (spec) => ({
    ...spec,
    vantages: spec.vantages.map((each) =>
      each.name === name ? { ...each, routes: [...(each.routes ?? []), route] } : each,
    ),
  });

/** A node that is tested from as well, by its own name. */
export const vantageOn =
  (node: string): SiteFault =>
  (spec) => ({
    ...spec,
    vantages: [...spec.vantages, { name: node, place: "lan-wired", clusterNode: node, nics: [] }],
  });

/** MetalLB's webhooks as they were applied, before the controller filled in its CA. */
export const withoutCa: SiteFault = (spec) => ({
  ...spec,
  objects: spec.objects.map((each) => {
    if (each.kind !== "validatingwebhookconfigurations") return each;
    const { webhooks } = each.object as KubeObject & { webhooks: readonly { clientConfig: object }[] };
    const bare = webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle: "" },
    }));
    return { ...each, object: { ...each.object, webhooks: bare } };
  }),
});

export const everyInterface = advertisement({ interfaces: null });

export const pool = (...addresses: readonly string[]): SiteFault =>
  patchObject("ipaddresspools", "primary", { spec: { addresses } });

export const bgpLeft = (kinds: readonly string[]): readonly SiteFault[] =>
  bgpObjects
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, object: { metadata, spec } }) => addObject(kind, metadata, { spec }));

/** The interface that kube-proxy keeps the Services' addresses on. */
export const ipvsEverywhere: readonly SiteFault[] = healthy().nodes.map(({ name }, i) =>
  plugIn(name, {
    name: "kube-ipvs0",
    kind: "dummy",
    mac: `9a:5b:11:00:00:${(0x10 + i).toString(16)}`,
    addresses: [],
    segment: null,
    noArp: true,
    up: false,
  }),
);

export const serviceOf = (spec: SiteSpec, name: string): KubeObject => {
  const found = spec.objects.find(
    ({ kind, object: each }) => kind === "services" && each.metadata.name === name,
  );
  if (found === undefined) throw new Error(`${spec.name} has no Service ${name}`);
  return found.object;
};

export const addressOf = (spec: SiteSpec, name: string): string =>
  (serviceOf(spec, name).status as { loadBalancer: { ingress: readonly { ip: string }[] } }).loadBalancer
    .ingress[0]?.ip ?? "";

export const illegal = object(
  "l2advertisements",
  { name: "any-node", namespace },
  {
    spec: {
      ipAddressPools: ["primary"],
      nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }],
    },
  },
);

/** A node whose kubelet takes so long after a boot. */
export const slowKubelet = (node: string, readyAfterMs: number) => (): SiteSpec => {
  const spec = healthy();
  return {
    ...spec,
    nodes: spec.nodes.map((each) => (each.name === node ? { ...each, readyAfterMs } : each)),
  };
};
