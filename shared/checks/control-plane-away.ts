import { ownObjects } from "../metallb/own-objects.ts";
import { serviceKey } from "../metallb/resources.ts";
import { nameList } from "../name-list.ts";
import { text } from "../text.ts";
import { defineCheck, judged, passed, skipped, unknown } from "./check.ts";

export const controlPlaneAway = defineCheck({
  id: "control-plane-away",
  about: "cluster",
  title: "Addresses stay announced while the control plane is away",
  codes: ["withdrawn-with-control-plane"],
  page: {
    why: `Up to 0.10 only a node with a ready endpoint of the Service stands for election, also under policy Cluster. Nodes
that cannot reach the control plane for a while are marked NotReady, and with them every endpoint they have. The speakers then
find nobody who may announce and withdraw, although pods and speakers run as before (metallb#615). From 0.11 every speaker
stands for election under policy Cluster, and one endpoint anywhere that can serve is enough.`,
    looks: `The API server is away for some minutes, and so are all addresses. The speakers' logs have
\`"event":"serviceWithdrawn"\` with \`"reason":"notOwner"\` from then, on all nodes. When it is back, everything is.`,
    fix: `Update MetalLB to 0.13 or later: its configuration moved from a ConfigMap to objects then, so write these first, by
the upgrade notes of 0.13. Until then the control plane's availability is that of every address. The old manifests and the
ConfigMap are the way back.`,
  },
  needs: [],
  reads: ["pods", "daemonsets", "services"],
  judge: (_, { cluster, objects }) => {
    const { speakers, rules } = ownObjects(objects);
    if (speakers.namespace === undefined) return skipped("no MetalLB speaker in the cluster");
    if (speakers.version === undefined)
      return unknown({
        kind: "not-modelled",
        what: "release of the speakers",
        detail: speakers.versionDoubt ?? "no image was found",
      });
    if (!rules.clusterPolicyNeedsLocalEndpoint) return passed;
    const served = objects.services.filter(
      ({ type, ingress }) => type === "LoadBalancer" && ingress.some(({ ip }) => ip),
    );
    if (served.length === 0) return skipped("no Service has an address");
    const names = served.map(serviceKey).sort();
    return judged([
      {
        code: "withdrawn-with-control-plane",
        severity: "warning",
        subject: { kind: "cluster", name: cluster },
        facts: { version: speakers.version, services: names },
        text: text`MetalLB ${speakers.version} withdraws addresses when their endpoints are marked not ready, as they are while the control plane is away: ${nameList(names)}`,
        remedy: text`Update MetalLB: from 0.11 on every speaker stands for election under policy Cluster`,
      },
    ]);
  },
});
