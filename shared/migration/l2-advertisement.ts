import { parseDocument } from "yaml";
import * as z from "zod";
import { wantedNics } from "../arp/wanted-nics.ts";
import type { CheckResult } from "../check-result.ts";
import { advertisementSelectors } from "../checks/advertisement-selectors.ts";
import { nodeSource, visitNodes } from "../checks/gather.ts";
import { namedNicEnslaved } from "../checks/named-nic-enslaved.ts";
import { namedNicMissing } from "../checks/named-nic-missing.ts";
import { poolOverlaps } from "../checks/pool-overlaps.ts";
import { restrictionCancelled } from "../checks/restriction-cancelled.ts";
import { judgeAll } from "../checks/run.ts";
import { type Fault, FaultError } from "../fault.ts";
import { type Finding, isFailure } from "../finding.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { isIn, rangesOf } from "../metallb/address-ranges.ts";
import { predict } from "../metallb/announcer.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { fromCluster } from "../metallb/from-cluster.ts";
import { parseIp } from "../metallb/ip.ts";
import type { Prediction } from "../metallb/prediction.ts";
import { predictionFindings } from "../metallb/prediction-findings.ts";
import { ipAddr } from "../probes/ip-addr.ts";
import type { StepContext } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { servedAddresses } from "./addresses.ts";
import { couldNotLook, finding } from "./define-step.ts";
import { inputsOf } from "./inputs.ts";
import type { MetalLbView } from "./metallb-view.ts";

const manifestShape = z.looseObject({
  apiVersion: z.literal("metallb.io/v1beta1"),
  kind: z.literal("L2Advertisement"),
  metadata: z.looseObject({ name: z.string().min(1), namespace: z.string().optional() }),
});

/** Pools whose addresses nobody would announce without BGP. */
export const uncoveredPools = (view: MetalLbView): readonly string[] =>
  view.own.pools
    .filter((pool) => !view.own.l2.some((ad) => selectsPool(ad, pool)))
    .filter((pool) => view.own.bgp.some((ad) => selectsPool(ad, pool)) || isInUse(view, pool.addresses))
    .map(({ name }) => name);

const isInUse = (view: MetalLbView, addresses: readonly string[]): boolean => {
  const ranges = rangesOf(addresses);
  return servedAddresses(view).some(({ ip }) => {
    const parsed = parseIp(ip);
    return parsed !== undefined && isIn(parsed, ranges);
  });
};

/** The LAN interfaces of all nodes by name. A node that cannot be read may have another one: told, never guessed. */
async function lanInterfaces(
  context: StepContext,
  view: MetalLbView,
): Promise<Readonly<{ names: readonly string[]; unread: readonly Fault[] }>> {
  const names = new Set<string>();
  const unread: Fault[] = [];
  await Promise.all(
    view.objects.nodes.map(async ({ name }) => {
      try {
        const output = await context.ports.shell({ kind: "node", name }, ipAddr.argv(), {
          signal: context.signal,
        });
        const nics = ipAddr.read(output);
        const wireless = nics.flatMap((nic) => (nic.wireless ? [nic.name] : []));
        for (const nic of wantedNics(name, nics, wireless, context.ports.config.site)) names.add(nic.name);
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        unread.push({ ...error.fault, what: `interfaces of ${name}` });
      }
    }),
  );
  return { names: [...names].sort(), unread };
}

/** `REPOSITORY:PATH` of a configured clone: other files of this host are none of a run's business. Throws FaultError. */
async function manifestText({ ports }: StepContext, manifest: string): Promise<string> {
  const at = manifest.indexOf(":");
  const [name, path] = [manifest.slice(0, at), manifest.slice(at + 1)];
  const repository = ports.config.migration?.repositories.find((each) => each.name === name);
  const tree = ports.trees.get(name);
  const missing = (detail: string): FaultError =>
    new FaultError({ kind: "not-configured", what: manifest, detail });
  if (at < 1 || repository === undefined || tree === undefined)
    throw missing("expected REPOSITORY:PATH, with a repository of migration.repositories");
  const text = (await tree.read(repository.branch, path)) ?? (await tree.read(repository.base, path));
  if (text === undefined)
    throw missing(`${name} has no such file on ${repository.branch} or ${repository.base}`);
  return text;
}

export type Wanted = Readonly<{ object: KubeObject; findings: readonly Finding[] }>;

/** The L2Advertisement to create: the person's manifest, else one for the pools that lack one, on the LAN interfaces. */
export async function wantedL2Advertisement(context: StepContext, view: MetalLbView): Promise<Wanted> {
  const inputs = inputsOf(context.run.inputs);
  if (inputs.manifest !== undefined) {
    const document = parseDocument(await manifestText(context, inputs.manifest));
    // What the file says is shown to nobody unless it is an L2Advertisement.
    const read = manifestShape.safeParse(document.errors.length > 0 ? undefined : document.toJS());
    if (!read.success)
      throw new FaultError({
        kind: "unreadable",
        what: inputs.manifest,
        detail: "it is not one L2Advertisement of metallb.io/v1beta1 in YAML",
      });
    const { metadata } = read.data;
    return {
      object: { ...read.data, metadata: { ...metadata, namespace: metadata.namespace ?? view.namespace } },
      findings: [],
    };
  }
  const base = inputs.advertisement ?? view.own.bgp[0]?.name ?? "primary";
  const taken = view.own.l2.some(({ name }) => name === base);
  const { names, unread } =
    inputs.interfaces.length > 0
      ? { names: inputs.interfaces, unread: [] }
      : await lanInterfaces(context, view);
  return {
    object: {
      apiVersion: "metallb.io/v1beta1",
      kind: "L2Advertisement",
      metadata: { name: taken ? `${base}-l2` : base, namespace: view.namespace },
      spec: {
        ipAddressPools: uncoveredPools(view),
        ...(view.own.rules.interfaces && names.length > 0 ? { interfaces: names } : {}),
      },
    },
    findings: unread.map((fault) => couldNotLook(fault, { kind: "cluster", name: context.run.cluster })),
  };
}

