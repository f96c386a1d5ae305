import type { Endpoint } from "../dns/endpoint.ts";
import { hasProperty } from "../dns/endpoint.ts";
import { decodeName } from "../dns/fqdn.ts";
import { writtenTxts } from "../dns/ownership-written.ts";
import { forceUpdate, ownable, txtKey } from "../dns/registry.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, externalDnsWill, nobodyWill, placeOf, repairWith } from "./drift-at.ts";
import { chosenFor, deletion, obsoleteTxts, offered, ownershipChanges } from "./offers.ts";
import { isOurs } from "./ownership.ts";
import { type Look, refusalFor, type Scene } from "./scene.ts";

function repair(look: Look, scene: Scene, endpoint: Endpoint): Pick<Drift, "repair" | "outlook" | "offer"> {
  if (look.updated.has(endpoint)) {
    const refusal = refusalFor(look, endpoint);
    if (refusal === undefined)
      return {
        repair: "external-dns",
        outlook: externalDnsWill(look, "write record and ownership record once"),
      };
    return { repair: "nobody", outlook: nobodyWill(`Route 53 refuses what ExternalDNS sends: ${refusal}`) };
  }
  const changes = isOurs(look, endpoint) ? ownershipChanges(look, scene, endpoint) : undefined;
  return repairWith(
    changes &&
      offered("repair-ownership", [...changes, ...obsoleteTxts(look, scene, endpoint).map(deletion)], {
        look,
        scene,
        endpoint,
      }),
    "write the ownership record in the format of this release",
    `policy ${look.view.controller.policy} updates nothing`,
  );
}

/** Owned through an ownership record of another format only: the one this release writes is not there. */
export const txtMissing = defineDrift({
  id: "txt-missing",
  title: "An owned record lacks the ownership record this release writes",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      look.forecast.read.endpoints.flatMap((endpoint): readonly Drift[] => {
        if (!hasProperty(endpoint, forceUpdate) || !look.matches(endpoint.name)) return [];
        // What nobody wants is not updated; what becomes of it is another kind's.
        if (chosenFor(look, endpoint) === undefined) return [];
        const absent = writtenTxts(
          ownable(endpoint),
          look.registry.flags,
          look.registry.rules,
          scene.zone,
        ).find(({ name }) => !look.txts.has(txtKey(name, endpoint.setIdentifier)));
        if (absent === undefined) return [];
        return [
          {
            kind: "txt-missing",
            severity: "warning",
            ...placeOf(scene, { name: absent.name, type: "TXT", setIdentifier: endpoint.setIdentifier }),
            ownership: "wrong-name-format",
            owner: look.registry.owner,
            want: ["owned"],
            have: [],
            ...repair(look, scene, endpoint),
            because: text`${decodeName(endpoint.name)} ${endpoint.type} is owned by an ownership record of another format; ${by(look)} writes ${absent.name}`,
          },
        ];
      }),
    ),
});
