import { sameTargets } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, objectOf, placeOf, repairWith, sentRound } from "./drift-at.ts";
import { chosenFor, restore } from "./offers.ts";
import { whose } from "./ownership.ts";
import { currentOf, type Look, refusalFor, type Scene, silentOf } from "./scene.ts";

const seconds = (ttl: number): readonly string[] => [`TTL ${ttl === 0 ? 300 : ttl} s`];

const updated = (look: Look, scene: Scene): readonly Drift[] =>
  look.forecast.plan.update
    .filter(({ from, to }) => to.ttl > 0 && to.ttl !== from.ttl && sameTargets(to.targets, from.targets))
    .map(({ from, to }) => ({
      kind: "record-ttl",
      severity: "warning",
      ...placeOf(scene, from),
      ...whose(look, scene, from),
      want: seconds(to.ttl),
      have: [`TTL ${from.ttl} s`],
      ...sentRound(look, refusalFor(look, from), "set the TTL"),
      because: text`${objectOf(to)} sets the TTL; predicted for ${by(look)}`,
    }));

/** A TTL that nobody set in the cluster is never compared; one under `create-only` is never updated. */
const kept = (look: Look, scene: Scene): readonly Drift[] =>
  [...silentOf(look, "ttl"), ...silentOf(look, "policy")].flatMap((row) => {
    const current = currentOf(look, row);
    const wanted = current && chosenFor(look, current);
    if (current === undefined || wanted === undefined || !sameTargets(wanted.targets, current.targets))
      return [];
    if (current.ttl === (wanted.ttl === 0 ? 300 : wanted.ttl)) return [];
    const offer = look.complete ? restore(look, scene, current, wanted) : undefined;
    return [
      {
        kind: "record-ttl",
        severity: "warning",
        ...placeOf(scene, current),
        ...whose(look, scene, current),
        want: seconds(wanted.ttl),
        have: [`TTL ${current.ttl} s`],
        ...repairWith(offer, "restore the TTL", "ExternalDNS compares only a TTL that an object sets"),
        because: text`${row.why}`,
      },
    ];
  });

/** An owned record is right but for its TTL. */
export const recordTtl = defineDrift({
  id: "record-ttl",
  title: "An owned record has another TTL than is wanted",
  detect: (scene) => scene.looks.flatMap((look) => [...updated(look, scene), ...kept(look, scene)]),
});
