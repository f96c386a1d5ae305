import { canonicalDigest } from "#shared/drift/canonical-digest.ts";
import { makePlan } from "#shared/drift/change-plan.ts";
import { detectDrift } from "#shared/drift/detect.ts";
import { defaultDeleteLimits } from "#shared/drift/guards.ts";
import type { DriftInput } from "#shared/drift/input.ts";
import { checkJson, driftReply } from "#shared/drift/report.ts";
import { serviceAddresses } from "#shared/drift/service-addresses.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";
import type { Deps } from "./commands/command.ts";
import type { ForecastOptions } from "./commands/dns-forecast.ts";
import { forecastProblems, readFiles } from "./run-dns-forecast.ts";

/** Compares a zone file with a dump. Both count as of now: files do not say when they were written. */
export async function checkFiles(
  options: ForecastOptions,
  deps: Pick<Deps, "readFile" | "clock">,
): Promise<Reply> {
  const files = await readFiles(options, deps);
  if (!files.ok) return forecastProblems(files.problems, "dns check");
  const at = deps.clock.now();
  const input: DriftInput = {
    at,
    zone: { id: "file", name: files.zone },
    recordSets: files.recordSets,
    controllers: [
      {
        name: files.deployment ?? "external-dns",
        controller: files.controller,
        wanted: files.wanted.endpoints,
        dropped: files.wanted.dropped,
        unknown: files.unknown,
        intervalSeconds: files.intervalSeconds,
      },
    ],
    snapshot: {
      hash: canonicalDigest(files.wanted.endpoints),
      takenAt: at,
      faults: [],
      endpoints: files.wanted.endpoints.length,
    },
    services: serviceAddresses(files.objects),
    oldDomains: [],
    previous: [],
  };
  const report = detectDrift(input);
  const plan = makePlan({ input, report, limits: defaultDeleteLimits, at });
  const reply = driftReply({
    report,
    shown: report.drifts,
    resolved: [],
    plan,
    snooze: undefined,
    buttons: {},
  });
  return {
    ...reply,
    next: [...(reply.next ?? []), text`What is compared: ${code("docs/dns-check.md")}`],
    json: checkJson(report),
  };
}
