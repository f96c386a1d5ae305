import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, nobodyWill, placeOfRow } from "./drift-at.ts";
import { silentOf } from "./scene.ts";

/** An ownership record that can never be stored is missed in every round, and record and rest are written again. */
export const rewrittenEveryRound = defineDrift({
  id: "rewritten-every-round",
  title: "ExternalDNS writes the same record in every round",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      silentOf(look, "every-round").map(
        (row): Drift => ({
          kind: "rewritten-every-round",
          severity: "warning",
          ...placeOfRow(scene, row),
          ownership: "ours",
          owner: look.registry.owner,
          want: [],
          have: [],
          repair: "nobody",
          outlook: nobodyWill("a templated prefix that ends in a dot would end it"),
          because: text`${row.why}; ${by(look)}`,
        }),
      ),
    ),
});
