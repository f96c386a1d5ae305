import { isAddressedIn } from "../arp/mac-table.ts";
import type { Nic } from "../probes/ip-addr.ts";
import type { KernelRoute } from "../probes/node-routes.ts";
import type { Site } from "../site/site.ts";

/** Interfaces of a node that hear the segment and have an address in it. Two and more make it dual-homed. */
export const homesIn = (nics: readonly Nic[], { lanPrefix }: Site): readonly Nic[] =>
  nics.filter((nic) => nic.up && nic.carrier && nic.master === undefined && isAddressedIn(nic, lanPrefix));

/** The interfaces by which the node answers into the segment: of the connected routes, those with the least metric. */
export function homeRoutes(homes: readonly Nic[], routes: readonly KernelRoute[]): readonly string[] {
  const names = homes.map(({ name }) => name);
  const connected = routes.filter(
    ({ table, gateway, nic, protocol }) =>
      table === "main" &&
      gateway === undefined &&
      protocol === "kernel" &&
      nic !== undefined &&
      names.includes(nic),
  );
  const least = Math.min(...connected.map(({ metric }) => metric));
  return connected.flatMap(({ nic, metric }) => (metric === least && nic !== undefined ? [nic] : []));
}
