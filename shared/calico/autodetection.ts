import * as z from "zod";
import { type Fault, isFault } from "../fault.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { type Range, rangesOf } from "../metallb/address-ranges.ts";
import { parseIp } from "../metallb/ip.ts";
import type { Nic } from "../probes/ip-addr.ts";

/*
 * How calico-node finds its IPv4 address (projectcalico/calico, node/pkg/lifecycle/startup): only when IP is
 * `autodetect` or not set; the loop over interfaces runs from the highest index down, whatever their link state.
 */

const shape = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(
          z.object({
            name: z.string(),
            env: z
              .array(
                z.object({
                  name: z.string(),
                  value: z.string().nullish(),
                  valueFrom: z.unknown().optional(),
                }),
              )
              .nullish(),
          }),
        ),
      }),
    }),
  }),
});

/** `first-found`, `interface=^eth0$`, ...; `static` when the address is given and nothing is looked for. */
export type Method = Readonly<{ method: string }>;

/** The method of a calico-node DaemonSet; undefined when it is none, a fault when it cannot be told. */
export function calicoMethod(daemonSet: KubeObject): Method | Fault | undefined {
  if (daemonSet.metadata.name !== "calico-node") return undefined;
  const what = `environment of ${daemonSet.metadata.namespace ?? "default"}/calico-node`;
  const parsed = shape.safeParse(daemonSet);
  const container = parsed.data?.spec.template.spec.containers.find(({ name }) => name === "calico-node");
  if (container === undefined)
    return { kind: "unreadable", what, detail: "the DaemonSet has no container calico-node" };
  const entry = (name: string) => container.env?.find((each) => each.name === name);
  const elsewhere = ["IP", "IP_AUTODETECTION_METHOD"].find((name) => entry(name)?.valueFrom != null);
  if (elsewhere !== undefined)
    return { kind: "not-modelled", what, detail: `${elsewhere} comes from another object` };
  const ip = entry("IP")?.value || "autodetect";
  if (ip !== "autodetect") return { method: "static" };
  return { method: entry("IP_AUTODETECTION_METHOD")?.value || "first-found" };
}

/** The method of the one calico-node in a list of DaemonSets. */
export const methodOf = (daemonSets: readonly KubeObject[]): Method | Fault | undefined =>
  daemonSets.map(calicoMethod).find((method) => method !== undefined);

// Left out by first-found, skip-interface and cidr (autodetection_linux.go).
const neverTaken =
  /^(docker|cbr|dummy|virbr|lxcbr|veth|lo|cali|tunl|flannel|kube-ipvs|cni|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|nodelocaldns)/;

const isIn4 = (nic: Nic, ranges: readonly Range[] | undefined): boolean =>
  nic.addresses.some(({ family, scope, address }) => {
    if (family !== 4 || scope !== "global") return false;
    const ip = parseIp(address);
    return (
      ranges === undefined ||
      (ip !== undefined &&
        ranges.some((range) => range.family === 4 && range.first <= ip.value && ip.value <= range.last))
    );
  });

function patterns(list: string, what: string): readonly RegExp[] | Fault {
  try {
    return list.split(",").map((each) => new RegExp(each));
  } catch (error) {
    return { kind: "unreadable", what, detail: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * The interfaces that a method may take on a node, the one it takes first. Undefined for methods that do not go by
 * interfaces: a given address, `can-reach=`, `kubernetes-internal-ip`.
 */
export function candidates(method: string, nics: readonly Nic[]): readonly Nic[] | Fault | undefined {
  const [kind, argument = ""] = [method.split("=")[0], method.slice(method.indexOf("=") + 1)];
  const what = `Calico's method ${method}`;
  const usual = nics.filter(({ name }) => !neverTaken.test(name));
  const taken = (some: readonly Nic[], ranges?: readonly Range[]): readonly Nic[] =>
    some.filter((nic) => isIn4(nic, ranges)).toSorted((a, b) => b.index - a.index);
  if (kind === "first-found") return taken(usual);
  if (kind === "cidr") return taken(usual, rangesOf(argument.split(",").map((each) => each.trim())));
  if (kind !== "interface" && kind !== "skip-interface") return undefined;
  const named = patterns(argument, what);
  if (isFault(named)) return named;
  const matches = ({ name }: Nic): boolean => named.some((pattern) => pattern.test(name));
  return kind === "interface" ? taken(nics.filter(matches)) : taken(usual.filter((nic) => !matches(nic)));
}
