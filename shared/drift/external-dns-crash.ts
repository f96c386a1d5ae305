import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, nobodyWill, placeOfRow } from "./drift-at.ts";
import { silentOf } from "./scene.ts";

/** A name or an update on which this release panics: it does nothing at all in the zone. */
export const externalDnsCrash = defineDrift({
  id: "external-dns-crash",
  title: "ExternalDNS ends with a panic on this zone",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      silentOf(look, "crash").map(
        (row): Drift => ({
          kind: "external-dns-crash",
          severity: "critical",
          ...placeOfRow(scene, row),
          ownership: "ours",
          want: [],
          have: [],
          repair: "nobody",
          outlook: nobodyWill("nothing in this zone is reconciled until it is gone"),
          because: text`${row.why}; ${by(look)}`,
        }),
      ),
    ),
});
