import type { FlagValues } from "./deployment.ts";
import type { Forecast } from "./forecast.ts";
import { decodeName } from "./fqdn.ts";
import type { Release } from "./release.ts";
import { parseRelease } from "./release.ts";

export type ProgramOutput = Readonly<{
  exitCode: number | null;
  stdout: string;
  stderr: string;
}>;

/**
 * Runs a program without a shell, with an environment that holds only what it needs. With a cluster's name it is told where
 * that is (`--kubeconfig`) and can only read there. Throws FaultError.
 */
export type RunProgram = (
  path: string,
  args: readonly string[],
  options?: Readonly<{ cluster?: string; signal?: AbortSignal }>,
) => Promise<ProgramOutput>;

export type ProgramArguments =
  | Readonly<{ ok: true; args: readonly string[]; left: readonly string[] }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

/** Decided by us: that it only looks, once, where, and how it speaks. The port of its metrics may be taken. */
const ours = new Set([
  "dry-run",
  "once",
  "log-format",
  "log-level",
  "metrics-address",
  "events",
  "events-emit",
  "kubeconfig",
  "server",
  "policy",
  "interval",
  "min-event-sync-interval",
]);

/**
 * The arguments of a Deployment for one dry run: the same flags, the policy that is asked about, and `--dry-run --once`
 * last. What could write elsewhere than to zones, or could not look from here, is refused.
 */
