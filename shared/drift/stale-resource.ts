import { resourceLabel } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { defineDrift, placeOf, repairWith } from "./drift-at.ts";
import { chosenFor, offered, ownershipChanges } from "./offers.ts";
import { isOurs, ownershipTxts, whose } from "./ownership.ts";
import { currentOf, silentOf } from "./scene.ts";

/** The ownership text names an object that no longer wants the record; ExternalDNS never compares it. */
export const staleResource = defineDrift({
  id: "stale-resource",
  title: "An ownership record names an object that has moved or gone",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      silentOf(look, "stale-resource").flatMap((row): readonly Drift[] => {
        const current = currentOf(look, row);
        const wanted = current && chosenFor(look, current);
        if (current === undefined || wanted === undefined) return [];
        const changes =
          look.complete && isOurs(look, current) ? ownershipChanges(look, scene, current) : undefined;
        const [txt] = ownershipTxts(look, current);
        return [
          {
            kind: "stale-resource",
            severity: "warning",
            ...placeOf(scene, txt?.set ?? current),
            ...whose(look, scene, current),
            want: [wanted.labels[resourceLabel] ?? ""],
            have: [current.labels[resourceLabel] ?? ""],
            ...repairWith(
              changes && offered("repair-ownership", changes, { look, scene, endpoint: current }),
              "write the name of the object that wants it now",
              "ExternalDNS never compares the object's name",
            ),
            because: text`${row.why}`,
          },
        ];
      }),
    ),
});
