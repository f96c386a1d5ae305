import type { ResourceKind } from "../../kubernetes/kinds.ts";
import { mergePatch } from "../../kubernetes/merge-patch.ts";
import type { KubeObject } from "../../kubernetes/read.ts";
import type { MachineSpec, NicSpec, SiteSpec } from "../site-spec.ts";
import { object } from "./stored-object.ts";

/** Something wrong, or merely different, with a site. Faults combine: `withFaults(healthy(), wifiOn("dalt", …), …)`. */
export type SiteFault = (spec: SiteSpec) => SiteSpec;

export const withFaults = (spec: SiteSpec, ...faults: readonly SiteFault[]): SiteSpec =>
  faults.reduce((site, fault) => fault(site), spec);

const changeMachine = <T extends MachineSpec>(
  machines: readonly T[],
  name: string,
  change: Partial<MachineSpec>,
): readonly T[] => machines.map((machine) => (machine.name === name ? { ...machine, ...change } : machine));

/** Changes a node, a vantage or the router. A name that the site does not have is a mistake of the caller. */
export const onMachine =
  (name: string, change: Partial<MachineSpec>): SiteFault =>
  (spec) => {
    if (![...spec.nodes, ...spec.vantages, spec.router].some((machine) => machine.name === name))
      throw new Error(`${spec.name} has no machine ${name}`);
    return {
      ...spec,
      nodes: changeMachine(spec.nodes, name, change),
      vantages: changeMachine(spec.vantages, name, change),
      router: spec.router.name === name ? { ...spec.router, ...change } : spec.router,
    };
  };

/** Changes one NIC of a machine. */
export const onNic =
  (machine: string, nic: string, change: Partial<NicSpec>): SiteFault =>
  (spec) => {
    const found = [...spec.nodes, ...spec.vantages, spec.router].find(({ name }) => name === machine);
    if (found?.nics.some(({ name }) => name === nic) !== true)
      throw new Error(`${spec.name} has no interface ${nic} on ${machine}`);
    return onMachine(machine, {
      nics: found.nics.map((each) => (each.name === nic ? { ...each, ...change } : each)),
    })(spec);
  };

/** Adds a NIC after those that the machine has. */
export const plugIn =
  (machine: string, nic: NicSpec): SiteFault =>
  (spec) => {
    const found = [...spec.nodes, ...spec.vantages].find(({ name }) => name === machine);
    return onMachine(machine, { nics: [...(found?.nics ?? []), nic] })(spec);
  };

/** Wi-Fi that is up and addressed in the node's own segment. */
export const wifiOn = (node: string, address: string): SiteFault =>
  onNic(node, "wlan0", { up: true, addresses: [address], metric: 600 });

export const addObject =
  (
    kind: ResourceKind,
    metadata: KubeObject["metadata"],
    rest?: Readonly<Record<string, unknown>>,
  ): SiteFault =>
  (spec) => ({ ...spec, objects: [...spec.objects, object(kind, metadata, rest)] });

export const removeObject =
  (kind: ResourceKind, name: string): SiteFault =>
  (spec) => {
    const kept = spec.objects.filter((each) => each.kind !== kind || each.object.metadata.name !== name);
    if (kept.length === spec.objects.length) throw new Error(`${spec.name} has no ${kind} ${name}`);
    return { ...spec, objects: kept };
  };

/** JSON merge patch on an object of the site. */
export const patchObject =
  (kind: ResourceKind, name: string, patch: unknown): SiteFault =>
  (spec) => {
    if (!spec.objects.some((each) => each.kind === kind && each.object.metadata.name === name))
      throw new Error(`${spec.name} has no ${kind} ${name}`);
    return {
      ...spec,
      objects: spec.objects.map((each) =>
        each.kind === kind && each.object.metadata.name === name
          ? { ...each, object: mergePatch(each.object, patch) as KubeObject }
          : each,
      ),
    };
  };

/** Calico on a node uses another address than the node's InternalIP. */
export const calicoUses = (node: string, cidr: string): SiteFault =>
  patchObject("nodes", node, { metadata: { annotations: { "projectcalico.org/IPv4Address": cidr } } });

/** The router sends a prefix to one machine instead of asking by ARP. */
export const staticRoute =
  (to: string, via: string): SiteFault =>
  (spec) => {
    const routes = [...(spec.router.routes ?? []), { dst: to, gateway: via, dev: "lan", protocol: "static" }];
    return {
      ...spec,
      router: { ...spec.router, routes, staticRoutes: [...spec.router.staticRoutes, { to, via }] },
    };
  };
