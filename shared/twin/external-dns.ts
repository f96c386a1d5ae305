import type { Clock } from "../clock.ts";
import { batchChanges, groups } from "../dns/aws-batch.ts";
import { type AwsChange, sameZone } from "../dns/aws-change.ts";
import { type ReadController, readController } from "../dns/controller-flags.ts";
import { type FlagValues, readDeployment } from "../dns/deployment.ts";
import { domainMatcher } from "../dns/domain-filter.ts";
import type { Endpoint } from "../dns/endpoint.ts";
import { forecast } from "../dns/forecast.ts";
import { decodeName, isWithin, route53Name } from "../dns/fqdn.ts";
import { imageTag, parseRelease, type Release } from "../dns/release.ts";
import { readSourceObjects } from "../dns/source-objects.ts";
import { wantedEndpoints } from "../dns/wanted.ts";
import type { HostedZone, RecordChange } from "../dns/zones.ts";
import { FaultError } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { goDuration } from "../metallb/bgp-configuration.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Schedule } from "./schedule.ts";
import type { TwinZones } from "./zones.ts";

export type TwinExternalDns = Readonly<{
  /** What the ExternalDNS of a Deployment, `namespace/name`, has logged, oldest first; undefined when there is none. */
  log: (deployment: string, tailLines?: number) => readonly string[] | undefined;
  /** Deployments that run one, `namespace/name`. */
  deployments: () => readonly string[];
  stop: () => void;
}>;

/** Where there is no zone to write to. */
export const noExternalDns: TwinExternalDns = {
  log: () => undefined,
  deployments: () => [],
  stop: () => {},
};

const sourceKinds = [
  "services",
  "ingresses",
  "gateways",
  "httproutes",
  "dnsendpoints",
  "namespaces",
] as const satisfies readonly ResourceKind[];

/** From a new pod template to the new pod's first round. */
const rolloutMs = 5_000;
const defaultIntervalMs = 60_000;
/** The most that a timer fires late. */
const lateMs = 900;
const upToDate = "All records are already up to date";

type Level = "info" | "warning" | "error" | "fatal";

type Round = Readonly<{ at: number; lines: readonly string[] }>;

type Controller = {
  readonly key: string;
  /** JSON of the pod template and the number of replicas: another one means another pod. */
  readonly template: string;
  readonly startedAt: number;
  readonly intervalMs: number;
  readonly rounds: Round[];
  /** What every round says as long as nothing changes. */
  quiet: readonly Readonly<{ level: Level; message: string }>[];
  cancel: (() => void) | undefined;
  running: boolean;
  /** Something changed while a round ran. */
  again: boolean;
  ended: boolean;
};

const stamped = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");

/** As logrus writes text: `time="..." level=info msg="..."`. */
const logLine = (at: number, level: Level, message: string, fields = ""): string =>
  `time="${stamped(at)}" level=${level} msg=${JSON.stringify(message)}${fields === "" ? "" : ` ${fields}`}`;

const isExternalDns = (object: KubeObject): boolean => /external-dns/.test(JSON.stringify(object.spec ?? {}));

const templateOf = (object: KubeObject): string => {
  const spec = object.spec as { template?: unknown; replicas?: number } | undefined;
  return JSON.stringify([spec?.template, spec?.replicas ?? 1]);
};

const replicasOf = (object: KubeObject): number =>
  (object.spec as { replicas?: number } | undefined)?.replicas ?? 1;

type Said = Readonly<{ level: Level; message: string; fields?: string }>;

type Settings = Readonly<{ flags: FlagValues; release: Release; read: ReadController }>;

/** The flags of a Deployment for a release the model knows; else why its ExternalDNS does nothing. */
function settingsOf(deployment: KubeObject): Settings | Said {
  const read = readDeployment(JSON.stringify(deployment));
  if (!read.ok) return { level: "fatal", message: read.problems.join("; ") };
  const tag = imageTag(read.image);
  const release = tag === undefined ? undefined : parseRelease(tag);
  if (release === undefined)
    return { level: "fatal", message: `lab: the release of ${read.image} is not modelled` };
  const controller = readController(read.flags, release);
  if (controller.problems.length > 0)
    return {
      level: "fatal",
      message: `flag parsing error: ${controller.problems.join("; ")}`,
    };
  return { flags: read.flags, release, read: controller };
}

const isOn = (flags: FlagValues, name: string): boolean =>
  flags.has(name) && !["false", "0", "f"].includes(flags.get(name)?.at(-1) ?? "");

/** Zones the AWS provider works on: type, ids and its domain filter decide (provider/aws/aws.go, zones). */
function zonesOf({ flags, release, read }: Settings, all: readonly HostedZone[]): readonly HostedZone[] {
  const type = flags.get("aws-zone-type")?.at(-1) ?? "";
  const ids = (flags.get("zone-id-filter") ?? []).filter((id) => id !== "");
  const { domainFilter } = read.controller;
  const matches = domainMatcher(domainFilter, release);
  const parents = isOn(flags, "aws-zone-match-parent");
  return all.filter(
    (zone) =>
      (type === "" || type === (zone.private ? "private" : "public")) &&
      (ids.length === 0 || ids.some((id) => zone.id.endsWith(id))) &&
      (matches(zone.name) ||
        (parents && domainFilter.include.some((domain) => isWithin(decodeName(domain), zone.name)))),
  );
}

