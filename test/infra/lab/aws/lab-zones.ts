import { type LabAws, startLabAws } from "#infra/lab/aws/start.ts";
import { connectRoute53, type Route53Options } from "#shared/adapters/route53.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { createZones, type TwinZones, type ZoneSpec } from "#shared/twin/zones.ts";
import type { WantedZone } from "#test/contract/zones.ts";

export const nameServers = [
  { name: fqdn("ns-1.awsdns-01.org"), ip: "127.0.0.11" },
  { name: fqdn("ns-2.awsdns-02.net"), ip: "127.0.0.12" },
];

let made = 0;
const newId = (): string => `00000000-0000-4000-8000-${String(++made).padStart(12, "0")}`;

/** Zones that hold what they are given; changes reach every server when `elapse` is called. */
export function labZones(zones: readonly (Omit<ZoneSpec, "nameServers"> & Partial<ZoneSpec>)[]): TwinZones & {
  elapse: () => void;
} {
  const due: (() => void)[] = [];
  const twin = createZones({
    zones: zones.map((zone) => ({ nameServers, ...zone })),
    clock: systemClock,
    schedule: (_, run) => {
      due.push(run);
      return () => {};
    },
    newId,
  });
  return {
    ...twin,
    elapse: () => {
      for (const run of due.splice(0)) run();
    },
  };
}

export const specsOf = (zones: readonly WantedZone[]) =>
  zones.map((zone, i) => ({ id: `Z0LAB${i}`, ...zone, recordSets: [] as readonly RecordSet[] }));

export const labCredentials = { accessKeyId: "lab", secretAccessKey: "lab" };

export async function startLab(
  zones: TwinZones,
  options: Partial<Parameters<typeof startLabAws>[0]> = {},
): Promise<LabAws> {
  return startLabAws({ host: "127.0.0.1", port: 0, zones, now: Date.now, newId, ...options });
}

export const connectLab = (lab: LabAws, options: Partial<Route53Options> = {}) =>
  connectRoute53({
    region: "eu-central-1",
    endpoint: lab.url,
    credentials: labCredentials,
    clock: systemClock,
    callsPerSecond: 10_000,
    random: () => 0.5,
    ...options,
  });
