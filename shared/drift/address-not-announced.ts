import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { defineDrift, nobodyWill, objectOf, placeOf } from "./drift-at.ts";
import type { Scene } from "./scene.ts";

/** A wanted name points to an address of MetalLB that no node announces, as predicted. */
export const addressNotAnnounced = defineDrift({
  id: "address-not-announced",
  title: "A name points to an address that nobody announces",
  detect: (scene: Scene) => {
    const silent = new Map(
      (scene.predictions ?? []).filter(({ order }) => order.length === 0).map((each) => [each.ip, each]),
    );
    if (silent.size === 0) return [];
    return scene.looks.flatMap((look) =>
      look.forecast.wanted.flatMap((endpoint): readonly Drift[] => {
        const mute = look.matches(endpoint.name)
          ? endpoint.targets.filter((target) => silent.has(target))
          : [];
        const [first] = mute;
        if (first === undefined) return [];
        const why = silent.get(first);
        return [
          {
            kind: "address-not-announced",
            severity: "error",
            ...placeOf(scene, endpoint),
            ownership: "ours",
            want: endpoint.targets,
            have: mute,
            repair: "nobody",
            outlook: nobodyWill("DNS is right and the address is not reachable: see arping"),
            because: text`${objectOf(endpoint)}: MetalLB is predicted to announce ${mute.join(", ")} from no node${why?.configError === undefined ? "" : ` (${why.configError})`}`,
          },
        ];
      }),
    );
  },
});