/** The longest public zone of a name, and every private one (provider/aws/aws.go, suitableZones). */
function zonesFor(name: string, zones: readonly HostedZone[]): readonly HostedZone[] {
  const fitting = zones.filter((zone) => isWithin(decodeName(name.trim()), zone.name));
  const publics = fitting.filter((zone) => !zone.private).sort((a, b) => b.name.length - a.name.length);
  return [...publics.slice(0, 1), ...fitting.filter((zone) => zone.private)];
}

const withZone = ({ action, set }: AwsChange, zone: HostedZone): RecordChange => ({
  action,
  set:
    set.answer.kind === "alias" && set.answer.target.hostedZoneId === sameZone
      ? { ...set, answer: { ...set.answer, target: { ...set.answer.target, hostedZoneId: zone.id } } }
      : set,
});

const zoneFields = (zone: HostedZone): string =>
  `profile=default zoneID=/hostedzone/${zone.id} zoneName=${route53Name(zone.name)}`;

const apiFailure = (zone: HostedZone, why: string): Said => ({
  level: "error",
  message: `Failure in zone ${route53Name(zone.name)} when submitting change batch: operation error Route 53: ChangeResourceRecordSets, https response error StatusCode: 400, ${why}`,
  fields: zoneFields(zone),
});

/**
 * Every ExternalDNS Deployment of the store at work on the zones, by the rules of its release and its flags. A round
 * that could not differ from the last is not computed again, only told in the log. Each hosted zone is judged by itself;
 * texts that are encrypted anew are not modelled.
 */
