import { holds } from "../kubernetes/holds.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** What MetalLB's CRDs fill in where nothing was said (kubebuilder:default markers of api/v1beta1 and v1beta2). */
const filledIn: Partial<Record<ResourceKind, Fields>> = {
  ipaddresspools: { autoAssign: true, avoidBuggyIPs: false },
  bgpadvertisements: { aggregationLength: 32, aggregationLengthV6: 128 },
  bgppeers: { peerPort: 179, disableMP: false, dualStackAddressFamily: false },
};

/**
 * MetalLB's objects mean something else with every field more: whether a spec says nothing beside what was wanted, the
 * defaults of its CRD aside. Other kinds, which the server fills in as it likes, always pass.
 */
export function saysNoMore(kind: ResourceKind, there: unknown, wanted: unknown): boolean {
  if (resourceKinds[kind].group !== "metallb.io") return true;
  const defaults = filledIn[kind] ?? {};
  return Object.entries(fieldsOf(there)).every(
    ([key, value]) =>
      key in fieldsOf(wanted) || (key in defaults && value === defaults[key]) || holds(undefined, value),
  );
}

/** The spec as the API server shows it once it has written it: what was left out filled in. */
export const withFilledIn = (kind: ResourceKind, spec: Fields): Fields => ({ ...filledIn[kind], ...spec });