export function dryRunArguments(flags: FlagValues, policy: string): ProgramArguments {
  const problems: string[] = [];
  const last = (name: string): string | undefined => flags.get(name)?.at(-1);
  const provider = last("provider") ?? "aws";
  if (provider !== "aws") problems.push(`--provider=${provider} is not run: only aws is known to look alone`);
  const registry = last("registry") ?? "txt";
  if (registry !== "txt" && registry !== "noop")
    problems.push(`--registry=${registry} is not run: it keeps its own store`);
  for (const [name, values] of flags) {
    if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) problems.push(`${JSON.stringify(name)} is no name of a flag`);
    for (const value of values) {
      if (/[\0\n\r]/.test(value)) problems.push(`--${name} holds a line end`);
      if (value === "[secret]") problems.push(`the value of --${name} is not known here`);
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  // As an environment variable `no-` is a name like any other.
  const isOurs = (name: string): boolean => ours.has(name.replace(/^(no-)+/, ""));
  const kept = [...flags].filter(([name]) => !isOurs(name));
  const args = kept.flatMap(([name, values]) =>
    values.map((value) =>
      value === "true" ? `--${name}` : value === "false" ? `--no-${name}` : `--${name}=${value}`,
    ),
  );
  return {
    ok: true,
    args: [
      ...args,
      `--policy=${policy}`,
      "--metrics-address=127.0.0.1:0",
      "--log-format=json",
      "--log-level=info",
      "--once",
      "--dry-run",
    ],
    left: [...flags.keys()].filter(isOurs),
  };
}

/** `v0.15.0` as `--version` prints it, perhaps with a build behind it. */
export const programRelease = (said: string): Release | undefined => {
  const [, release] = /\bv?(0\.\d{1,3}\.\d{1,3})/.exec(said) ?? [];
  return release === undefined ? undefined : parseRelease(release);
};

/** One change as ExternalDNS's AWS provider logs it before it is sent (provider/aws/aws.go, submitChanges). */
export type LoggedChange = Readonly<{ zone: string | undefined; action: string; name: string; type: string }>;

export type ProgramSaid = Readonly<{
  changes: readonly LoggedChange[];
  /** It said that nothing is to do. */
  upToDate: boolean;
  /** Errors and what it ended on, in its own words. */
  errors: readonly string[];
}>;

const bareZone = (id: string | undefined): string | undefined => id?.replace(/^.*\//, "");

type Entry = Readonly<{ level: string; msg: string; zone: string | undefined }>;

const textField = (line: string, field: string): string | undefined => {
  const [, quoted, plain] =
    new RegExp(`(?:^|\\s)${field}=(?:"((?:[^"\\\\]|\\\\.)*)"|(\\S+))`).exec(line) ?? [];
  return quoted === undefined ? plain : quoted.replaceAll('\\"', '"').replaceAll("\\\\", "\\");
};

/** Log lines in JSON, or as logrus writes text. */
function readEntry(line: string): Entry | undefined {
  if (line.startsWith("{")) {
    try {
      const { level, msg, zoneID } = JSON.parse(line) as Record<string, unknown>;
      return typeof msg === "string"
        ? { level: String(level ?? "info"), msg, zone: typeof zoneID === "string" ? zoneID : undefined }
        : undefined;
    } catch {
      return undefined;
    }
  }
  const msg = textField(line, "msg");
  return msg === undefined
    ? undefined
    : { level: textField(line, "level") ?? "info", msg, zone: textField(line, "zoneID") };
}

export function readProgramLog(output: string): ProgramSaid {
  const changes: LoggedChange[] = [];
  const errors: string[] = [];
  let upToDate = false;
  for (const line of output.split("\n")) {
    const entry = readEntry(line.trim());
    if (entry === undefined) continue;
    const { level, msg, zone } = entry;
    if (["error", "fatal", "panic"].includes(level)) errors.push(msg);
    if (/All records are already up to date/i.test(msg)) upToDate = true;
    const [, action, name, type, id] =
      /^Desired change: (CREATE|UPSERT|DELETE) (\S+) ([A-Z]+)(?:\s+\[Id:\s*([^\]]+)\])?/.exec(msg) ?? [];
    if (action === undefined || name === undefined || type === undefined) continue;
    changes.push({
      zone: bareZone(zone ?? id?.trim()),
      action,
      name: decodeName(name.replace(/\.$/, "")),
      type,
    });
  }
  return { changes, upToDate, errors };
}

const keyOf = ({ action, name, type }: Omit<LoggedChange, "zone">): string => `${action} ${name} ${type}`;

/** Changes that only one of the two says, each as often as it is missing from the other. */
export function disagreements(
  said: readonly LoggedChange[],
  ours: Forecast["changes"],
): Readonly<{ onlyProgram: readonly string[]; onlyOurs: readonly string[] }> {
  const theirs = said.map(keyOf);
  const own = ours.map(({ action, set }) => keyOf({ action, name: set.name, type: set.type }));
  const without = (from: readonly string[], taken: readonly string[]): readonly string[] => {
    const left = Map.groupBy(taken, (key) => key);
    return from.filter((key) => {
      const same = left.get(key);
      if (same === undefined || same.length === 0) return true;
      left.set(key, same.slice(1));
      return false;
    });
  };
  return { onlyProgram: without(theirs, own), onlyOurs: without(own, theirs) };
}

/**
 * Records by what becomes of them, ownership TXTs left out: a DELETE with a CREATE of the same name and type in the same
 * round is one update, as an UPSERT is.
 */
export function loggedNumbers(
  changes: readonly LoggedChange[],
): Readonly<{ create: number; update: number; delete: number }> {
  const records = changes.filter(({ type }) => type !== "TXT");
  const keys = (wanted: string): ReadonlySet<string> =>
    new Set(
      records
        .filter(({ action }) => action === wanted)
        .map(({ zone, name, type }) => `${zone} ${name} ${type}`),
    );
  const [created, deleted] = [keys("CREATE"), keys("DELETE")];
  const count = (action: string, others: ReadonlySet<string>): number =>
    records.filter((each) => each.action === action && !others.has(`${each.zone} ${each.name} ${each.type}`))
      .length;
  return {
    create: count("CREATE", deleted),
    update: count("UPSERT", new Set()) + [...created].filter((key) => deleted.has(key)).length,
    delete: count("DELETE", new Set([...keys("UPSERT"), ...created])),
  };
}
