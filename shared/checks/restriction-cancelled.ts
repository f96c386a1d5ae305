import type { Finding } from "../finding.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { ownObjects, selectsNode } from "../metallb/own-objects.ts";
import type { L2Advertisement } from "../metallb/resources.ts";
import { anyMatches } from "../metallb/selectors.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, skipped } from "./check.ts";

export const restrictionCancelled = defineCheck({
  id: "restriction-cancelled",
  about: "cluster",
  title: "No advertisement without interfaces cancels one that names them",
  codes: ["restriction-cancelled"],
  page: {
    why: `Advertisements add up. What a node announces an address on is the union over all L2Advertisements that select
its pool, and one without \`interfaces\` means every interface. A new advertisement that names eth0 therefore changes
nothing as long as an older one without names still selects the same pool on the same nodes.`,
    looks: `An advertisement names eth0, and \`/arping\` still sees answers from wlan0. ServiceL2Status shows an empty list
of interfaces, which means all.`,
    fix: `Name the same interfaces in the other advertisement as well; or, when the restricted one selects the same pools
and nodes, delete the other. Compare first what it selects beyond that: pools and nodes that only the unrestricted one
covers would fall silent. Keep its manifest, creating it again is the way back.`,
  },
  needs: [],
  reads: ["nodes", "pods", "daemonsets", "services", "ipaddresspools", "l2advertisements"],
  judge: (_, { objects }) => {
    const own = ownObjects(objects);
    if (!own.rules.interfaces)
      return skipped(`MetalLB ${own.speakers.version} has no interfaces in advertisements`);
    const selectsService = (ad: L2Advertisement, labels: Readonly<Record<string, string>>): boolean =>
      !own.rules.serviceSelectors ||
      ad.serviceSelectors.length === 0 ||
      anyMatches(ad.serviceSelectors, labels);
    const services = objects.services.filter(({ type }) => type === "LoadBalancer");
    const meet = (a: L2Advertisement, b: L2Advertisement): boolean => {
      const nodes = objects.nodes.some(
        (node) => selectsNode(a, node, own.rules) && selectsNode(b, node, own.rules),
      );
      if (!nodes) return false;
      if (a.serviceSelectors.length === 0 && b.serviceSelectors.length === 0) return true;
      return services.some(({ labels }) => selectsService(a, labels) && selectsService(b, labels));
    };
    const findings: Finding[] = [];
    for (const ad of own.l2.filter(({ interfaces }) => interfaces.length > 0))
      for (const other of own.l2.filter(({ interfaces }) => interfaces.length === 0)) {
        const pools = own.pools.filter((pool) => selectsPool(ad, pool) && selectsPool(other, pool));
        if (pools.length === 0 || !meet(ad, other)) continue;
        const names = pools.map(({ name }) => name);
        findings.push({
          code: "restriction-cancelled",
          severity: "warning",
          subject: { kind: "config", name: `${ad.namespace}/${ad.name}` },
          facts: { interfaces: ad.interfaces, cancelledBy: `${other.namespace}/${other.name}`, pools: names },
          text: text`L2Advertisement ${ad.name} names ${nameList(ad.interfaces)}, but ${other.name} names none and selects pool ${nameList(names)} too: all interfaces answer`,
          remedy: text`Name ${nameList(ad.interfaces)} in ${code("interfaces")} of ${other.name} as well`,
        });
      }
    return judged(findings);
  },
});
