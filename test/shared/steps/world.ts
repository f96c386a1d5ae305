import type { Twin } from "#shared/twin/twin.ts";

export { setBgpMode } from "#infra/lab/set-bgp-mode.ts";

/** Specs of what the run touches, by kind and name: what a rollback has to bring back. */
export const touched = (twin: Twin): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    (["ipaddresspools", "l2advertisements", "bgpadvertisements", "bgppeers", "bfdprofiles"] as const).flatMap(
      (kind) => twin.store.list(kind).items.map((object) => [`${kind}/${object.metadata.name}`, object.spec]),
    ),
  );
