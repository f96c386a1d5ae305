import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { KnownRunbook } from "#shared/alerts/routes.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import type { Reply } from "#shared/reply.ts";
import type { Config } from "./config.ts";
import type { Environment } from "./environment.ts";
import { readEnvironment, type Secret, secret } from "./environment.ts";
import type { OnCallSecrets } from "./on-call.ts";
import type { ReadFiles } from "./site-runbooks.ts";

export type Loaded =
  | Readonly<{
      ok: true;
      environment: Environment;
      config: Config | undefined;
      path: string | undefined;
      /** The site's own runbooks, of the files that the config names. */
      siteRunbooks: readonly IncidentRunbook[];
    }>
  | Readonly<{ ok: false; reply: Reply }>;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory, a file was expected",
  EACCES: "permission denied",
  EPERM: "permission denied",
};

function why(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code === undefined ? undefined : reasons[code]) ?? message;
}

const toKnown = ({ id, argument }: IncidentRunbook): KnownRunbook => ({
  id,
  takesSubject: argument !== undefined,
});

async function readOwnRunbooks(files: readonly string[]): Promise<ReadFiles> {
  const { knownToSite, readAllSiteRunbooks } = await import("./site-runbooks.ts");
  return readAllSiteRunbooks(files, (file) => readFileSync(file, "utf8"), await knownToSite(), why);
}

/**
 * Reads environment and config file; everything that is wrong with either comes back in one message. Names of runbooks
 * in routes are judged where `runbooks` says which there are.
 */
export async function loadConfig(
  variables: Readonly<Record<string, string | undefined>>,
  runbooks?: () => Promise<readonly KnownRunbook[]>,
): Promise<Loaded> {
  const environment = readEnvironment(variables);
  const problems: string[] = environment.ok ? [] : [...environment.problems];
  const path = variables.ARPEGGIO_CONFIG ? resolve(variables.ARPEGGIO_CONFIG) : undefined;
  let config: Config | undefined;
  let siteRunbooks: readonly IncidentRunbook[] = [];
  if (path !== undefined) {
    try {
      // The YAML reader is the largest thing at start, and help needs none.
      const { readConfig } = await import("./config.ts");
      const source = readFileSync(path, "utf8");
      const absolute = (relative: string): string => resolve(dirname(path), relative);
      const alone = readConfig(source, absolute);
      if (alone.ok && alone.config.runbookFiles.length > 0) {
        const own = await readOwnRunbooks(alone.config.runbookFiles);
        siteRunbooks = own.runbooks;
        problems.push(...own.problems);
      }
      // Routes may name the site's own runbooks as well as ours.
      const known =
        runbooks === undefined ? undefined : [...(await runbooks()), ...siteRunbooks.map(toKnown)];
      const read = known === undefined ? alone : readConfig(source, absolute, { runbooks: known });
      if (read.ok) config = read.config;
      else
        problems.push(
          ...read.problems.map((p) =>
            `${path}:${p.line}:${p.column} ${p.path} ${p.message}`.replace("  ", " "),
          ),
        );
    } catch (error) {
      problems.push(`${path} (ARPEGGIO_CONFIG) cannot be read: ${why(error)}`);
    }
  }
  if (!environment.ok || problems.length > 0) {
    return {
      ok: false,
      reply: {
        verdict: {
          word: "Not started",
          outcome: "usage",
          text: [`${problems.length} problem${problems.length === 1 ? "" : "s"} in config or environment.`],
        },
        findings: [],
        blocks: [{ kind: "evidence", title: "problems", lines: problems }],
        next: [["What the file holds: ", { code: "arpeggio schema" }]],
        actions: [],
        data: { problems },
      },
    };
  }
  return { ok: true, environment: environment.environment, config, path, siteRunbooks };
}

const shortestToken = 16;

/** Secrets that only a bot needs, from the environment or the files that the config names; every problem at once. */
export function readOnCallSecrets(
  config: Pick<Config, "alerts" | "heartbeat">,
  environment: Pick<Environment, "ARPEGGIO_ALERTS_TOKEN" | "ARPEGGIO_HEARTBEAT_URL">,
): Readonly<{ ok: true; secrets: OnCallSecrets }> | Readonly<{ ok: false; problems: readonly string[] }> {
  const problems: string[] = [];
  const fromFile = (key: string, file: string | undefined, wrong: (value: string) => string | undefined) => {
    if (file === undefined) return undefined;
    let value: string;
    try {
      value = readFileSync(file, "utf8").trim();
    } catch (error) {
      problems.push(`${file} (${key}) cannot be read: ${why(error)}`);
      return undefined;
    }
    const problem = wrong(value);
    if (problem === undefined) return secret(value);
    problems.push(`${file} (${key}) ${problem}`);
    return undefined;
  };
  const needed = (given: Secret | undefined, key: string, variable: string, file: string | undefined) => {
    if (given === undefined && file === undefined) problems.push(`${key} needs ${variable} or ${key}File`);
    return given;
  };
  const { alerts, heartbeat } = config;
  const alertsToken =
    environment.ARPEGGIO_ALERTS_TOKEN ??
    fromFile("alerts.tokenFile", alerts?.tokenFile, (value) =>
      value.length >= shortestToken && !/\s/.test(value)
        ? undefined
        : `must hold one token of at least ${shortestToken} characters`,
    );
  const heartbeatUrl =
    environment.ARPEGGIO_HEARTBEAT_URL ??
    fromFile("heartbeat.urlFile", heartbeat?.urlFile, (value) =>
      URL.canParse(value) && /^https?:/.test(value) ? undefined : "must hold one URL",
    );
  if (alerts !== undefined) needed(alertsToken, "alerts.token", "ARPEGGIO_ALERTS_TOKEN", alerts.tokenFile);
  if (heartbeat !== undefined)
    needed(heartbeatUrl, "heartbeat.url", "ARPEGGIO_HEARTBEAT_URL", heartbeat.urlFile);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    secrets: {
      ...(alertsToken === undefined ? {} : { alertsToken }),
      ...(heartbeatUrl === undefined ? {} : { heartbeatUrl }),
    },
  };
}
