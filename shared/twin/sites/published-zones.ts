import { readController } from "../../dns/controller-flags.ts";
import { readDeployment } from "../../dns/deployment.ts";
import { forecast } from "../../dns/forecast.ts";
import { imageTag, parseRelease } from "../../dns/release.ts";
import { readSourceObjects } from "../../dns/source-objects.ts";
import { wantedEndpoints } from "../../dns/wanted.ts";
import { apexRecordSets, type ZoneSpec } from "../zones.ts";
import type { StoredObject } from "./stored-object.ts";

/**
 * Zones with what the site's ExternalDNS has published from its objects by now: what its own first round would write into
 * them, taken for done. Zones outside its domain filter stay as they are.
 */
export function publishedZones(
  zones: readonly ZoneSpec[],
  objects: readonly StoredObject[],
): readonly ZoneSpec[] {
  const deployment = objects.find(
    ({ kind, object }) => kind === "deployments" && object.metadata.name === "external-dns",
  );
  const read = readDeployment(JSON.stringify(deployment?.object ?? {}));
  const release = read.ok ? parseRelease(imageTag(read.image) ?? "") : undefined;
  const sources = readSourceObjects(
    JSON.stringify(objects.filter(({ kind }) => kind === "services").map(({ object }) => object)),
  );
  if (!read.ok || release === undefined || !sources.ok) return zones;
  const { controller, settings } = readController(read.flags, release);
  const wanted = wantedEndpoints(sources.objects, settings);
  return zones.map((zone) => {
    const { after } = forecast({
      zone: zone.name,
      recordSets: [...apexRecordSets(zone.name, zone.nameServers), ...zone.recordSets],
      wanted: wanted.endpoints,
      dropped: [],
      controller,
    });
    return { ...zone, recordSets: after };
  });
}
