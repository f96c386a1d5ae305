import type { Finding, Severity } from "../finding.ts";
import type { Json } from "../json.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { common, isIn, rangesOf } from "../metallb/address-ranges.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { parseIp } from "../metallb/ip.ts";
import type { StepContext } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { type ServedAddress, servedAddresses } from "./addresses.ts";
import { finding } from "./define-step.ts";
import { inputsOf } from "./inputs.ts";
import type { MetalLbView } from "./metallb-view.ts";
import { creation, type ObjectChange, patching } from "./objects.ts";

/** How one address goes first: by leaving it out of the BGPAdvertisements (0.16), else as an echo with a pool of its own. */
export type CanaryPlan = Readonly<{
  kind: "narrowed" | "echo";
  /** The address that goes first and the Service behind it; of an echo, the Service that it imitates. */
  ip: string;
  port: number;
  service: string;
  changes: readonly ObjectChange[];
}>;

/** Names of what an echo is made of. */
export const echoName = "arpeggio-canary";

export type CanaryChoice = Readonly<{ plan: CanaryPlan | undefined; findings: readonly Finding[] }>;

type Labels = Readonly<Record<string, string>>;
const labelsOf = ({ metadata }: KubeObject): Labels => metadata.labels ?? {};

/** A label that tells the canary from every other Service with an address, so that nothing has to be written to it. */
export function tellingLabel(
  canary: KubeObject,
  others: readonly KubeObject[],
): readonly [key: string, value: string] | undefined {
  return Object.entries(labelsOf(canary))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .find(([key, value]) => others.every((other) => labelsOf(other)[key] !== value));
}

/** The label that is put on a canary which no label of its own tells apart. */
const ownLabel = ["arpeggio.dev/canary", "true"] as const;

type Selector = Readonly<{ matchExpressions?: readonly Json[]; [key: string]: Json | undefined }>;

type Expression = Readonly<{ key?: string; operator?: string; values?: readonly string[] }>;

/**
 * The selectors of a BGPAdvertisement with the canary left out of each: alternatives stay alternatives. Undefined when it
 * is left out already: said twice, MetalLB would reject the whole configuration.
 */
function leavingOut(ad: KubeObject, [key, value]: readonly [string, string]): Json | undefined {
  const spec = (ad.spec ?? {}) as Readonly<{ serviceSelectors?: readonly Selector[] }>;
  const saysSo = ({ matchExpressions = [] }: Selector): boolean =>
    (matchExpressions as readonly Expression[]).some(
      (each) => each.key === key && each.operator === "NotIn" && each.values?.join() === value,
    );
  const given: readonly Selector[] = spec.serviceSelectors ?? [];
  if (given.length > 0 && given.every(saysSo)) return undefined;
  const out: Json = { key, operator: "NotIn", values: [value] };
  return (given.length === 0 ? [{}] : given).map((selector: Selector) =>
    saysSo(selector)
      ? selector
      : { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), out] },
  );
}

function narrowed(view: MetalLbView, canary: ServedAddress, port: number): CanaryPlan {
  const others = servedAddresses(view)
    .filter(({ service }) => service !== canary.service)
    .map(({ object }) => object);
  const found = tellingLabel(canary.object, others);
  const label = found ?? ownLabel;
  const pool = view.own.pools.find(
    ({ name }) => name === view.prediction.addresses.find(({ ip }) => ip === canary.ip)?.pool,
  );
  const ads = view.lists.bgpadvertisements.filter(({ metadata }) => {
    const ad = view.own.bgp.find(
      ({ name, namespace }) => name === metadata.name && namespace === metadata.namespace,
    );
    return ad !== undefined && (pool === undefined || selectsPool(ad, pool));
  });
  return {
    kind: "narrowed",
    ip: canary.ip,
    port,
    service: canary.service,
    changes: [
      ...(found === undefined
        ? [
            patching(
              "services",
              canary.object,
              { metadata: { labels: { [ownLabel[0]]: ownLabel[1] } } },
              "label",
            ),
          ]
        : []),
      ...ads.flatMap((ad) => {
        const serviceSelectors = leavingOut(ad, label);
        return serviceSelectors === undefined
          ? []
          : [
              patching(
                "bgpadvertisements",
                ad,
                { spec: { serviceSelectors } },
                `leave ${canary.service} out of`,
              ),
            ];
      }),
    ],
  };
}

