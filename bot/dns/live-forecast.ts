import { type WishKind, wishKinds } from "#shared/dns/cluster-wishes.ts";
import {
  disagreements,
  dryRunArguments,
  type LoggedChange,
  loggedNumbers,
  type ProgramSaid,
  programRelease,
  readProgramLog,
} from "#shared/dns/external-dns-program.ts";
import {
  type ClusterForecast,
  type ControllerForecast,
  forecastCluster,
  runningRelease,
} from "#shared/dns/forecast-cluster.ts";
import { changeJson, forecastJson } from "#shared/dns/forecast-json.ts";
import { newestRelease, parseRelease } from "#shared/dns/release.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import type { Json } from "#shared/json.ts";
import type { Listed } from "#shared/kubernetes/read.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Context } from "../commands/command.ts";
import { isReply, noZones } from "./dns-words.ts";

export type LiveForecast = Readonly<{
  release: string;
  policy: string | undefined;
  /** A real ExternalDNS, in a shell. */
  withBinary: string | undefined;
}>;

const oldestMinor = 14;

const usage = (words: Text, next: Text): Reply => ({
  verdict: { word: "Not understood", outcome: "usage", text: words },
  findings: [],
  blocks: [],
  next: [next],
  actions: [],
});

const unknownFinding = (name: string, what: string): Finding => ({
  code: "forecast-unknown",
  severity: "unknown",
  subject: { kind: "config", name },
  facts: { what },
  text: text`${name}: not modelled, so the answer may differ: ${what}`,
});

/** What a real ExternalDNS said for one controller, where it was run. */
type Ran = Readonly<{
  name: string;
  said: ProgramSaid;
  byZone: ReadonlyMap<string, readonly LoggedChange[]>;
}>;

/** Runs the program with each controller's arguments. A Reply where it may not or cannot. */
async function runPrograms(
  context: Context<unknown>,
  { controllers, release }: ClusterForecast,
  cluster: string,
  path: string,
): Promise<readonly Ran[] | Reply> {
  const { deps, caller, signal, show } = context;
  if (caller.door !== "cli" || deps.runProgram === undefined)
    return usage(
      text`${code("--with-binary")} runs a program of the machine you sit at, so it works in a shell only.`,
      text`There: ${code("arpeggio dns forecast RELEASE --with-binary PATH")}`,
    );
  const versionSaid = await deps.runProgram(path, ["--version"], { signal });
  const version = programRelease(`${versionSaid.stdout}\n${versionSaid.stderr}`);
  if (version?.text !== release.text)
    return usage(
      version === undefined
        ? text`${code(path)} does not say which release of ExternalDNS it is.`
        : text`${code(path)} is release ${version.text}, and you asked about ${release.text}.`,
      text`Its own word: ${code(`${path} --version`)}`,
    );
  const ran: Ran[] = [];
  for (const { name, flags, controller, zones } of controllers) {
    const made = dryRunArguments(flags, controller.policy);
    if (!made.ok)
      return usage(
        text`${name} is not run: ${made.problems.join("; ")}.`,
        text`Without it: leave ${code("--with-binary")} out`,
      );
    show({
      verdict: { word: "RUNNING", outcome: "running", text: text`${path} --dry-run --once for ${name}` },
      findings: [],
      blocks: [],
      actions: [],
    });
    const output = await deps.runProgram(path, made.args, { cluster, signal });
    const said = readProgramLog(`${output.stdout}\n${output.stderr}`);
    if (output.exitCode !== 0 || (said.changes.length === 0 && !said.upToDate))
      throw new FaultError({
        kind: "refused",
        what: `${path} for ${name}`,
        detail: said.errors[0] ?? `it ended with ${output.exitCode} and named no change`,
      });
    const only = zones.length === 1 ? zones[0]?.zone.id : undefined;
    ran.push({
      name,
      said,
      byZone: Map.groupBy(said.changes, ({ zone }) => zone ?? only ?? ""),
    });
  }
  return ran;
}

type Numbers = Readonly<{
  create: number;
  update: number;
  delete: number;
  orphans: number;
  refused: number;
  silent: number;
}>;

/** Where a real one was run, its word counts for what it would send; only we say what stays wrong. */
const numbersOf = (each: ControllerForecast["zones"][number], ran: Ran | undefined): Numbers => ({
  ...(ran === undefined
    ? {
        create: each.forecast.plan.create.length,
        update: each.forecast.plan.update.length,
        delete: each.forecast.plan.delete.length,
      }
    : loggedNumbers(ran.byZone.get(each.zone.id) ?? [])),
  orphans: each.orphans,
  refused: each.forecast.refused.length,
  silent: each.forecast.silent.length,
});

const total = (all: readonly Numbers[], of: keyof Numbers): number =>
  all.reduce((sum, each) => sum + each[of], 0);

