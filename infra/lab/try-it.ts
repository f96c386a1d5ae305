import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import { commands } from "#bot/commands/all.ts";
import { compose } from "#bot/compose.ts";
import { type DnsWatch, startDnsWatch } from "#bot/dns/start-watch.ts";
import { runConsole } from "#bot/doors/console.ts";
import { createConsoleBoard } from "#bot/doors/console-board.ts";
import { resumeIncidents, tendIncidents } from "#bot/incidents/resume.ts";
import { loadConfig, readOnCallSecrets } from "#bot/load-config.ts";
import { prepareOnCall } from "#bot/on-call.ts";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import { savePictures } from "#shared/adapters/save-pictures.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { code, text } from "#shared/text.ts";
import version from "../../package.json" with { type: "json" };
import { labIn } from "./lock.ts";
import { labScenarios } from "./scenarios.ts";

const readArguments = () =>
  parseArgs({
    options: {
      scenario: { type: "string", default: "goldentooth" },
      "external-dns": { type: "string" },
      lambdas: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      "no-color": { type: "boolean", default: false },
    },
  }).values;

let values: ReturnType<typeof readArguments>;
try {
  values = readArguments();
} catch (error) {
  process.stderr.write(
    `${(error as Error).message.split(". ")[0]}.\nUsage: npm start [-- --scenario ${Object.keys(labScenarios).join("|")}] [--external-dns RELEASE] [--lambdas] [--json] [--no-color]\n`,
  );
  process.exit(2);
}

/** `.lab` unless another lab lives there, so that a second terminal can use `arpeggio --lab`. */
const isTaken = labIn(resolve(".lab")) !== undefined;
const dir = isTaken ? await mkdtemp(join(tmpdir(), "arpeggio-lab-")) : resolve(".lab");
const release = values["external-dns"] === undefined ? [] : ["--external-dns", values["external-dns"]];
const lab = fork(
  fileURLToPath(new URL("./main.ts", import.meta.url)),
  ["--scenario", values.scenario, "--dir", dir, ...release, ...(values.lambdas ? ["--lambdas"] : [])],
  { stdio: ["ignore", "pipe", "inherit", "ipc"], execArgv: process.execArgv },
);
const told = new Promise<Readonly<Record<string, string>>>((done) =>
  lab.once("message", (message) => done((message as { env: Readonly<Record<string, string>> }).env)),
);
const ready = await new Promise<boolean>((done) => {
  let seen = "";
  lab.stdout?.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (/^ready$/m.test(seen)) done(true);
  });
  lab.once("exit", () => done(false));
});
if (!ready) process.exit(lab.exitCode ?? 1);
// The SDK finds the lab's Route 53 by its environment, and nothing of a person's own AWS counts here.
for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
for (const [name, value] of Object.entries(await told))
  if (name.startsWith("AWS_")) process.env[name] = value;

const loaded = await loadConfig({ ARPEGGIO_CONFIG: join(dir, "config.yaml") });
if (!loaded.ok) throw new Error("the lab wrote a config that the bot does not accept");
const config = loaded.config;
if (config === undefined) throw new Error("the lab wrote no config");
const onCallSecrets = readOnCallSecrets(config, {});
if (!onCallSecrets.ok) throw new Error(onCallSecrets.problems.join("; "));
const log = (entry: Readonly<Record<string, unknown>>): void =>
  void process.stderr.write(`${JSON.stringify(entry)}\n`);
const onCall = await prepareOnCall({
  config,
  secrets: onCallSecrets.secrets,
  clock: systemClock,
  version: version.version,
  nodeVersion: process.version,
  log,
});
const { ledgerTable: table, aws: { region = "" } = {} } = config;
const ledger = onCall.ledger(
  table === undefined
    ? await openSqliteLedger({ file: join(dir, "ledger.sqlite"), now: Date.now })
    : (await import("#shared/adapters/ledger-dynamodb.ts")).openDynamoLedger({
        table,
        region,
        now: Date.now,
      }),
);
const board = createConsoleBoard();
let watch: DnsWatch | undefined;
const composed = await compose({
  config,
  configPath: loaded.path,
  siteRunbooks: loaded.siteRunbooks,
  ledger,
  board,
  warnings: () => [...(watch?.warnings() ?? []), ...onCall.warnings()],
});
const people = config?.people ?? [];
const app = onCall.app(
  createApp({
    commands,
    actions,
    deps: composed.deps,
    roles: () => config?.roles ?? [],
    people,
    groupsOf: async () => [],
    changesClosed: () => undefined,
    log,
  }),
  commands,
  actions.map(({ id }) => id),
);
const abort = new AbortController();
process.once("SIGTERM", () => abort.abort());
// A terminal that is closed: what was written for this lab goes with it.
process.once("SIGHUP", () => abort.abort());
const story = labScenarios[values.scenario];
const operator = people.find((p) => p.name === "operator");

await onCall.start({
  deps: composed.deps,
  ledger,
  // The console is the channel.
  slack: () => undefined,
  waiting: () => undefined,
  brokenRules: () => [],
  signal: abort.signal,
});
void resumeIncidents(composed.deps, { signal: abort.signal, log }).then(() =>
  tendIncidents(composed.deps, { signal: abort.signal, log }),
);
if (values.lambdas) watch = startDnsWatch(composed.deps, { signal: abort.signal, log });

await runConsole({
  app,
  people,
  person: operator,
  account: operator?.os ?? "operator",
  mayChangePerson: true,
  board,
  savePicture: savePictures(resolve(".lab/pictures")),
  input: process.stdin,
  output: process.stdout,
  json: values.json,
  colour: !values["no-color"] && process.stdout.isTTY === true && !process.env.NO_COLOR,
  greeting: {
    verdict: {
      word: "Lab",
      outcome: "info",
      text: text`${values.scenario} is up: ${config?.clusters[0]?.nodes.length ?? 0} nodes, MetalLB, a router and ${config?.clusters[0]?.vantages.length ?? 0} vantages, all simulated.`,
    },
    findings: [],
    blocks: [
      {
        kind: "prose",
        text: [`You are ${operator?.name ?? "operator"}. ${story?.story ?? ""}`],
      },
    ],
    next: [
      text`${code(story?.first ?? "/arping all")}, and ${code("/press 1")} presses a button that an answer offers`,
      text`${code("/help")} lists everything, ${code("/quit")} leaves`,
      text`Other sites: ${code(`npm start -- --scenario ${Object.keys(labScenarios).find((name) => name !== values.scenario)}`)}`,
    ],
    actions: [],
  },
  signal: abort.signal,
});
abort.abort();
await onCall.stop();
await watch?.ended;
await app.drain();
await composed.close();
lab.disconnect();
await new Promise((done) => lab.once("exit", done));
// Keys and kubeconfig of a lab that nobody can use any more.
if (isTaken) await rm(dir, { recursive: true, force: true });
