import { comparedName, type Endpoint } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, placeOf, repairWith, sentRound } from "./drift-at.ts";
import { isWantedElsewhere, keptByPolicy } from "./leaving.ts";
import { cleanUp } from "./offers.ts";
import { whose } from "./ownership.ts";
import { type Look, refusalFor, type Scene } from "./scene.ts";

const orphan = (look: Look, scene: Scene, endpoint: Endpoint) =>
  ({
    kind: "record-orphaned",
    severity: "warning",
    ...placeOf(scene, endpoint),
    ...whose(look, scene, endpoint),
    want: [],
    have: endpoint.targets,
  }) as const;

const deleted = (look: Look, scene: Scene): readonly Drift[] =>
  look.forecast.plan.delete
    .filter((endpoint) => !isWantedElsewhere(scene, look, endpoint))
    .map((endpoint) => ({
      ...orphan(look, scene, endpoint),
      ...sentRound(look, refusalFor(look, endpoint), "delete it"),
      because: text`no object wants it any more; predicted for ${by(look)}`,
    }));

/** An object names it, in a way that ExternalDNS leaves out: that is told, and is no orphan. */
const isNamed = (scene: Scene, { name }: Endpoint): boolean =>
  scene.looks.some(({ view }) =>
    view.dropped.some(({ endpoint }) => comparedName(endpoint.name) === comparedName(name)),
  );

const kept = (look: Look, scene: Scene): readonly Drift[] =>
  keptByPolicy(scene, look)
    .filter((endpoint) => !isNamed(scene, endpoint))
    .map((endpoint) => ({
      ...orphan(look, scene, endpoint),
      ...repairWith(
        cleanUp(look, scene, endpoint),
        "delete it with its ownership record",
        `policy ${look.view.controller.policy} deletes nothing`,
      ),
      because: text`no object wants it any more; ${by(look)}`,
    }));

/** Ours, and nobody wants it any more. Never said while a source could not be read or is not modelled. */
export const recordOrphaned = defineDrift({
  id: "record-orphaned",
  title: "An owned record is not wanted any more",
  detect: (scene) =>
    scene.looks.flatMap((look) => (scene.complete ? [...deleted(look, scene), ...kept(look, scene)] : [])),
});
