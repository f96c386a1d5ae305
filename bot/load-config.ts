import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Reply } from "#shared/reply.ts";
import type { Config } from "./config.ts";
import type { Environment } from "./environment.ts";
import { readEnvironment } from "./environment.ts";

export type Loaded =
  | Readonly<{ ok: true; environment: Environment; config: Config | undefined; path: string | undefined }>
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

/** Reads environment and config file; everything that is wrong with either comes back in one message. */
export async function loadConfig(variables: Readonly<Record<string, string | undefined>>): Promise<Loaded> {
  const environment = readEnvironment(variables);
  const problems: string[] = environment.ok ? [] : [...environment.problems];
  const path = variables.ARPEGGIO_CONFIG ? resolve(variables.ARPEGGIO_CONFIG) : undefined;
  let config: Config | undefined;
  if (path !== undefined) {
    try {
      // The YAML reader is the largest thing at start, and help needs none.
      const { readConfig } = await import("./config.ts");
      const read = readConfig(readFileSync(path, "utf8"), (relative) => resolve(dirname(path), relative));
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
  return { ok: true, environment: environment.environment, config, path };
}
