import type { Endpoint } from "../dns/endpoint.ts";
import { decodeName } from "../dns/fqdn.ts";
import type { OwnershipRecord } from "../dns/registry.ts";
import { text } from "../text.ts";
import type { Drift, Offer } from "./drift.ts";
import { by, defineDrift, placeOf, repairWith } from "./drift-at.ts";
import {
  canRest,
  chosenFor,
  deleteTxt,
  hasOneClaimant,
  isExactlyWanted,
  offered,
  ownershipChanges,
} from "./offers.ts";
import { isProvablyOurs, otherClaimants, whose } from "./ownership.ts";
import { candidatesFor, currentOf, type Look, type Scene, silentOf } from "./scene.ts";

/** Ownership TXTs of ours that some format gives to the record, though this release reads them otherwise. */
const meantFor = (look: Look, scene: Scene, endpoint: Endpoint): readonly OwnershipRecord[] => {
  const names = look.unreadNames.get(decodeName(endpoint.name)) ?? [];
  return names.filter(
    (txt) =>
      isProvablyOurs(look, txt) &&
      (txt.set.setIdentifier ?? "") === endpoint.setIdentifier &&
      otherClaimants(scene, txt.set, endpoint).length === 0,
  );
};

/** Writes the right ownership record and takes the wrong one away: nothing may be in doubt about whose it is. */
function rewriting(look: Look, scene: Scene, endpoint: Endpoint): Offer | undefined {
  const wanted = chosenFor(look, endpoint);
  if (!look.complete || wanted === undefined || !isExactlyWanted(wanted, endpoint)) return undefined;
  if (whose(look, scene, endpoint).ownership !== "unowned") return undefined;
  if (!hasOneClaimant(look, endpoint) || !canRest(look, scene, endpoint)) return undefined;
  const [txt, ...more] = meantFor(look, scene, endpoint);
  if (txt === undefined || more.length > 0) return undefined;
  const changes = ownershipChanges(look, scene, { ...endpoint, labels: txt.labels });
  if (changes === undefined || changes.some(({ set }) => set.name === txt.set.name)) return undefined;
  return offered("repair-ownership", [...changes, ...deleteTxt(txt.set).changes], { look, scene, endpoint });
}

/** Our ownership record stands, and this release takes it for another record's or for none. */
export const txtNotRecognised = defineDrift({
  id: "txt-not-recognised",
  title: "An ownership record that this release does not recognise",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      silentOf(look, "unrecognised").flatMap((row): readonly Drift[] => {
        const endpoint = currentOf(look, row);
        if (endpoint === undefined) return [];
        const offer = rewriting(look, scene, endpoint);
        const of = whose(look, scene, endpoint);
        return [
          {
            kind: "txt-not-recognised",
            severity: "error",
            ...placeOf(scene, endpoint),
            ...(of.ownership === "unowned"
              ? {
                  ownership: offer === undefined ? "ambiguous" : "wrong-name-format",
                  owner: look.registry.owner,
                }
              : of),
            want: candidatesFor(look, endpoint)[0]?.targets ?? [],
            have: endpoint.targets,
            ...repairWith(
              offer,
              "write its ownership record in the name this release reads and remove the other",
              "ExternalDNS takes the record for unowned, and nothing proves whose it is",
            ),
            because: text`${row.why}; ${by(look)}`,
          },
        ];
      }),
    ),
});
