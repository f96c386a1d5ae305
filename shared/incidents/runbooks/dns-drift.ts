import { isFault } from "../../fault.ts";
import { nameList } from "../../name-list.ts";
import { nearest } from "../../nearest.ts";
import { code, text } from "../../text.ts";
import type { Diagnosis } from "../diagnosis.ts";
import { concludeDrift, dnsDriftCodes } from "../drift/conclude-drift.ts";
import { gatherDrift, zonesNamed } from "../drift/gather-drift.ts";
import { driftLinks, toldOf } from "../drift/judge-drift.ts";
import { recentChanges } from "../recent-changes.ts";
import type { DiagnosePorts, IncidentRunbook, NoSuch } from "../runbook.ts";

function noSuchZone({ config }: DiagnosePorts, word: string): NoSuch {
  const zones = config.dns?.zones ?? [];
  const known = zones.map(({ name }) => name);
  const same = zonesNamed(config.dns ?? { zones: [], publicResolvers: [] }, word);
  if (same.length > 1)
    return {
      noSuch: text`${code(word)} is ${same.length} zones on ${config.name}, and names are never guessed apart.`,
      next: same.map(({ id }) => text`${code(`/runbook run dns-drift ${id}`)}`),
    };
  const near = nearest(word, known);
  return {
    noSuch: text`${code(word)} is in no zone that is configured for ${config.name}.${near === undefined ? "" : text` Nearest: ${code(near)}.`}`,
    next: [
      zones.length === 0
        ? text`Name zones under ${code("dns.zones")} (docs/dns.md)`
        : text`Zones: ${nameList(zones.map(({ name, id }) => `${name} (${id})`))}`,
    ],
  };
}

/** What differs in a zone, who repairs it, and who does not. */
export const dnsDrift: IncidentRunbook = {
  id: "dns-drift",
  title: "A zone differs from what the cluster wants",
  summary: text`What differs in a zone, what ExternalDNS will do about it, what we can, and what nobody will.`,
  argument: { usage: "ZONE", kinds: ["zone", "name", "record"], example: "goldentooth.net" },
  codes: dnsDriftCodes,
  diagnose: async (ports, word, options) => {
    const startedAt = ports.clock.now();
    const [zone, ...others] = ports.config.dns === undefined ? [] : zonesNamed(ports.config.dns, word);
    if (zone === undefined || others.length > 0) return noSuchZone(ports, word);
    const evidence = await gatherDrift(ports, zone, options);
    const links = driftLinks(evidence);
    const { report, from } = evidence;
    const drifts = isFault(report) ? [] : toldOf(report);
    const diagnosis: Diagnosis = {
      runbook: "dns-drift",
      subject: { kind: "zone", name: zone.name },
      title: `${zone.name} · ${zone.id}`,
      links,
      conclusion: concludeDrift(evidence, links),
      findings: [],
      seen: [],
      ...(await recentChanges(ports, evidence.lists)),
      startedAt,
      endedAt: ports.clock.now(),
      facts: {
        zone: { ...zone },
        from,
        recordSets: isFault(report) ? null : (report.recordSets ?? null),
        repairs: {
          we: drifts.filter(({ repair }) => repair === "we").length,
          externalDns: drifts.filter(({ repair }) => repair === "external-dns").length,
          nobody: drifts.filter(({ repair }) => repair === "nobody").length,
        },
        drifts: drifts.map(({ kind, name, type, want, have, repair }) => ({
          kind,
          name,
          type,
          want,
          have,
          repair,
        })),
      },
    };
    return diagnosis;
  },
  steps: [
    { id: "diagnose", title: "What differs, and who repairs it", kind: "diagnose" },
    {
      id: "mend",
      title: "Mend what nobody repairs by itself",
      kind: "manual",
      instruction: text`Changes of a zone are plans of their own: ${code("/dns plan ZONE")}, approved by somebody else. Say ${code("next")} when it is done.`,
      timeoutSeconds: 3_600,
    },
    { id: "again", title: "Look again", kind: "diagnose" },
  ],
};
