import type { Endpoint } from "../dns/endpoint.ts";
import { whyNeverOwned } from "../dns/ownership-written.ts";
import { ownable } from "../dns/registry.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { defineDrift, nobodyWill, placeOf, placeOfRow } from "./drift-at.ts";
import { whose } from "./ownership.ts";
import { idKey } from "./record-key.ts";
import { candidatesFor, currentOf, type Look, type Scene, silentOf } from "./scene.ts";

/** No ownership record that this release writes for the name is stored here and read back. */
export const isUnownable = ({ registry }: Look, scene: Scene, endpoint: Endpoint): boolean =>
  registry.owner !== "" &&
  whyNeverOwned(ownable(endpoint), registry.flags, registry.rules, scene.zone).length > 0;

/** A name whose ownership record cannot be stored or is not read back: the apex, labels over 63 bytes. */
export const recordUnownable = defineDrift({
  id: "record-unownable",
  title: "A wanted name that this release can never own",
  detect: (scene) =>
    scene.looks.flatMap((look) => {
      const created = silentOf(look, "never-owned").map(
        (row): Drift => ({
          kind: "record-unownable",
          severity: "warning",
          ...placeOfRow(scene, row),
          ownership: "unowned",
          want: ["owned"],
          have: [],
          repair: "nobody",
          outlook: nobodyWill("ExternalDNS creates it once and never updates or deletes it"),
          because: text`${row.why}`,
        }),
      );
      const standing = silentOf(look, "not-ours").flatMap((row): readonly Drift[] => {
        const current = currentOf(look, row);
        if (current === undefined || !isUnownable(look, scene, current)) return [];
        return [
          {
            kind: "record-unownable",
            severity: "warning",
            ...placeOf(scene, current),
            ...whose(look, scene, current),
            want: candidatesFor(look, current)[0]?.targets ?? [],
            have: current.targets,
            repair: "nobody",
            outlook: nobodyWill("no ownership record of this name can be stored and read back"),
            because: text`${row.why}`,
          },
        ];
      });
      const known = new Set(created.map(idKey));
      return [...created, ...standing.filter((each) => !known.has(idKey(each)))];
    }),
});
