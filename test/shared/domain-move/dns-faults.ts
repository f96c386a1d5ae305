import type { Json } from "#shared/json.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { addObject, patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import { type DnsSite, dnsSite } from "./dns-sites.ts";

/** One Service with a name, and no more: quick. */
export const smallSite = (given: DnsSite = {}, ...faults: readonly SiteFault[]): SiteSpec =>
  dnsSite({ services: (all) => all.filter(({ name }) => name === "httpbin"), ...given }, ...faults);

export type Container = Readonly<{
  name: string;
  image: string;
  args: readonly string[];
  env?: readonly Json[];
}>;

export const deploymentOf = ({ objects }: SiteSpec): KubeObject => {
  const found = objects.find(
    ({ kind, object }) => kind === "deployments" && object.metadata.name === "external-dns",
  );
  if (found === undefined) throw new Error("no ExternalDNS");
  return found.object;
};

export const containerOf = (object: KubeObject): Container =>
  (object.spec as { template: { spec: { containers: [Container] } } }).template.spec.containers[0];

/** The ExternalDNS of the site with another container. */
export const withContainer =
  (change: (container: Container) => object): SiteFault =>
  (spec) =>
    patchObject("deployments", "external-dns", {
      spec: { template: { spec: { containers: [change(containerOf(deploymentOf(spec))) as Json] } } },
    })(spec);

export const withImage = (image: string): SiteFault => withContainer((each) => ({ ...each, image }));

export const digest = `images.example/external-dns/external-dns@sha256:${"a".repeat(64)}`;

export const withArgs = (change: (args: readonly string[]) => readonly string[]): SiteFault =>
  withContainer((each) => ({ ...each, args: change(each.args) }));

/** Flags without their old values, and with these. */
export const withFlag = (flag: string, ...values: readonly string[]): SiteFault =>
  withArgs((args) => [
    ...args.filter((word) => !word.startsWith(`--${flag}=`)),
    ...values.map((value) => `--${flag}=${value}`),
  ]);

/** Its domain filter in its environment, one value a line, as a chart may have it. */
export const filterInEnvironment = (value: Json): SiteFault =>
  withContainer((each) => ({
    ...each,
    args: each.args.filter((word) => !word.startsWith("--domain-filter")),
    env: [{ name: "EXTERNAL_DNS_DOMAIN_FILTER", ...(value as object) } as Json],
  }));

/** Another ExternalDNS beside it, made from the first. */
export const another =
  (name: string, change: (container: Container) => object): SiteFault =>
  (spec) => {
    const first = deploymentOf(spec);
    return addObject(
      "deployments",
      { name, namespace: "external-dns" },
      {
        spec: {
          ...(first.spec as object),
          template: { metadata: {}, spec: { containers: [change(containerOf(first))] } },
        },
      },
    )(spec);
  };

export const chartLabel: SiteFault = patchObject("deployments", "external-dns", {
  metadata: { labels: { "helm.sh/chart": "external-dns-1.16.1" } },
});

const address = (ip: string) => ({ status: { loadBalancer: { ingress: [{ ip }] } } });

export const ingress = (name: string, spec: object, annotations: Readonly<Record<string, string>> = {}) =>
  addObject("ingresses", { name, namespace: "web", annotations }, { spec, ...address("10.4.11.9") });

/** A Gateway whose listener names this host (none: every host), and a route on it. */
export const gatewayWithRoute =
  (listener: string | undefined, hostnames: readonly string[]): SiteFault =>
  (spec) =>
    addObject(
      "httproutes",
      { name: "shop", namespace: "web" },
      {
        spec: { hostnames, parentRefs: [{ name: "edge" }] },
        status: {
          parents: [{ parentRef: { name: "edge" }, conditions: [{ type: "Accepted", status: "True" }] }],
        },
      },
    )(
      addObject(
        "gateways",
        { name: "edge", namespace: "web" },
        {
          spec: {
            listeners: [
              {
                name: "https",
                protocol: "HTTPS",
                port: 443,
                ...(listener === undefined ? {} : { hostname: listener }),
              },
            ],
          },
          status: { addresses: [{ type: "IPAddress", value: "10.4.11.8" }] },
        },
      )(spec),
    );

export const dnsEndpoint = (...endpoints: readonly Json[]): SiteFault =>
  addObject("dnsendpoints", { name: "extra", namespace: "web" }, { spec: { endpoints } });

/** Every source that names are moved for. */
export const everySource = withFlag("source", "service", "ingress", "gateway-httproute", "crd");

/** The Service httpbin with other annotations; `null` takes one away. */
export const annotated = (annotations: Readonly<Record<string, string | null>>): SiteFault =>
  patchObject("services", "httpbin", { metadata: { annotations } });

export const objectOf = (
  at: { twin: { store: { get: (...args: [ResourceKind, string | undefined, string]) => unknown } } },
  kind: ResourceKind,
  namespace: string,
  name: string,
): KubeObject => {
  const found = at.twin.store.get(kind, namespace, name);
  if (found === undefined) throw new Error(`no ${kind} ${namespace}/${name}`);
  return found as KubeObject;
};