export function createExternalDns(
  options: Readonly<{ store: ObjectStore; zones: TwinZones; clock: Clock; schedule: Schedule }>,
): TwinExternalDns {
  const { store, zones, clock, schedule } = options;
  const controllers = new Map<string, Controller>();

  const nextRound = ({ startedAt, intervalMs }: Controller): number => {
    const passed = Math.max(0, clock.now() - startedAt);
    return startedAt + (Math.floor(passed / intervalMs) + 1) * intervalMs;
  };
  const wake = (controller: Controller, at = nextRound(controller)): void => {
    if (controller.ended) return;
    if (controller.running) controller.again = true;
    else
      controller.cancel ??= schedule(Math.max(0, at - clock.now()), () => {
        controller.cancel = undefined;
        void round(controller);
      });
  };
  const wakeAll = (): void => {
    for (const controller of controllers.values()) wake(controller);
  };

  const sourceObjects = () => {
    const read = readSourceObjects(
      JSON.stringify({ kind: "List", items: sourceKinds.flatMap((kind) => store.list(kind).items) }),
    );
    if (!read.ok) throw new Error(`the model's own objects: ${read.problems.join("; ")}`);
    return read.objects;
  };

  const submit = async (
    zone: HostedZone,
    changes: readonly AwsChange[],
    settings: Settings,
    say: (said: Said) => void,
  ) => {
    const { batches, tooLarge } = batchChanges(changes, settings.read.controller.batch);
    for (const group of tooLarge)
      say({
        level: "warning",
        message: `Changes for ${group[0]?.group} exceed the batch limits and are skipped`,
        fields: zoneFields(zone),
      });
    let failed = tooLarge.length > 0;
    const send = async (batch: readonly AwsChange[]): Promise<boolean> => {
      try {
        const result = await zones.change(
          zone.id,
          batch.map((change) => withZone(change, zone)),
          "Managed by ExternalDNS",
        );
        if (!result.ok) say(apiFailure(zone, `InvalidChangeBatch: [${result.messages.join(", ")}]`));
        else
          say({
            level: "info",
            message: `${batch.length} record(s) were successfully updated`,
            fields: zoneFields(zone),
          });
        return result.ok;
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        say(apiFailure(zone, error.fault.detail));
        return false;
      }
    };
    for (const batch of batches) {
      for (const { action, set } of batch)
        say({
          level: "info",
          message: `Desired change: ${action} ${set.name} ${set.type}`,
          fields: zoneFields(zone),
        });
      if (isOn(settings.flags, "dry-run") || (await send(batch))) continue;
      const parts = groups(batch);
      if (parts.length === 1) failed = true;
      else for (const part of parts) if (!(await send(part))) failed = true;
    }
    return !failed;
  };

  const reconcile = async (deployment: KubeObject, say: (said: Said) => void): Promise<void> => {
    const settings = settingsOf(deployment);
    if ("message" in settings) return say(settings);
    const { controller, settings: sources } = settings.read;
    const wanted = wantedEndpoints(sourceObjects(), sources);
    const visible = zonesOf(settings, await zones.read.zones());
    const failed: string[] = [];
    let changed = false;
    for (const zone of visible) {
      const mine = ({ name }: Endpoint) => zonesFor(name, visible).includes(zone);
      const { changes } = forecast({
        zone: zone.name,
        recordSets: await zones.read.recordSets(zone.id),
        wanted: wanted.endpoints.filter(mine),
        dropped: [],
        controller,
      });
      if (changes.length === 0) continue;
      changed = true;
      if (!(await submit(zone, changes, settings, say))) failed.push(`/hostedzone/${zone.id}`);
    }
    if (!changed) say({ level: "info", message: upToDate });
    if (failed.length > 0)
      say({
        level: "error",
        message: `Failed to do run once: soft error\nfailed to submit all changes for the following zones: [${failed.join(" ")}]`,
      });
  };

  const round = async (controller: Controller): Promise<void> => {
    const [namespace = "", name = ""] = controller.key.split("/");
    const deployment = store.get("deployments", namespace, name);
    if (deployment === undefined || controller.ended) return;
    controller.running = true;
    controller.again = false;
    const said: Said[] = [];
    const before = zones.history().length;
    const at = clock.now();
    try {
      await reconcile(deployment, (each) => said.push(each));
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      said.push({
        level: "error",
        message: `Failed to do run once: soft error\nrecords retrieval failed: ${error.fault.what}: ${error.fault.detail}`,
      });
      controller.again = true;
    } finally {
      controller.running = false;
    }
    controller.rounds.push({
      at,
      lines: said.map(({ level, message, fields }) => logLine(at, level, message, fields)),
    });
    const wrote = zones.history().length > before;
    controller.quiet = wrote ? [{ level: "info", message: upToDate }] : said;
    // What ExternalDNS wrote may not be what it wants: only another round can tell.
    if (controller.again || wrote) wake(controller);
  };

  const start = (deployment: KubeObject, delayMs: number): void => {
    const { name, namespace = "default" } = deployment.metadata;
    const key = `${namespace}/${name}`;
    const old = controllers.get(key);
    const template = templateOf(deployment);
    if (old?.template === template) return;
    end(key);
    if (replicasOf(deployment) === 0) return;
    const settings = settingsOf(deployment);
    const given = "message" in settings ? undefined : settings.flags.get("interval")?.at(-1);
    const seconds = given === undefined ? undefined : goDuration(given);
    const intervalMs = seconds === undefined || seconds <= 0 ? defaultIntervalMs : seconds * 1_000;
    const controller: Controller = {
      key,
      template,
      startedAt: clock.now() + delayMs,
      intervalMs,
      rounds: [],
      quiet: [{ level: "info", message: upToDate }],
      cancel: undefined,
      running: false,
      again: false,
      ended: false,
    };
    controllers.set(key, controller);
    wake(controller, delayMs === 0 ? undefined : controller.startedAt);
  };
  const end = (key: string): void => {
    const controller = controllers.get(key);
    if (controller === undefined) return;
    controller.ended = true;
    controller.cancel?.();
    controllers.delete(key);
  };

  for (const deployment of store.list("deployments").items)
    if (isExternalDns(deployment)) start(deployment, 0);

  const unsubscribe = [
    store.subscribe(({ kind, type, object }) => {
      if ((sourceKinds as readonly string[]).includes(kind)) return wakeAll();
      if (kind !== "deployments") return;
      const key = `${object.metadata.namespace ?? "default"}/${object.metadata.name}`;
      if (type === "DELETED") end(key);
      else if (isExternalDns(object)) start(object, rolloutMs);
    }),
    zones.subscribe(wakeAll),
  ];

  /** Rounds that said what the last one said, after it and before the next. */
  const repeated = (controller: Controller, from: number, until: number, lines: Controller["quiet"]) => {
    const { startedAt, intervalMs } = controller;
    const out: string[] = [];
    const first = Math.floor((from - startedAt) / intervalMs) + 1;
    // A round begins a little after its time: what it says stands for that time.
    const last = Math.floor((until - startedAt - lateMs) / intervalMs);
    for (let i = Math.max(1, first, last - 500); i <= last; i++)
      for (const { level, message } of lines) out.push(logLine(startedAt + i * intervalMs, level, message));
    return out;
  };

  return {
    deployments: () => [...controllers.keys()],
    log: (key, tailLines = 1_000) => {
      const controller = controllers.get(key);
      if (controller === undefined) return undefined;
      const out: string[] = [];
      const quiet: Controller["quiet"] = [{ level: "info", message: upToDate }];
      let from = controller.startedAt;
      for (const { at, lines } of controller.rounds) {
        out.push(...repeated(controller, from, at, quiet), ...lines);
        from = at;
      }
      out.push(...repeated(controller, from, clock.now() + lateMs, controller.quiet));
      return out.slice(-tailLines);
    },
    stop: () => {
      for (const each of unsubscribe) each();
      for (const key of [...controllers.keys()]) end(key);
    },
  };
}
