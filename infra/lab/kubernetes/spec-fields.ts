import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { resourceKinds } from "#shared/kubernetes/kinds.ts";
import { badRequest } from "#shared/kubernetes/refusals.ts";
import { Refused } from "./refused.ts";

type Fields = Readonly<Record<string, unknown>>;

// The members of `spec` in the CRDs of MetalLB 0.16; anything else is pruned, as structural schemas do.
const known: Partial<Record<ResourceKind, readonly string[]>> = {
  ipaddresspools: ["addresses", "autoAssign", "avoidBuggyIPs", "serviceAllocation"],
  l2advertisements: [
    "ipAddressPools",
    "ipAddressPoolSelectors",
    "nodeSelectors",
    "interfaces",
    "serviceSelectors",
  ],
  bgpadvertisements: [
    "aggregationLength",
    "aggregationLengthV6",
    "localPref",
    "communities",
    "ipAddressPools",
    "ipAddressPoolSelectors",
    "nodeSelectors",
    "peers",
    "serviceSelectors",
  ],
  bgppeers: [
    "myASN",
    "peerASN",
    "dynamicASN",
    "peerAddress",
    "interface",
    "sourceAddress",
    "peerPort",
    "holdTime",
    "keepaliveTime",
    "connectTime",
    "routerID",
    "nodeSelectors",
    "password",
    "passwordSecret",
    "bfdProfile",
    "enableGracefulRestart",
    "ebgpMultiHop",
    "vrf",
    "disableMP",
    "dualStackAddressFamily",
  ],
  bfdprofiles: [
    "receiveInterval",
    "transmitInterval",
    "detectMultiplier",
    "echoInterval",
    "echoMode",
    "passiveMode",
    "minimumTtl",
  ],
  communities: ["communities"],
};

/**
 * Takes unknown members of a MetalLB object's `spec` away; with `fieldValidation=Strict` (kubectl's default) they are refused
 * instead, with `Warn` they come back as warnings. What the live object has already stays: it was not this request that
 * brought it. Deeper fields, and those of built-in kinds, are not looked at.
 */
export function prune(
  kind: ResourceKind,
  object: Fields,
  fieldValidation: string | null,
  live?: Fields,
): Readonly<{ object: Fields; warnings: readonly string[] }> {
  const { spec } = object;
  const fields = known[kind];
  if (!fields || typeof spec !== "object" || spec === null) return { object, warnings: [] };
  const stored = typeof live?.spec === "object" && live.spec !== null ? Object.keys(live.spec) : [];
  const strange = Object.keys(spec).filter((name) => !fields.includes(name) && !stored.includes(name));
  if (strange.length === 0) return { object, warnings: [] };
  const sentences = strange.map((name) => `unknown field "spec.${name}"`);
  if (fieldValidation === "Strict")
    throw new Refused(
      badRequest(
        `${resourceKinds[kind].kind} in version "${resourceKinds[kind].version}" cannot be handled as a ${resourceKinds[kind].kind}: strict decoding error: ${sentences.join(", ")}`,
      ),
    );
  return {
    object: {
      ...object,
      spec: Object.fromEntries(Object.entries(spec).filter(([name]) => !strange.includes(name))),
    },
    warnings: fieldValidation === "Ignore" ? [] : sentences,
  };
}
