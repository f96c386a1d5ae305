import { sameTargets } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { defineDrift, nobodyWill, objectOf, placeOf } from "./drift-at.ts";
import { whose } from "./ownership.ts";
import { notOurs } from "./record-unowned.ts";

/** A wanted record stands and belongs to somebody else: told, never touched. */
export const recordForeign = defineDrift({
  id: "record-foreign",
  title: "A wanted record stands, and another owns it",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      notOurs(look, scene).flatMap(({ current, wanted, why }): readonly Drift[] => {
        const of = whose(look, scene, current);
        if (of.ownership !== "foreign") return [];
        return [
          {
            kind: "record-foreign",
            severity: sameTargets(wanted.targets, current.targets) ? "warning" : "error",
            ...placeOf(scene, current),
            ...of,
            want: wanted.targets,
            have: current.targets,
            repair: "nobody",
            outlook: nobodyWill(`${JSON.stringify(of.owner ?? "")} owns it`),
            because: text`${objectOf(wanted)} wants it; ${why}`,
          },
        ];
      }),
    ),
});
