import { sameTargets, withoutProperty } from "../dns/endpoint.ts";
import { propertiesDiffer } from "../dns/plan.ts";
import { forceUpdate } from "../dns/registry.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, objectOf, placeOf, repairWith, sentRound } from "./drift-at.ts";
import { chosenFor, restore } from "./offers.ts";
import { whose } from "./ownership.ts";
import { currentOf, type Look, refusalFor, type Scene, silentOf } from "./scene.ts";

const differing = (look: Look, scene: Scene): readonly Drift[] =>
  look.forecast.plan.update
    .filter(
      ({ from, to }) =>
        !sameTargets(to.targets, from.targets) || propertiesDiffer(to, withoutProperty(from, forceUpdate)),
    )
    .map(({ from, to }) => ({
      kind: "record-wrong-target",
      severity: "error",
      ...placeOf(scene, from),
      ...whose(look, scene, from),
      want: sameTargets(to.targets, from.targets) ? properties(to) : to.targets,
      have: sameTargets(to.targets, from.targets) ? properties(from) : from.targets,
      ...sentRound(look, refusalFor(look, from), "update it"),
      because: text`${objectOf(to)} wants it otherwise; read from the zone and predicted for ${by(look)}`,
    }));

const properties = ({
  providerSpecific,
}: Readonly<{
  providerSpecific: readonly Readonly<{ name: string; value: string }>[] | undefined;
}>): readonly string[] =>
  (providerSpecific ?? [])
    .filter(({ name }) => name !== forceUpdate)
    .map(({ name, value }) => `${name}=${value}`);

/** Under `create-only` an owned record is never updated; what the object wants can be restored by us. */
const forbidden = (look: Look, scene: Scene): readonly Drift[] =>
  silentOf(look, "policy").flatMap((row) => {
    const current = currentOf(look, row);
    const wanted = current && chosenFor(look, current);
    if (current === undefined || wanted === undefined || sameTargets(wanted.targets, current.targets))
      return [];
    const offer = look.complete ? restore(look, scene, current, wanted) : undefined;
    return [
      {
        kind: "record-wrong-target",
        severity: "error",
        ...placeOf(scene, current),
        ...whose(look, scene, current),
        want: wanted.targets,
        have: current.targets,
        ...repairWith(
          offer,
          "set it to what is wanted",
          `policy ${look.view.controller.policy} updates nothing`,
        ),
        because: text`${row.why}`,
      },
    ];
  });

/** An owned record points elsewhere than its object wants. */
export const recordWrongTarget = defineDrift({
  id: "record-wrong-target",
  title: "An owned record has another target than is wanted",
  detect: (scene) => scene.looks.flatMap((look) => [...differing(look, scene), ...forbidden(look, scene)]),
});
