import { parseTtl } from "#shared/dns/annotations.ts";
import { readController } from "#shared/dns/controller-flags.ts";
import { type FlagValues, type ReadDeployment, readDeployment } from "#shared/dns/deployment.ts";
import { type Controller, type Forecast, forecast } from "#shared/dns/forecast.ts";
import { changeJson, forecastJson } from "#shared/dns/forecast-json.ts";
import { type Fqdn, readFqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { imageTag, newestRelease, parseRelease, type Release } from "#shared/dns/release.ts";
import { isOrphan } from "#shared/dns/silent.ts";
import { readSourceObjects, type SourceObjects } from "#shared/dns/source-objects.ts";
import type { SourceSettings } from "#shared/dns/source-settings.ts";
import { type Wanted, wantedEndpoints } from "#shared/dns/wanted.ts";
import { readZoneFile } from "#shared/dns/zone-file.ts";
import { FaultError } from "#shared/fault.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Deps } from "./commands/command.ts";
import type { ForecastOptions } from "./commands/dns-forecast.ts";

const list = (value: string): readonly string[] =>
  value
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");

/** Our options as ExternalDNS's flags: they outrank those of a Deployment. */
function ownFlags(input: ForecastOptions, key: string | undefined): FlagValues {
  const one = (name: string, value: string | undefined): readonly (readonly [string, readonly string[]])[] =>
    value === undefined ? [] : [[name, [value]]];
  const many = (
    name: string,
    value: string | undefined,
  ): readonly (readonly [string, readonly string[]])[] => (value === undefined ? [] : [[name, list(value)]]);
  return new Map([
    ...one("txt-owner-id", input.owner),
    ...one("policy", input.policy),
    ...one("txt-prefix", input.txtPrefix),
    ...one("txt-suffix", input.txtSuffix),
    ...one("txt-wildcard-replacement", input.txtWildcardReplacement),
    ...one("txt-encrypt-aes-key", key),
    ...one("txt-encrypt-enabled", key === undefined ? undefined : "true"),
    ...many("managed-record-types", input.managedTypes),
    ...many("exclude-record-types", input.excludeTypes),
    ...one("migrate-from-txt-owner", input.migrateFromOwner),
    ...many("domain-filter", input.domainFilter),
    ...many("exclude-domains", input.excludeDomains),
    ...one("annotation-prefix", input.annotationPrefix),
  ]);
}

function releaseOf(
  input: ForecastOptions,
  deployment: ReadDeployment | undefined,
): Readonly<{ release: Release; problem?: string }> {
  const oldest = 14;
  if (input.release !== undefined) {
    const release = parseRelease(input.release);
    if (release && release.minor >= oldest) return { release };
    return {
      release: newestRelease,
      problem: `--release "${input.release}" is not a release whose rules are known (0.14 to ${newestRelease.text})`,
    };
  }
  if (!deployment?.ok) return { release: newestRelease };
  const tag = imageTag(deployment.image);
  const release = tag === undefined ? undefined : parseRelease(tag);
  if (release && release.minor >= oldest) return { release };
  return {
    release: newestRelease,
    problem: `the Deployment's image ${JSON.stringify(deployment.image)} names no release that is known (0.14 to ${newestRelease.text}); say --release`,
  };
}

export type Prepared =
  | Readonly<{
      ok: true;
      forecast: Forecast;
      unknown: readonly string[];
      release: Release;
      basis: readonly string[];
    }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

export type ReadFiles =
  | Readonly<{
      ok: true;
      zone: Fqdn;
      recordSets: readonly RecordSet[];
      objects: SourceObjects;
      wanted: Wanted;
      controller: Controller;
      settings: SourceSettings;
      release: Release;
      /** Name of the Deployment, where one was given. */
      deployment: string | undefined;
      intervalSeconds: number;
      /** Flags and sources that are not modelled. */
      unknown: readonly string[];
    }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

/** `--interval` of ExternalDNS, a Go duration; a minute without it. */
const intervalOf = (flags: FlagValues): number => parseTtl(flags.get("interval")?.at(-1)) || 60;

/** Reads all files and options of `dns forecast` and `dns check`; every problem of the input at once. */
export async function readFiles(input: ForecastOptions, deps: Pick<Deps, "readFile">): Promise<ReadFiles> {
  const problems: string[] = [];
  const contents = async (path: string | undefined): Promise<string | undefined> => {
    if (path === undefined) return undefined;
    try {
      return await deps.readFile(path);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      problems.push(`${error.fault.what}: ${error.fault.detail}`);
      return undefined;
    }
  };
  const [zoneContent, endpointContent, deploymentContent, keyContent] = await Promise.all([
    contents(input.zoneFile),
    contents(input.endpoints),
    contents(input.deployment),
    contents(input.txtAesKeyFile),
  ]);
  const from = (path: string, list: readonly string[]): void =>
    void problems.push(...list.map((problem) => `${path}: ${problem}`));

  const sets = zoneContent === undefined ? undefined : readZoneFile(zoneContent);
  if (sets?.ok === false) from(input.zoneFile, sets.problems);
  const objects = endpointContent === undefined ? undefined : readSourceObjects(endpointContent);
  if (objects?.ok === false) from(input.endpoints, objects.problems);
  const deployment = deploymentContent === undefined ? undefined : readDeployment(deploymentContent);
  if (deployment?.ok === false) from(input.deployment ?? "", deployment.problems);
  const zone = readFqdn(input.zone);
  if (!zone.ok) problems.push(`--zone ${zone.problem}`);
  if (input.owner === undefined && input.deployment === undefined)
    problems.push('--owner is missing: the --txt-owner-id of ExternalDNS ("" switches the owner filter off)');

  const { release, problem } = releaseOf(input, deployment);
  if (problem !== undefined) problems.push(problem);
  const given = deployment?.ok ? deployment.flags : new Map<string, readonly string[]>();
  // A key file ends in a line end more often than not; a raw key of 32 bytes may hold anything.
  const key = keyContent?.length === 32 ? keyContent : keyContent?.trim();
  const read = readController(new Map([...given, ...ownFlags(input, key)]), release);
  problems.push(...read.problems);
  if (problems.length > 0 || !sets?.ok || !objects?.ok || !zone.ok) return { ok: false, problems };

  const outside = sets.recordSets.filter(({ name }) => name !== zone.fqdn && !name.endsWith(`.${zone.fqdn}`));
  if (outside.length > 0)
    return {
      ok: false,
      problems: [
        `${input.zoneFile}: ${outside[0]?.name} is not in the zone ${zone.fqdn}: is it the listing of another zone?`,
      ],
    };
  const wanted = wantedEndpoints(objects.objects, read.settings);
  const hidden = deployment?.ok ? deployment.hidden : [];
  return {
    ok: true,
    zone: zone.fqdn,
    recordSets: sets.recordSets,
    objects: objects.objects,
    wanted,
    controller: read.controller,
    settings: read.settings,
    release,
    deployment: deployment?.ok ? deployment.name : undefined,
    intervalSeconds: intervalOf(given),
    unknown: [...new Set([...read.unknown, ...hidden.map((name) => `env ${name}`), ...wanted.unknown])],
  };
}

/** Reads everything and forecasts. */
export async function prepareForecast(
  input: ForecastOptions,
  deps: Pick<Deps, "readFile">,
): Promise<Prepared> {
  const files = await readFiles(input, deps);
  if (!files.ok) return files;
  const { zone, recordSets, wanted, controller, settings, release } = files;
  const result = forecast({
    zone,
    recordSets,
    wanted: wanted.endpoints,
    dropped: wanted.dropped,
    controller,
  });
  return {
    ok: true,
    forecast: result,
    release,
    unknown: [...new Set([...files.unknown, ...result.unknown])],
    basis: [
      `ExternalDNS ${release.text}, policy ${controller.policy}, owner ${JSON.stringify(controller.owner)}`,
      `reads annotations under ${settings.annotationPrefix}`,
      `manages ${controller.managedTypes.join(", ")}`,
      `${recordSets.length} record sets in ${zone}, ${wanted.endpoints.length} wanted endpoints`,
    ],
  };
}

/** Exit 2: the input is wrong, every problem named. */
export const forecastProblems = (problems: readonly string[], what = "dns forecast"): Reply => ({
  verdict: {
    word: "Not understood",
    outcome: "usage",
    text: [problems.length === 1 ? `${problems[0]}.` : `${problems.length} problems with this request.`],
  },
  findings: [],
  blocks: problems.length > 1 ? [{ kind: "evidence", title: "Problems", lines: problems }] : [],
  next: [text`What it takes: ${code(`docs/${what.replace(" ", "-")}.md`)}`],
  actions: [],
  json: { error: { kind: "usage", what, problems: [...problems] } },
});

const changeLine = (change: ReturnType<typeof changeJson>): string => {
  const { action, name, type, setIdentifier, values, aliasTarget } = change;
  const to = Array.isArray(values) ? values.join(", ") : (aliasTarget ?? "(encrypted, not known before)");
  return `${action} ${name} ${type}${setIdentifier === undefined ? "" : ` (${setIdentifier})`} ${to}`;
};

const table = (
  title: string,
  rows: readonly Readonly<{ name: string; type: string; why: string }>[],
): Block[] =>
  rows.length === 0
    ? []
    : [
        {
          kind: "table",
          title,
          columns: [{ title: "record" }, { title: "type" }, { title: "why" }],
          rows: rows.map(({ name, type, why }): readonly Text[] => [[name], [type], [why]]),
        },
      ];

export function answer({ forecast: result, unknown, basis }: Prepared & { ok: true }): Reply {
  const deletes = result.plan.delete.length;
  const orphans = new Set(
    result.silent.filter(isOrphan).map(({ name, type, setIdentifier }) => `${name} ${type} ${setIdentifier}`),
  ).size;
  const refused = result.refused.map(({ change, why }) => ({
    name: change.set.name,
    type: change.set.type,
    why,
  }));
  // An empty answer is more often a list that was not made than a wish for nothing.
  const losesAll = deletes > 0 && result.wanted.length === 0;
  return {
    verdict: {
      word: losesAll ? "WARN" : "FORECAST",
      outcome: refused.length > 0 || losesAll ? "failed" : unknown.length > 0 ? "unknown" : "info",
      text: [
        losesAll
          ? `nothing is wanted: would delete everything owned, ${deletes}, and orphan ${orphans}`
          : `would delete ${deletes} and orphan ${orphans}`,
      ],
    },
    why: [
      `It would create ${result.plan.create.length}, update ${result.plan.update.length} and delete ${deletes} records; `,
      result.accepted === null
        ? "nothing would be sent."
        : result.accepted
          ? `Route 53 would accept all ${result.changes.length} changes.`
          : `Route 53 would refuse ${refused.length} of ${result.changes.length} changes, again in every round.`,
    ],
    findings: unknown.map((what) => ({
      code: "forecast-unknown",
      severity: "unknown" as const,
      subject: { kind: "config" as const, name: "external-dns" },
      facts: { what },
      text: text`not modelled, so the answer may differ: ${what}`,
    })),
    blocks: [
      ...table("Refused by Route 53", refused),
      ...table("Left as it is, in silence", result.silent),
      ...(result.changes.length === 0
        ? []
        : [
            {
              kind: "evidence" as const,
              title: "Changes, as they are sent",
              lines: result.changes.map((change) => changeLine(changeJson(change))),
            },
          ]),
      { kind: "evidence", title: "Taken for this forecast", lines: basis },
    ],
    next: [text`What is modelled: ${code("docs/dns-forecast.md")}`],
    actions: [],
    json: forecastJson(result, unknown),
  };
}
