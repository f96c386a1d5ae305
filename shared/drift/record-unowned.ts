import type { Endpoint } from "../dns/endpoint.ts";
import { sameTargets } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift, Offer } from "./drift.ts";
import { defineDrift, objectOf, placeOf, repairWith } from "./drift-at.ts";
import { isWantedElsewhere } from "./leaving.ts";
import {
  canRest,
  chosenFor,
  hasOneClaimant,
  isApexCore,
  isExactlyWanted,
  offered,
  ownershipChanges,
} from "./offers.ts";
import { whose } from "./ownership.ts";
import { idKey } from "./record-key.ts";
import { isUnownable } from "./record-unownable.ts";
import { currentOf, type Look, type Scene, silentOf } from "./scene.ts";

/**
 * Taking over needs that the objects want exactly this name, type and target, so that the ownership record is all that is
 * written and ExternalDNS has nothing to change afterwards.
 */
function adoption(look: Look, scene: Scene, current: Endpoint, wanted: Endpoint): Offer | undefined {
  if (!scene.complete || !isExactlyWanted(wanted, current)) return undefined;
  if (
    !hasOneClaimant(look, current) ||
    isWantedElsewhere(scene, look, current) ||
    !canRest(look, scene, current)
  )
    return undefined;
  if (isApexCore(scene, { name: current.name as never, type: current.type })) return undefined;
  const changes = ownershipChanges(look, scene, { ...current, labels: {} });
  return changes?.every(({ action }) => action === "CREATE")
    ? offered("adopt", changes, { look, scene, endpoint: current })
    : undefined;
}

/** Rows about records that stand, are wanted and are not this controller's, with the wanted endpoint. */
export function notOurs(
  look: Look,
  scene: Scene,
): readonly Readonly<{ current: Endpoint; wanted: Endpoint; why: string }>[] {
  const unrecognised = new Set(silentOf(look, "unrecognised").map(idKey));
  return silentOf(look, "not-ours").flatMap((row) => {
    const current = currentOf(look, row);
    const wanted = current && chosenFor(look, current);
    return current === undefined ||
      wanted === undefined ||
      unrecognised.has(idKey(row)) ||
      isUnownable(look, scene, current)
      ? []
      : [{ current, wanted, why: row.why }];
  });
}

/** A wanted record stands without an ownership record: ExternalDNS will never touch it. */
export const recordUnowned = defineDrift({
  id: "record-unowned",
  title: "A wanted record stands, and nobody owns it",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      notOurs(look, scene).flatMap(({ current, wanted, why }): readonly Drift[] => {
        const of = whose(look, scene, current);
        if (of.ownership !== "unowned" && of.ownership !== "ambiguous") return [];
        const same = sameTargets(wanted.targets, current.targets);
        return [
          {
            kind: "record-unowned",
            severity: same ? "warning" : "error",
            ...placeOf(scene, current),
            ...of,
            want: wanted.targets,
            have: current.targets,
            ...repairWith(
              of.ownership === "unowned" ? adoption(look, scene, current, wanted) : undefined,
              "adopt it by writing its ownership record",
              of.ownership === "ambiguous"
                ? "an ownership record of another owner, or with another affix, may be meant for it"
                : same
                  ? "orphaned"
                  : "it is not owned, and it is not what the objects want",
            ),
            because: text`${objectOf(wanted)} wants it; ${why}`,
          },
        ];
      }),
    ),
});
