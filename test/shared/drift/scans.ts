import type { Endpoint } from "#shared/dns/endpoint.ts";
import { type Controller, defaultController } from "#shared/dns/forecast.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { zoneModel } from "#shared/dns/route53-judge.ts";
import { makePlan } from "#shared/drift/change-plan.ts";
import { detectDrift } from "#shared/drift/detect.ts";
import type { Drift } from "#shared/drift/drift.ts";
import type { DriftReport } from "#shared/drift/drift-report.ts";
import type { ControllerView, DriftInput } from "#shared/drift/input.ts";
import type { Plan, PlannedBatch } from "#shared/drift/plan-value.ts";
import { release, zoneName } from "../dns/zones.ts";

export const noon = Date.UTC(2026, 10, 23, 12);

export type Site = Readonly<{
  have?: readonly RecordSet[];
  want?: readonly Endpoint[];
  release?: string;
  with?: Partial<Controller>;
  view?: Partial<ControllerView>;
  more?: readonly ControllerView[];
  scan?: Partial<DriftInput>;
}>;

export const controllerView = (site: Site): ControllerView => ({
  name: "external-dns/external-dns",
  controller: { ...defaultController(release(site.release ?? "0.22.0"), "sync", "me"), ...site.with },
  wanted: site.want ?? [],
  dropped: [],
  unknown: [],
  intervalSeconds: 60,
  ...site.view,
});

export const inputOf = (site: Site): DriftInput => ({
  cluster: "goldentooth",
  at: noon,
  zone: { id: "Z1", name: zoneName },
  recordSets: site.have ?? [],
  controllers: [controllerView(site), ...(site.more ?? [])],
  snapshot: {
    hash: "snap",
    takenAt: noon - 10_000,
    faults: [],
    endpoints: Math.max(1, site.want?.length ?? 0),
  },
  services: [],
  oldDomains: [],
  previous: [],
  ...site.scan,
});

export const scan = (site: Site): DriftReport => detectDrift(inputOf(site));

export const drifts = (site: Site, kind: string): readonly Drift[] =>
  scan(site).drifts.filter((drift) => drift.kind === kind);

const short = (name: string): string => (name === zoneName ? "@" : name.replace(`.${zoneName}`, ""));

/** `record-missing web A ours external-dns`: all of a scan, in its order. */
export const told = (site: Site): readonly string[] =>
  scan(site).drifts.map(({ kind, name, type, ownership, repair }) =>
    [kind, short(name), type, ownership, repair].join(" "),
  );

export const generous = { absolute: 100_000, share: 1 };

export const planOf = (site: Site, limits = generous): Plan =>
  makePlan({
    input: inputOf(site),
    report: scan(site),
    limits,
    at: noon,
  });

/** The zone after a plan, or after its way back; throws what Route 53 says against it. */
export function applied(have: readonly RecordSet[], batches: readonly PlannedBatch[]): readonly RecordSet[] {
  const model = zoneModel(have, zoneName);
  for (const { changes } of batches) {
    const refused = model.apply(
      changes.map(({ action, set }) => ({ action, set, group: set.name, unpredictable: false })),
    );
    if (refused.length > 0)
      throw new Error(
        refused.map(({ change, why }) => `${change.action} ${change.set.name}: ${why}`).join("; "),
      );
  }
  return model.recordSets();
}

/** What a plan does, as `DELETE a-web TXT`. */
export const steps = (plan: Plan): readonly string[] =>
  plan.batches.flatMap(({ changes }) =>
    changes.map(({ action, set }) => `${action} ${short(set.name)} ${set.type}`),
  );
