import type { Endpoint } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { defineDrift, nobodyWill, placeOf, repairWith } from "./drift-at.ts";
import { isInOldDomain, isWanted, outOfSight } from "./leaving.ts";
import { cleanUp } from "./offers.ts";
import { whose } from "./ownership.ts";
import type { Look, Scene } from "./scene.ts";

function left(look: Look, scene: Scene, endpoint: Endpoint): Drift {
  const old = isInOldDomain(scene, endpoint);
  return {
    kind: "old-domain",
    severity: old ? "warning" : "info",
    ...placeOf(scene, endpoint),
    ...whose(look, scene, endpoint),
    want: [],
    have: endpoint.targets,
    ...(isWanted(scene, endpoint)
      ? {
          repair: "nobody" as const,
          outlook: nobodyWill("an object still asks for it, outside the domains that ExternalDNS looks at"),
        }
      : repairWith(
          old && scene.complete ? cleanUp(look, scene, endpoint) : undefined,
          "delete it with its ownership record",
          "no ExternalDNS looks at this name, so none deletes it",
        )),
    because: text`${look.view.name} owns it, and its domain filter leaves it out${old ? "; the site moves away from this domain" : ""}`,
  };
}

/** Owned by one of ours, at a name that none of ours looks at any more: a domain filter was changed in place. */
export const oldDomain = defineDrift({
  id: "old-domain",
  title: "An owned record is left where no ExternalDNS looks any more",
  detect: (scene) =>
    scene.looks.flatMap((look) => outOfSight(scene, look).map((endpoint) => left(look, scene, endpoint))),
});
