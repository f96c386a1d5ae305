import type { Endpoint } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, nobodyWill, objectOf, placeOf, sentRound } from "./drift-at.ts";
import { whose } from "./ownership.ts";
import { idKey } from "./record-key.ts";
import { type Look, refusalFor, type Scene, silentOf } from "./scene.ts";

const missing = (scene: Scene, endpoint: Endpoint): Omit<Drift, "repair" | "outlook" | "because"> => ({
  kind: "record-missing",
  severity: "error",
  ...placeOf(scene, endpoint),
  ownership: "ours",
  want: endpoint.targets,
  have: [],
});

function created(look: Look, scene: Scene): readonly Drift[] {
  const taken = new Map(silentOf(look, "taken").map((row) => [idKey(row), row.why]));
  return look.forecast.plan.create.map((endpoint) => {
    const foreign = taken.get(idKey(endpoint));
    return {
      ...missing(scene, endpoint),
      ...sentRound(look, refusalFor(look, endpoint), "create it"),
      because: text`${objectOf(endpoint)} wants it and there is no such record set${foreign === undefined ? "" : `; ${foreign}`}`,
    };
  });
}

const blocked = (look: Look, scene: Scene): readonly Drift[] =>
  look.forecast.plan.createsBlockedByOwner.map(({ wanted, by: strangers }) => ({
    ...missing(scene, wanted),
    ...(strangers[0] ? whose(look, scene, strangers[0]) : {}),
    repair: "nobody",
    outlook: nobodyWill("ExternalDNS creates nothing beside a record it does not own"),
    because: text`${objectOf(wanted)} wants it, but ${strangers.map(({ type }) => type).join(", ")} at this name is not ours; rule of ${by(look)}`,
  }));

const invalid = (look: Look, scene: Scene): readonly Drift[] =>
  look.view.dropped
    .filter(
      ({ endpoint, ignoredPrefix }) =>
        ignoredPrefix === undefined &&
        look.registry.isManaged(endpoint.type) &&
        look.matches(endpoint.name) &&
        scene.held(endpoint) === undefined,
    )
    .map(({ endpoint, why }) => ({
      ...missing(scene, endpoint),
      repair: "nobody",
      outlook: nobodyWill("ExternalDNS drops what it finds invalid"),
      because: text`${objectOf(endpoint)} asks for it in vain: ${why}`,
    }));

/** Somebody wants a record that is not there. */
export const recordMissing = defineDrift({
  id: "record-missing",
  title: "A wanted record is not in the zone",
  detect: (scene) =>
    scene.looks.flatMap((look) => [
      ...created(look, scene),
      ...blocked(look, scene),
      ...invalid(look, scene),
    ]),
});
