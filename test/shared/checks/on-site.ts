import type { CheckResult } from "#shared/check-result.ts";
import type { Finding } from "#shared/finding.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { Site } from "#shared/site/site.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { registered, told } from "./gathered.ts";
import { onTwin } from "./on-twin.ts";

export type Given = Readonly<{
  spec?: SiteSpec;
  faults?: readonly SiteFault[];
  site?: Partial<Site>;
  /** Kinds that the API does not let us list. */
  denied?: readonly ResourceKind[];
  /** Kinds that the API does not know. */
  strange?: readonly ResourceKind[];
}>;

/** Results of one registered check on a site of the model, `healthy` unless another is given. */
export async function resultsOn(id: string, given: Given = {}): Promise<readonly CheckResult[]> {
  const { spec = healthy(), faults = [], site = {}, denied = [], strange = [] } = given;
  const { run } = onTwin(withFaults(spec, ...faults), (ports) => ({
    ...ports,
    config: { ...ports.config, site: { ...ports.config.site, ...site } },
    read: async (kinds, signal) => {
      const lists: Record<string, unknown> = { ...(await ports.read(kinds, signal)) };
      for (const kind of kinds) {
        const what = `list of ${kind}`;
        if (denied.includes(kind)) lists[kind] = { kind: "denied", what, detail: "forbidden" };
        if (strange.includes(kind)) lists[kind] = { kind: "not-configured", what, detail: "not known" };
      }
      return lists as never;
    },
  }));
  return run([registered(id)]);
}

/** `code subject` of every finding; `unknown KIND` and `skipped: WHY` once each. */
export const saidOn = async (id: string, given: Given = {}): Promise<readonly string[]> => [
  ...new Set(told(await resultsOn(id, given))),
];

export const findingsOn = async (id: string, given: Given = {}): Promise<readonly Finding[]> =>
  (await resultsOn(id, given)).flatMap((result) => (result.outcome === "failed" ? result.findings : []));
