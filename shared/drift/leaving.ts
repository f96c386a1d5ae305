import type { Endpoint } from "../dns/endpoint.ts";
import { isWithin } from "../dns/fqdn.ts";
import { isOurs } from "./ownership.ts";
import { idKey } from "./record-key.ts";
import { candidatesFor, currentOf, type Look, type Scene, silentOf } from "./scene.ts";

type Base = Omit<Scene, "leaving">;

/** Another of our controllers wants it: that is a quarrel, not an orphan. */
export const isWantedElsewhere = (scene: Base, look: Look, endpoint: Endpoint): boolean =>
  scene.looks.some((other) => other !== look && candidatesFor(other, endpoint).length > 0);

/** Owned records that nobody wants and the policy keeps ExternalDNS from deleting. */
export const keptByPolicy = (scene: Base, look: Look): readonly Endpoint[] =>
  silentOf(look, "policy").flatMap((row) => {
    const endpoint = currentOf(look, row);
    return endpoint === undefined ||
      candidatesFor(look, endpoint).length > 0 ||
      isWantedElsewhere(scene, look, endpoint)
      ? []
      : [endpoint];
  });

/** Records of ours at names that no ExternalDNS with our owner id looks at. */
export const outOfSight = (scene: Base, look: Look): readonly Endpoint[] =>
  look.forecast.read.endpoints.filter(
    (endpoint) =>
      isOurs(look, endpoint) &&
      !scene.looks.some((each) => each.registry.owner === look.registry.owner && each.matches(endpoint.name)),
  );

export const isInOldDomain = ({ oldDomains }: Base, { name }: Pick<Endpoint, "name">): boolean =>
  oldDomains.some((domain) => isWithin(name, domain));

/** Some controller wants this name and type, whether it looks there or not. */
export const isWanted = ({ looks }: Base, endpoint: Endpoint): boolean =>
  looks.some((look) => candidatesFor(look, endpoint).length > 0);

/** What is offered to be taken away together; an ownership TXT that serves only such records goes too. */
export const leavingOf = (scene: Base): ReadonlySet<string> =>
  new Set(
    scene.complete
      ? scene.looks.flatMap((look) =>
          [
            ...keptByPolicy(scene, look),
            ...(scene.oldDomains.length === 0 ? [] : outOfSight(scene, look)).filter(
              (endpoint) => isInOldDomain(scene, endpoint) && !isWanted(scene, endpoint),
            ),
          ]
            .filter((endpoint) => isOurs(look, endpoint))
            .map(idKey),
        )
      : [],
  );
