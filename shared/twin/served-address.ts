import { parseMetalLbObjects } from "../metallb/resources.ts";
import type { ObjectStore } from "./object-store.ts";
import type { ServedAddress } from "./reach.ts";

/** The Service that has an address, as kube-proxy programs it on every node; undefined when none has. */
export function servedAddress(store: ObjectStore, ip: string): ServedAddress | undefined {
  const { services } = parseMetalLbObjects(store.list("services").items).objects;
  const service = services.find(({ ingress }) => ingress.some((entry) => entry.ip === ip));
  if (service === undefined) return undefined;
  const { endpointSlices } = parseMetalLbObjects(
    store.list("endpointslices", service.namespace).items,
  ).objects;
  return {
    local: service.externalTrafficPolicy === "Local",
    readyOn: endpointSlices
      .filter((slice) => slice.service === service.name)
      .flatMap(({ endpoints }) => endpoints)
      .flatMap(({ ready, nodeName }) => ((ready ?? true) && nodeName !== undefined ? [nodeName] : [])),
  };
}