function ignoredFindings({
  name,
  ignored,
  annotationPrefix,
  controller,
}: ControllerForecast): readonly Finding[] {
  return [...ignored].map(([prefix, objects]) => ({
    code: "forecast-annotations-ignored",
    severity: "error",
    subject: { kind: "config", name },
    facts: { prefix, reads: annotationPrefix, endpoints: objects },
    text: text`${name}: ${objects} endpoints are annotated under ${code(prefix)}, which ${controller.release.text} does not read (it reads ${code(annotationPrefix)}): ExternalDNS will treat them as not wanted`,
    remedy: text`annotate the objects under ${code(annotationPrefix)} too before the upgrade, or keep ${code(`--annotation-prefix=${prefix}`)}`,
  }));
}

function disagreementBlocks(
  controllers: readonly ControllerForecast[],
  ran: readonly Ran[],
): Readonly<{ findings: readonly Finding[]; blocks: readonly Block[] }> {
  const lines = controllers.flatMap(({ name, zones }) => {
    const mine = ran.find((each) => each.name === name);
    return zones.flatMap(({ zone, forecast }) => {
      const { onlyProgram, onlyOurs } = disagreements(mine?.byZone.get(zone.id) ?? [], forecast.changes);
      return [
        ...onlyProgram.map((line) => `${zone.name}: only the program says ${line}`),
        ...onlyOurs.map((line) => `${zone.name}: only our model says ${line}`),
      ];
    });
  });
  if (lines.length === 0)
    return {
      findings: [],
      blocks: [{ kind: "prose", text: ["The program and our model say the same changes."] }],
    };
  return {
    findings: [
      {
        code: "forecast-binary-disagrees",
        severity: "warning",
        subject: { kind: "config", name: "external-dns" },
        facts: { changes: lines.length },
        text: text`the program and our model disagree about ${lines.length} changes; the program's word counts here`,
      },
    ],
    blocks: [{ kind: "evidence", title: "Where the program and our model disagree", lines }],
  };
}

const rowsTable = (
  title: string,
  rows: readonly Readonly<{ name: string; type: string; why: string }>[],
): readonly Block[] =>
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

const changeLine = (change: ReturnType<typeof changeJson>): string => {
  const { action, name, type, setIdentifier, values, aliasTarget } = change;
  const to = Array.isArray(values) ? values.join(", ") : (aliasTarget ?? "(encrypted, not known before)");
  return `${String(action)} ${String(name)} ${String(type)}${setIdentifier === undefined ? "" : ` (${String(setIdentifier)})`} ${String(to)}`;
};

function detailBlocks(
  { name, zones, problems, others }: ControllerForecast,
  isOne: boolean,
  ran: Ran | undefined,
): readonly Block[] {
  const at = (zone: string): string => (isOne ? zone : `${zone}, ${name}`);
  return [
    ...(problems.length === 0
      ? []
      : [{ kind: "evidence" as const, title: `${name} would not start`, lines: problems }]),
    ...zones.flatMap(({ zone, forecast }): readonly Block[] => [
      ...rowsTable(
        `Route 53 will refuse, again in every round: ${at(zone.name)}`,
        forecast.refused.map(({ change, why }) => ({ name: change.set.name, type: change.set.type, why })),
      ),
      ...(forecast.changes.length === 0
        ? []
        : [
            {
              kind: "evidence" as const,
              title: `ExternalDNS will send: ${at(zone.name)}`,
              lines: forecast.changes.map((change) => changeLine(changeJson(change))),
            },
          ]),
      ...rowsTable(`Nobody will fix, and nobody says so: ${at(zone.name)}`, forecast.silent),
      ...(ran === undefined
        ? []
        : [
            {
              kind: "evidence" as const,
              title: `The program says: ${at(zone.name)}`,
              lines: (ran.byZone.get(zone.id) ?? []).map(
                (each) => `${each.action} ${each.name} ${each.type}`,
              ),
            },
          ]),
    ]),
    ...(others.length === 0
      ? []
      : [
          {
            kind: "evidence" as const,
            title: `Zones ${name} does not look at`,
            lines: others.map(({ zone, why }) => `${zone.name} (${zone.id}): ${why}`),
          },
        ]),
  ];
}