/** The prediction with one more L2Advertisement. */
export function predictedWith(view: MetalLbView, object: KubeObject): Prediction {
  const { objects } = fromCluster({
    ...view.lists,
    l2advertisements: [...view.lists.l2advertisements, object],
  });
  return predict(objects);
}

/** MetalLB hands out any address of a pool; those ending in .0 and .255 some gear takes for something else. */
function oddAddresses(view: MetalLbView, object: KubeObject): readonly Finding[] {
  const { objects } = fromCluster({ l2advertisements: [object] });
  const [ad] = objects.l2Advertisements;
  return view.own.pools.flatMap((pool) => {
    if (ad === undefined || !selectsPool(ad, pool) || pool.avoidBuggyIPs) return [];
    const odd = rangesOf(pool.addresses)
      .filter(({ family }) => family === 4)
      .reduce((sum, { first, last }) => {
        const upTo = (end: bigint, digit: bigint): bigint => (end < digit ? 0n : (end - digit) / 256n + 1n);
        const count = (digit: bigint): bigint => upTo(last, digit) - upTo(first - 1n, digit);
        return sum + Number(count(0n) + count(255n));
      }, 0);
    const used = servedAddresses(view).filter(
      ({ ip }) =>
        /\.(0|255)$/.test(ip) &&
        isIn(parseIp(ip) as NonNullable<ReturnType<typeof parseIp>>, rangesOf(pool.addresses)),
    );
    if (odd === 0) return [];
    return [
      finding(
        "pool-has-0-or-255",
        "warning",
        { kind: "pool", name: pool.name },
        text`pool ${pool.name} holds ${odd} ${odd === 1 ? "address" : "addresses"} ending in .0 or .255, which some routers and clients drop${used.length === 0 ? "" : `; in use: ${used.map(({ ip, service }) => `${ip} (${service})`).join(", ")}`}`,
        {
          facts: { addresses: odd, inUse: used.map(({ ip }) => ip) },
          remedy: text`Move Services off them by ${code("metallb.io/loadBalancerIPs")}, then set ${code("avoidBuggyIPs: true")}; or accept it: ${code("--accept pool-has-0-or-255")}`,
        },
      ),
    ];
  });
}

/** The checks that know the traps of an advertisement, run on the objects as they would be with it. */
const trapChecks = [advertisementSelectors, restrictionCancelled, poolOverlaps];
/** The same of each node, where a person named the interfaces: ours are read from the nodes. */
const nicChecks = [namedNicMissing, namedNicEnslaved];

const namesInterfaces = ({ inputs }: StepContext["run"], { spec }: KubeObject): boolean => {
  const { interfaces } = (spec ?? {}) as Readonly<{ interfaces?: readonly string[] | null }>;
  const { manifest, interfaces: given } = inputsOf(inputs);
  return (manifest !== undefined || given.length > 0) && (interfaces ?? []).length > 0;
};

/** Why this object should not be created, each trap with its reason; other objects' faults are left to the checks. */
export async function trapsOf(
  context: StepContext,
  view: MetalLbView,
  object: KubeObject,
): Promise<readonly Finding[]> {
  const { config } = context.ports;
  const lists = { ...view.lists, l2advertisements: [...view.lists.l2advertisements, object] };
  const about = { cluster: context.run.cluster, site: config.site, lists };
  const results: CheckResult[] = [...judgeAll(trapChecks, { ...about, nodes: [] })];
  if (namesInterfaces(context.run, object)) {
    const ports = { ...context.ports, signal: context.signal };
    const nodes = nodeSource(lists.nodes, config);
    results.push(...judgeAll(nicChecks, await visitNodes(ports, lists, nodes, { checks: nicChecks })));
  }
  const found = results.flatMap((result) =>
    result.outcome === "failed"
      ? result.findings.filter(isFailure)
      : result.outcome === "unknown"
        ? [couldNotLook(result.fault, result.subject)]
        : [],
  );
  const { prediction, after } = { prediction: view.prediction, after: predictedWith(view, object) };
  const silentBefore = new Set(
    prediction.addresses.flatMap(({ ip, order }) => (order.length === 0 ? [ip] : [])),
  );
  const silentAfter = predictionFindings(after).filter(isFailure);
  return [
    ...found,
    ...oddAddresses(view, object),
    ...silentAfter.filter(
      ({ code: what, subject }) => what !== "address-not-announced" || silentBefore.has(subject.name),
    ),
  ].map((each) => ({ ...each, facts: { ...each.facts, trap: true } }));
}
