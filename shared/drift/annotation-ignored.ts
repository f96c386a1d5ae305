import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { defineDrift, nobodyWill, objectOf, placeOf } from "./drift-at.ts";
import type { idKey } from "./record-key.ts";
import type { Scene } from "./scene.ts";

const held = (scene: Scene, at: Parameters<typeof idKey>[0]): readonly string[] => {
  const set = scene.held(at);
  return set?.answer.kind === "values" ? set.answer.values : [];
};

/** Objects annotated under a prefix this release does not read: under `sync` their records go (issues 6424, 6666). */
export const annotationIgnored = defineDrift({
  id: "annotation-ignored",
  title: "An object is annotated under a prefix this release ignores",
  detect: (scene) =>
    scene.looks.flatMap(({ view, matches, registry }) =>
      view.dropped
        .filter(
          ({ endpoint, ignoredPrefix }) =>
            ignoredPrefix !== undefined && registry.isManaged(endpoint.type) && matches(endpoint.name),
        )
        .map(
          ({ endpoint, why }): Drift => ({
            kind: "annotation-ignored",
            severity: "error",
            ...placeOf(scene, endpoint),
            ownership: "ours",
            want: endpoint.targets,
            have: held(scene, endpoint),
            repair: "nobody",
            outlook: nobodyWill("annotate the object under the prefix that is read"),
            because: text`${objectOf(endpoint)}: ${why}`,
          }),
        ),
    ),
});