function echo(context: StepContext, view: MetalLbView, canary: ServedAddress, port: number): CanaryChoice {
  const { site } = context.ports.config;
  const findings: Finding[] = [];
  const tell = (
    what: string,
    said: ReturnType<typeof text>,
    remedy: ReturnType<typeof text>,
    severity: Severity = "warning",
  ): void => {
    findings.push(finding(what, severity, { kind: "config", name: "canary" }, said, { remedy }));
  };
  const ip = site.unusedAddress;
  const parsed = ip === undefined ? undefined : parseIp(ip);
  if (ip === undefined || parsed === undefined) {
    tell(
      "canary-needs-address",
      text`MetalLB ${view.version ?? "of this release"} cannot leave one Service out of BGP, so the canary needs an address that nobody uses`,
      text`Name one as ${code("site.unusedAddress")}`,
      // Without one there is no canary: nothing that could be accepted.
      "error",
    );
    return { plan: undefined, findings };
  }
  if (!isIn(parsed, rangesOf([site.lanPrefix])))
    tell(
      "canary-address-taken",
      text`${ip} is not in ${site.lanPrefix}`,
      text`Name another ${code("site.unusedAddress")}`,
    );
  const taken = [
    ...view.own.pools.flatMap(({ name, addresses }) =>
      name !== echoName && common(rangesOf([`${ip}/32`]), rangesOf(addresses)).length > 0
        ? [`pool ${name} holds it`]
        : [],
    ),
    ...(common(rangesOf([`${ip}/32`]), rangesOf(site.dhcpRanges)).length > 0
      ? ["the DHCP server gives it out"]
      : []),
    ...view.objects.nodes.flatMap(({ name, addresses }) =>
      addresses.some(({ address }) => address === ip) ? [`it is ${name}'s`] : [],
    ),
    ...(site.routerIp === ip ? ["it is the router's"] : []),
  ];
  if (taken.length > 0)
    tell(
      "canary-address-taken",
      text`${ip} is no free address: ${taken.join(", ")}`,
      text`Name another ${code("site.unusedAddress")}`,
    );
  const greedy = view.own.bgp.filter(
    ({ ipAddressPools, ipAddressPoolSelectors }) =>
      ipAddressPools.length + ipAddressPoolSelectors.length === 0,
  );
  if (greedy.length > 0)
    tell(
      "canary-pool-by-bgp-too",
      text`BGPAdvertisement ${greedy.map(({ name }) => name).join(", ")} selects every pool, the canary's as well`,
      text`Name its pools in ${code("ipAddressPools")} first`,
    );
  const { namespace } = view;
  const spec = (canary.object.spec ?? {}) as Readonly<{
    selector?: Json;
    ports?: readonly Readonly<Record<string, Json>>[];
  }>;
  if (spec.selector === undefined || Object.keys(spec.selector ?? {}).length === 0)
    tell(
      "canary-without-selector",
      text`${canary.service} has no selector, so an echo of it would have no endpoints`,
      text`Name another Service: ${code("migration.canary")}`,
    );
  const interfaces = view.own.l2.find((ad) => ad.interfaces.length > 0)?.interfaces ?? [];
  const changes = [
    creation("ipaddresspools", {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: echoName, namespace },
      spec: { addresses: [`${ip}/32`], autoAssign: false },
    }),
    creation("l2advertisements", {
      apiVersion: "metallb.io/v1beta1",
      kind: "L2Advertisement",
      metadata: { name: echoName, namespace },
      spec: {
        ipAddressPools: [echoName],
        ...(interfaces.length === 0 ? {} : { interfaces: [...interfaces] }),
      },
    }),
    creation("services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: echoName,
        ...(canary.object.metadata.namespace === undefined
          ? {}
          : { namespace: canary.object.metadata.namespace }),
        annotations: { "metallb.io/loadBalancerIPs": ip, "metallb.io/address-pool": echoName },
      },
      spec: {
        type: "LoadBalancer",
        externalTrafficPolicy: "Cluster",
        selector: spec.selector,
        ports: (spec.ports ?? []).map(({ nodePort: _, ...rest }) => rest),
      },
    }),
  ];
  // What an earlier try has made already is not made again.
  const left = changes.filter(
    ({ kind, after }) =>
      !view.lists[kind as "services" | "ipaddresspools" | "l2advertisements"].some(
        ({ metadata }) => metadata.name === echoName && metadata.namespace === after?.metadata.namespace,
      ),
  );
  return { plan: { kind: "echo", ip, port, service: canary.service, changes: left }, findings };
}

/** Chooses the canary, and what has to be done so that it alone goes by layer 2. */
export function chooseCanary(context: StepContext, view: MetalLbView): CanaryChoice {
  const named = inputsOf(context.run.inputs).canary ?? context.ports.config.migration?.canary;
  const all = servedAddresses(view).filter(({ object }) => object.metadata.name !== echoName);
  const canary =
    named === undefined
      ? all.find(({ port, ip }) => port !== undefined && !/\.(0|255)$/.test(ip))
      : all.find(({ service }) => service === named);
  const subject = { kind: "service", name: named ?? "canary" } as const;
  if (canary === undefined)
    return {
      plan: undefined,
      findings: [
        finding(
          "canary-missing",
          "error",
          subject,
          text`${named ?? "no Service"} has no address that could go first`,
          {
            remedy: text`Name a Service with an address: ${code("migration.canary")}`,
          },
        ),
      ],
    };
  if (canary.port === undefined)
    return {
      plan: undefined,
      findings: [
        finding(
          "canary-without-tcp",
          "error",
          subject,
          text`${canary.service} has no TCP port: no client can be imitated`,
          {
            remedy: text`Name another Service: ${code("migration.canary")}`,
          },
        ),
      ],
    };
  if (view.own.rules.serviceSelectors) return { plan: narrowed(view, canary, canary.port), findings: [] };
  return echo(context, view, canary, canary.port);
}
