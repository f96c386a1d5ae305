import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, nobodyWill, objectOf, placeOf } from "./drift-at.ts";
import { sealedTxt, whose } from "./ownership.ts";
import { notOurs } from "./record-unowned.ts";

/** A wanted record whose ownership text cannot be read, possibly encrypted with another key. */
export const txtUnreadable = defineDrift({
  id: "txt-unreadable",
  title: "The ownership record of a wanted record cannot be read",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      notOurs(look, scene).flatMap(({ current, wanted, why }): readonly Drift[] => {
        const of = whose(look, scene, current);
        if (of.ownership !== "unreadable") return [];
        return [
          {
            kind: "txt-unreadable",
            severity: "error",
            ...placeOf(scene, current),
            ...of,
            want: wanted.targets,
            have: current.targets,
            repair: "nobody",
            outlook: nobodyWill("without the key ExternalDNS takes the record for unowned"),
            because: text`${objectOf(wanted)} wants it; ${why}; ${sealedTxt(look, scene, current)?.name ?? ""} looks encrypted to ${by(look)}`,
          },
        ];
      }),
    ),
});
