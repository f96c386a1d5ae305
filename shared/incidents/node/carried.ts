import { predict } from "../../metallb/announcer.ts";
import type { MetalLbObjects } from "../../metallb/resources.ts";
import { serviceKey } from "../../metallb/resources.ts";

/** An address that a node announces when it stands for election, and who does when it does not. */
export type Carried = Readonly<{
  ip: string;
  /** `namespace/name`. */
  service: string;
  policy: "Cluster" | "Local";
  /** First of the others; undefined when nobody else may. */
  next: string | undefined;
}>;

/** What the speakers' election comes to with and without one node; the reason where it cannot be told. */
export type Election = Readonly<{
  carried: readonly Carried[];
  memberlist: "on" | "off";
  /** Why the node may not announce at all, where one reason holds for every address. */
  excluded: string | undefined;
  /** MetalLB rejects its configuration. */
  configError: string | undefined;
  addresses: number;
}>;

/** The objects as they would be with the node up: network available, its endpoints serving. */
function withNodeUp(objects: MetalLbObjects, node: string, endpointsToo: boolean): MetalLbObjects {
  return {
    ...objects,
    nodes: objects.nodes.map((each) =>
      each.name === node
        ? {
            ...each,
            conditions: each.conditions.filter(({ type }) => type !== "NetworkUnavailable"),
          }
        : each,
    ),
    endpointSlices: endpointsToo
      ? objects.endpointSlices.map((slice) => ({
          ...slice,
          endpoints: slice.endpoints.map((endpoint) =>
            endpoint.nodeName === node ? { ...endpoint, ready: true, serving: true } : endpoint,
          ),
        }))
      : objects.endpointSlices,
  };
}

/**
 * The addresses whose election a node wins as soon as its speaker is in the member list. `before` counts its endpoints as
 * serving: that is how it was while the node lived, as far as anybody can still tell.
 */
export function electionWith(objects: MetalLbObjects, node: string, before: "as it is" | "before"): Election {
  const now = predict(objects).assumed;
  const members = Array.isArray(now.speakers) ? (now.speakers as readonly string[]) : [];
  const memberlist = now.memberlist === "off" ? "off" : "on";
  const { addresses } = predict(withNodeUp(objects, node, before === "before"), {
    memberlist: memberlist === "off" ? "off" : [...new Set([...members, node])],
  });
  const policies = new Map(
    objects.services.map((service) => [
      serviceKey(service),
      service.externalTrafficPolicy === "Local" ? ("Local" as const) : ("Cluster" as const),
    ]),
  );
  const reasons = new Set(addresses.map(({ why }) => why[node]));
  const [only] = reasons;
  return {
    memberlist,
    carried: addresses
      .filter(({ order }) => order[0] === node)
      .map(({ ip, service, order }) => ({
        ip,
        service,
        policy: policies.get(service) ?? "Cluster",
        next: order[1],
      })),
    excluded: reasons.size === 1 && only !== undefined && only !== "no-local-endpoint" ? only : undefined,
    configError: addresses.find(({ configError }) => configError !== undefined)?.configError,
    addresses: new Set(addresses.map(({ ip }) => ip)).size,
  };
}
