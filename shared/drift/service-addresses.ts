import type { SourceObjects } from "../dns/source-objects.ts";
import type { ServiceAddresses } from "./input.ts";

/** The addresses that LoadBalancer Services of a dump have by their status. */
export const serviceAddresses = ({
  services,
}: Pick<SourceObjects, "services">): readonly ServiceAddresses[] =>
  services
    .filter(({ spec }) => spec.type === "LoadBalancer")
    .map(({ metadata, spec, status }) => ({
      service: `${metadata.namespace}/${metadata.name}`,
      addresses: [...spec.externalIps, ...status.flatMap(({ ip }) => ip ?? [])],
    }));
