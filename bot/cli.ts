import "./require-node.ts";
import { existsSync, readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { savePictures } from "#shared/adapters/save-pictures.ts";
import version from "../package.json" with { type: "json" };
import { actions } from "./actions/all.ts";
import { createApp } from "./app.ts";
import { commands } from "./commands/all.ts";
import { compose } from "./compose.ts";
import { type CliStreams, completeWords, printReply, readFlags, runCli } from "./doors/cli.ts";
import { loadConfig } from "./load-config.ts";
import { parseCommand } from "./parse.ts";
import { byAccount } from "./people.ts";

const flags = readFlags(process.argv.slice(2));
const streams: CliStreams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  columns: Math.min(process.stdout.columns ?? 80, 120),
  colour: flags.colour ?? (process.stdout.isTTY === true && !process.env.NO_COLOR),
  progress: process.stderr.isTTY === true,
};

/** The config of the lab that runs in this directory, as its `.lab/env` says. */
function labConfig(): string | undefined {
  const file = resolve(".lab/env");
  if (!existsSync(file)) return undefined;
  return /^(?:export )?ARPEGGIO_CONFIG='?([^'\n]+)'?$/m.exec(readFileSync(file, "utf8"))?.[1];
}

function needsConfig(): boolean {
  const parsed = parseCommand(completeWords(flags.words, commands), commands, "cli");
  const cluster =
    parsed.kind === "verb" ? (parsed.verb.takes?.(parsed.input)?.cluster ?? parsed.verb.cluster) : undefined;
  return parsed.kind === "verb" && (cluster === "one" || parsed.command.name === "arpeggio");
}

async function main(): Promise<number> {
  if (flags.words[0] === "--version") {
    streams.out(`arpeggio ${version.version}\n`);
    return 0;
  }
  const variables: Record<string, string | undefined> = { ...process.env };
  if (flags.lab) {
    variables.ARPEGGIO_CONFIG = labConfig();
    if (variables.ARPEGGIO_CONFIG === undefined) {
      printReply(
        {
          verdict: {
            word: "UNKNOWN",
            outcome: "unknown",
            text: ["no lab runs in this directory (.lab/env is not there)."],
          },
          findings: [],
          blocks: [],
          next: [["Start one: ", { code: "npm run lab" }]],
          actions: [],
        },
        flags.json,
        streams,
      );
      return 3;
    }
  }
  const loaded = await loadConfig(variables);
  // A broken config must not stop what helps to mend it: help, schema and whatever reads files only.
  if (!loaded.ok && needsConfig()) {
    printReply(loaded.reply, flags.json, streams);
    return 2;
  }
  const config = loaded.ok ? loaded.config : undefined;
  const composed = await compose({
    config,
    ...(loaded.ok ? { siteRunbooks: loaded.siteRunbooks } : {}),
    ...(!loaded.ok || loaded.path === undefined ? {} : { configPath: loaded.path }),
    warnings: () => [],
    mayRunPrograms: true,
  });
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  const app = createApp({
    commands,
    actions,
    deps: composed.deps,
    roles: () => config?.roles ?? [],
    people: config?.people ?? [],
    groupsOf: async () => [],
    changesClosed: () => "acting on a real cluster takes an approval given in Slack.",
    log: (entry) => streams.err(`${JSON.stringify(entry)}\n`),
  });
  const account = userInfo().username;
  const code = await runCli({
    app,
    commands,
    flags,
    person: byAccount(config?.people ?? [], account),
    account,
    streams,
    savePicture: savePictures(join(homedir(), ".cache/arpeggio/pictures")),
    signal: abort.signal,
  });
  await composed.close();
  return code;
}

// A reader that went away (`| head`) is no fault of the command.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await main();