function forecastReply(
  cluster: string,
  result: ClusterForecast,
  asked: LiveForecast,
  ran: readonly Ran[] | undefined,
): Reply {
  const { controllers, faults, release } = result;
  const of = (name: string): Ran | undefined => ran?.find((each) => each.name === name);
  const numbers = controllers.flatMap((each) => each.zones.map((zone) => numbersOf(zone, of(each.name))));
  const broken = controllers.filter(({ problems }) => problems.length > 0);
  const told = ran === undefined ? { findings: [], blocks: [] } : disagreementBlocks(controllers, ran);
  const findings: readonly Finding[] = [
    ...broken.map(
      ({ name, problems }): Finding => ({
        code: "forecast-would-not-start",
        severity: "error",
        subject: { kind: "config", name },
        facts: { problems: [...problems] },
        text: text`${name} will not start as ${release.text}: ${problems.join("; ")}`,
      }),
    ),
    ...controllers.flatMap(ignoredFindings),
    ...told.findings,
    ...controllers.flatMap(({ name, unknown }) => unknown.map((what) => unknownFinding(name, what))),
    ...faults.map(({ what, detail }) => unknownFinding(what, `could not be read: ${detail}`)),
  ];
  const isOpen = findings.some(({ severity }) => severity === "unknown");
  const nobody = controllers.length === 0;
  const refused = total(numbers, "refused");
  const isOne = controllers.length === 1;
  const basis = controllers.map(({ name, image, controller, annotationPrefix }) => {
    const now = runningRelease({ image });
    return `${name}: ${now === undefined ? image : now.text} now, taken as ${release.text}, policy ${controller.policy}, owner ${JSON.stringify(controller.owner)}, reads ${annotationPrefix}`;
  });
  return {
    verdict: nobody
      ? {
          word: "UNKNOWN",
          outcome: "unknown",
          text: text`no ExternalDNS was found, so there is nothing to forecast`,
        }
      : {
          word: isOpen ? "UNKNOWN" : "FORECAST",
          outcome: refused > 0 || broken.length > 0 ? "failed" : isOpen ? "unknown" : "info",
          text: text`would delete ${total(numbers, "delete")} and orphan ${total(numbers, "orphans")} · ExternalDNS ${release.text}${asked.policy === undefined ? "" : `, policy ${asked.policy}`}`,
        },
    cluster,
    ...(nobody
      ? {}
      : {
          why: text`ExternalDNS will create ${total(numbers, "create")}, update ${total(numbers, "update")} and delete ${total(numbers, "delete")} records; Route 53 will refuse ${refused} changes. ${isOpen ? "What is named below is not modelled, so this may be wrong. " : ""}${ran === undefined ? "" : "What it creates, updates and deletes is the program's own word. "}We change nothing.`,
        }),
    findings,
    blocks: [
      ...(controllers.length === 0
        ? []
        : [
            {
              kind: "table" as const,
              columns: [
                { title: "zone" },
                { title: "create", align: "right" as const },
                { title: "update", align: "right" as const },
                { title: "delete", align: "right" as const },
                { title: "orphan", align: "right" as const },
                { title: "refused", align: "right" as const },
                ...(isOne ? [] : [{ title: "ExternalDNS" }]),
              ],
              rows: controllers.flatMap((each) =>
                each.zones.map((zone): readonly Text[] => {
                  const row = numbersOf(zone, of(each.name));
                  return [
                    [zone.zone.name],
                    [String(row.create)],
                    [String(row.update)],
                    [String(row.delete)],
                    [String(row.orphans)],
                    [String(row.refused)],
                    ...(isOne ? [] : [[each.name]]),
                  ];
                }),
              ),
            },
          ]),
      ...told.blocks,
      ...controllers.flatMap((each) => detailBlocks(each, isOne, of(each.name))),
      { kind: "evidence", title: "Taken for this forecast", lines: basis.length === 0 ? ["nothing"] : basis },
    ],
    next: [text`What is modelled: ${code("docs/dns-forecast.md")}`],
    actions: [],
    json: {
      cluster,
      release: release.text,
      policy: asked.policy ?? null,
      delete: total(numbers, "delete"),
      orphan: total(numbers, "orphans"),
      controllers: controllers.map(
        (each): Json => ({
          name: each.name,
          image: each.image,
          problems: [...each.problems],
          zones: each.zones.map(
            ({ zone, forecast, orphans }): Json => ({
              zone: zone.name,
              zoneId: zone.id,
              orphans,
              ...forecastJson(forecast, each.unknown),
              ...(of(each.name) === undefined
                ? {}
                : {
                    program: (of(each.name)?.byZone.get(zone.id) ?? []).map(({ action, name, type }) => ({
                      action,
                      name,
                      type,
                    })),
                  }),
            }),
          ),
        }),
      ),
      unknown: faults.map(({ what, detail }) => `${what}: ${detail}`),
    },
  };
}

/** What every ExternalDNS of the cluster would do as another release, from the cluster and zones as they are. */
export async function forecastLive(context: Context<unknown>, asked: LiveForecast): Promise<Reply> {
  const { cluster, signal } = context;
  if (cluster === undefined) throw new Error("a live forecast needs a cluster");
  const { name, dns } = cluster.config;
  const release = parseRelease(asked.release);
  if (release === undefined || release.minor < oldestMinor)
    return usage(
      text`${code(asked.release)} is not a release whose rules are known (0.14 to ${newestRelease.text}).`,
      text`Example: ${code("/dns forecast 0.22.0 --policy sync")}`,
    );
  if (dns === undefined || cluster.zones === undefined) return noZones(cluster.config);
  const lists = (await cluster.read([...wishKinds], signal)) as Readonly<Record<WishKind, Listed>>;
  const result = await forecastCluster(
    lists,
    cluster.zones,
    dns.zones.map(({ id }) => id),
    { release, ...(asked.policy !== undefined && { policy: asked.policy }) },
    signal,
  );
  if (asked.withBinary === undefined) return forecastReply(name, result, asked, undefined);
  const ran = await runPrograms(context, result, name, asked.withBinary);
  return "verdict" in ran && isReply(ran) ? ran : forecastReply(name, result, asked, ran as readonly Ran[]);
}
