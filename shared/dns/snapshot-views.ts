import type { ControllerView, ServiceAddresses } from "../drift/input.ts";
import type { Fault } from "../fault.ts";
import { goDuration } from "../metallb/bgp-configuration.ts";
import { readController } from "./controller-flags.ts";
import type { FlagValues } from "./deployment.ts";
import { defaultController } from "./forecast.ts";
import { imageTag, newestRelease, parseRelease } from "./release.ts";
import type { SnapshotContent } from "./snapshot.ts";

/** `--interval`, in seconds; 60 without it (pkg/apis/externaldns/types.go). */
export const intervalSeconds = (flags: FlagValues): number => {
  const given = flags.get("interval")?.at(-1);
  return (given === undefined ? undefined : goDuration(given)) ?? 60;
};

/** Deployments of the snapshot as drift detection looks at them; a release that is not known makes all unknown. */
export function controllerViews({ controllers }: SnapshotContent): readonly ControllerView[] {
  return controllers.map(({ name, image, flags, endpoints, dropped, unknown }) => {
    const values: FlagValues = new Map(Object.entries(flags));
    const tag = imageTag(image);
    const release = tag === undefined ? undefined : parseRelease(tag);
    const controller =
      release === undefined
        ? defaultController(newestRelease, "upsert-only", flags["txt-owner-id"]?.at(-1) ?? "default")
        : readController(values, release).controller;
    return {
      name,
      controller,
      wanted: endpoints,
      dropped,
      unknown,
      intervalSeconds: intervalSeconds(values),
    };
  });
}

/** Faults of a snapshot's sources, as everything else tells them. */
export const wishFaults = ({ faults }: SnapshotContent): readonly Fault[] =>
  faults.map(({ source, kind, detail }) => ({
    kind: kind as Fault["kind"],
    what: `list of ${source}`,
    detail,
  }));

export const serviceAddresses = ({ services }: SnapshotContent): readonly ServiceAddresses[] =>
  Object.entries(services).map(([service, addresses]) => ({ service, addresses }));
