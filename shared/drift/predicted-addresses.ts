import { type Fault, isFault } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { Listed } from "../kubernetes/read.ts";
import { predict } from "../metallb/announcer.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { fromCluster } from "../metallb/from-cluster.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";

/** What has to be listed to know who announces the addresses that names point to. */
export const announcementKinds = [
  "nodes",
  "services",
  "endpointslices",
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "daemonsets",
] as const satisfies readonly ResourceKind[];

/**
 * Announcers of every address by layer 2. What a BGPAdvertisement selects is left out: no announcer by layer 2 does not
 * mean that nobody announces it.
 */
export function predictedAddresses(
  lists: Readonly<Record<(typeof announcementKinds)[number], Listed>>,
): readonly AddressPrediction[] | Fault {
  const missing = announcementKinds.map((kind) => lists[kind]).find(isFault);
  if (missing !== undefined) return missing;
  const { objects, problems } = fromCluster(lists);
  const [problem] = problems;
  if (problem !== undefined)
    return { kind: "unreadable", what: "objects that decide the announcer", detail: problem };
  return predict(objects).addresses.filter(({ pool }) => {
    const held = objects.ipAddressPools.find(({ name }) => name === pool);
    return (
      held === undefined ||
      !objects.bgpAdvertisements.some((advertisement) => selectsPool(advertisement, held))
    );
  });
}
