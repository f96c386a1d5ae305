import { resourceLabel } from "../dns/endpoint.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { defineDrift, nobodyWill, placeOf } from "./drift-at.ts";
import type { Scene } from "./scene.ts";

const isAddress = (type: string): boolean => type === "A" || type === "AAAA";

/** A name is wanted for a Service at an address the Service does not have (a `target` annotation left behind). */
export const addressNotTheServices = defineDrift({
  id: "address-not-the-services",
  title: "A name points to an address its Service does not have",
  detect: (scene: Scene) => {
    const byService = new Map(
      scene.services.map(({ service, addresses }) => [`service/${service}`, addresses]),
    );
    return scene.looks.flatMap((look) =>
      look.forecast.wanted.flatMap((endpoint): readonly Drift[] => {
        const addresses = byService.get(endpoint.labels[resourceLabel] ?? "");
        if (
          addresses === undefined ||
          addresses.length === 0 ||
          !isAddress(endpoint.type) ||
          !look.matches(endpoint.name)
        )
          return [];
        const strange = endpoint.targets.filter((target) => !addresses.includes(target));
        if (strange.length === 0) return [];
        return [
          {
            kind: "address-not-the-services",
            severity: "warning",
            ...placeOf(scene, endpoint),
            ownership: "ours",
            want: addresses,
            have: strange,
            repair: "nobody",
            outlook: nobodyWill("change the object: ExternalDNS publishes what it says"),
            because: text`${endpoint.labels[resourceLabel] ?? ""} has ${addresses.join(", ")} by its status`,
          },
        ];
      }),
    );
  },
});
