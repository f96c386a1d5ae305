import { sameTargets } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, nobodyWill, objectOf, placeOf, placeOfRow } from "./drift-at.ts";
import { isWantedElsewhere } from "./leaving.ts";
import { whose } from "./ownership.ts";
import { notOurs } from "./record-unowned.ts";
import { candidatesFor, type Look, type Scene, silentOf } from "./scene.ts";

/** Two objects of one controller: one gets the name. */
const inside = (look: Look, scene: Scene): readonly Drift[] =>
  silentOf(look, "lost-conflict").map((row) => ({
    kind: "two-claimants",
    severity: "warning",
    ...placeOfRow(scene, row),
    ownership: "ours",
    want: [],
    have: [],
    repair: "nobody",
    outlook: nobodyWill("one object gets the name and the other never does"),
    because: text`${row.why}; rule of ${by(look)}`,
  }));

/** One deletes what another wants, or one owns what another wants. */
const between = (look: Look, scene: Scene): readonly Drift[] => [
  ...look.forecast.plan.delete
    .filter((endpoint) => isWantedElsewhere(scene, look, endpoint))
    .map(
      (endpoint): Drift => ({
        kind: "two-claimants",
        severity: "error",
        ...placeOf(scene, endpoint),
        ...whose(look, scene, endpoint),
        want: endpoint.targets,
        have: endpoint.targets,
        repair: "nobody",
        outlook: nobodyWill("one ExternalDNS deletes in every round what the other creates"),
        because: text`${look.view.name} owns it and wants it no more; another ExternalDNS of this cluster wants it`,
      }),
    ),
  ...notOurs(look, scene).flatMap(({ current, wanted }): readonly Drift[] => {
    const of = whose(look, scene, current);
    if (of.ownership !== "ours" || of.owner === look.registry.owner) return [];
    return [
      {
        kind: "two-claimants",
        severity: "error",
        ...placeOf(scene, current),
        ...of,
        want: wanted.targets,
        have: current.targets,
        repair: "nobody",
        outlook: nobodyWill(`the ExternalDNS with owner ${JSON.stringify(of.owner ?? "")} has the name`),
        because: text`${objectOf(wanted)} wants it of ${look.view.name}, which does not own it`,
      },
    ];
  }),
];

/** Two controllers with one owner id want one name differently: they overwrite each other. */
const quarrel = (scene: Scene): readonly Drift[] =>
  scene.looks.flatMap((look, i) =>
    scene.looks.slice(i + 1).flatMap((other) => {
      if (look.registry.owner !== other.registry.owner) return [];
      return look.forecast.wanted.flatMap((endpoint): readonly Drift[] => {
        const [rival] =
          look.matches(endpoint.name) && other.matches(endpoint.name) ? candidatesFor(other, endpoint) : [];
        if (rival === undefined || sameTargets(rival.targets, endpoint.targets)) return [];
        return [
          {
            kind: "two-claimants",
            severity: "error",
            ...placeOf(scene, endpoint),
            ownership: "ours",
            owner: look.registry.owner,
            want: [...endpoint.targets, ...rival.targets],
            have: [],
            repair: "nobody",
            outlook: nobodyWill("two ExternalDNS with one owner id overwrite each other in every round"),
            because: text`${objectOf(endpoint)} (${look.view.name}) and ${objectOf(rival)} (${other.view.name}) want it differently`,
          },
        ];
      });
    }),
  );

/** Two objects or two controllers want one name. */
export const twoClaimants = defineDrift({
  id: "two-claimants",
  title: "Two claim one name",
  detect: (scene) => [
    ...scene.looks.flatMap((look) => [...inside(look, scene), ...between(look, scene)]),
    ...quarrel(scene),
  ],
});
