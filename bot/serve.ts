import { userInfo } from "node:os";
import { connectClustersInWorker } from "#shared/adapters/clusters-in-worker.ts";
import { openLedgerInWorker } from "#shared/adapters/ledger-in-worker.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { brokenRules } from "#shared/policy/broken-rules.ts";
import type { Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain } from "#shared/text.ts";
import version from "../package.json" with { type: "json" };
import { actions } from "./actions/all.ts";
import { createApp } from "./app.ts";
import { commands, slackCommands } from "./commands/all.ts";
import { compose } from "./compose.ts";
import { startDnsWatch } from "./dns/start-watch.ts";
import { createWishes } from "./doors/slack/board.ts";
import { threadWords } from "./doors/slack/thread-words.ts";
import { type SlackDoor, startSlackDoor } from "./doors/slack.ts";
import { resumeIncidents, tendIncidents } from "./incidents/resume.ts";
import { loadConfig, readOnCallSecrets } from "./load-config.ts";
import { prepareOnCall } from "./on-call.ts";
import { bySlack } from "./people.ts";
import { resumeRuns, tendRuns } from "./runs/resume-runs.ts";

const log = (entry: Readonly<Record<string, unknown>>): void => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`);
};

function refuse(reply: Reply): never {
  process.stderr.write(
    renderTerminal(reply, {
      columns: Math.max(60, process.stderr.columns ?? 100),
      colour: process.stderr.isTTY,
    }),
  );
  process.exit(2);
}

const missing = (words: string, next: string): Reply => ({
  verdict: { word: "Not started", outcome: "usage", text: [words] },
  findings: [],
  blocks: [],
  next: [[next]],
  actions: [],
});

/** What routes of alerts may name. */
const knownRunbooks = async () =>
  (await import("#shared/incidents/runbooks/all.ts")).incidentRunbooks.map(({ id, argument }) => ({
    id,
    takesSubject: argument !== undefined,
  }));
const loaded = await loadConfig(process.env, knownRunbooks);
if (!loaded.ok) refuse(loaded.reply);
const { config, environment } = loaded;
if (!config)
  refuse(
    missing("no config.", "Point ARPEGGIO_CONFIG at a config file; `arpeggio schema` says what it holds."),
  );
const { SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET } = environment;
if (!SLACK_BOT_TOKEN)
  refuse(
    missing(
      "SLACK_BOT_TOKEN is not set.",
      "Without Slack, `arpeggio` on the command line does all that looks.",
    ),
  );
if (!SLACK_APP_TOKEN && !SLACK_SIGNING_SECRET)
  refuse(
    missing(
      "neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set.",
      "docs/slack.md says which to choose.",
    ),
  );
const onCallSecrets = readOnCallSecrets(config, environment);
if (!onCallSecrets.ok)
  refuse(missing(`${onCallSecrets.problems.join("; ")}.`, "docs/alerts.md says what these are for."));
const { ledgerFile, ledgerTable, aws } = config;
if (ledgerFile === undefined && ledgerTable === undefined)
  refuse(
    missing(
      "the config names no ledger.",
      "Add ledger: { file: PATH } on a local disk; runs, approvals and the audit live there.",
    ),
  );

async function openLedger(): Promise<Ledger> {
  if (ledgerTable === undefined)
    return openLedgerInWorker({ file: ledgerFile ?? "", now: systemClock.now, log });
  const { openDynamoLedger } = await import("#shared/adapters/ledger-dynamodb.ts");
  const opened = openDynamoLedger({
    table: ledgerTable,
    region: aws?.region ?? "",
    now: systemClock.now,
  });
  // Whether the table is there and may be read is known before anybody is promised an answer.
  await opened.list("run");
  return opened;
}

const onCall = await prepareOnCall({
  config,
  secrets: onCallSecrets.secrets,
  clock: systemClock,
  version: version.version,
  nodeVersion: process.version,
  log,
});
let ledger: Ledger;
try {
  ledger = onCall.ledger(await openLedger());
} catch (error) {
  if (error instanceof FaultError)
    refuse(
      missing(
        `the ledger cannot be opened: ${error.fault.detail}`,
        ledgerTable === undefined
          ? `ledger.file is ${ledgerFile}`
          : `ledger.dynamodb.table is ${ledgerTable}, aws.region is ${aws?.region}`,
      ),
    );
  throw error;
}

let door: SlackDoor | undefined;
const clusters = config.clusters.map((cluster) => cluster.name);
const named = (pick: "groups" | "channels"): readonly string[] => [
  ...new Set(config.roles.flatMap((rule) => rule[pick])),
];
/** Names that Slack no longer knows take their rules out, from the moment that is known. */
const judged = () => {
  const gone = new Set(
    (door?.problems() ?? [])
      .filter((f) => /^slack-(group|channel)-lost$/.test(f.code))
      .map((f) => f.facts.id),
  );
  const known = (pick: "groups" | "channels") => named(pick).filter((id) => !gone.has(id));
  return brokenRules(config.roles, {
    people: config.people.map((p) => p.name),
    clusters,
    groups: known("groups"),
    channels: known("channels"),
  });
};
let dnsWatch: Readonly<{ warnings: () => readonly Finding[] }> | undefined;
const warnings = (): readonly Finding[] => [
  ...judged().findings,
  ...(door?.problems() ?? []),
  ...(dnsWatch?.warnings() ?? []),
  ...onCall.warnings(),
];

const wishes = createWishes({ ledger, clock: systemClock, log });
const composed = await compose({
  config,
  ...(loaded.path === undefined ? {} : { configPath: loaded.path }),
  ledger,
  siteRunbooks: loaded.siteRunbooks,
  board: wishes.board,
  connections: await connectClustersInWorker({ clusters: config.clusters, log }),
  warnings,
  roles: () => judged().rules,
});
const unconnected = "Slack is not connected yet";
const app = onCall.app(
  createApp({
    commands,
    actions,
    deps: composed.deps,
    roles: () => judged().rules,
    people: config.people,
    groupsOf: (user) => door?.groupsOf(user) ?? Promise.reject(new Error(unconnected)),
    changesClosed: () => (door ? door.changesClosed() : `${unconnected}.`),
    log,
  }),
  commands,
  actions.map(({ id }) => id),
);

const leaving = new AbortController();
/** Ports that cannot be had stop the start. */
function refusePort(error: unknown, usual: number | undefined, advice: string): never {
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code !== "EADDRINUSE" && code !== "EACCES" && code !== "EADDRNOTAVAIL") throw error;
  const why =
    code === "EACCES"
      ? "may not be used by this account"
      : code === "EADDRINUSE"
        ? "is in use"
        : "cannot be had: the address is not this machine's";
  refuse(missing(`port ${port ?? usual} on ${address ?? "this machine"} ${why}.`, advice));
}
// Alerts are taken while Slack cannot be reached: they are told when it can.
try {
  await onCall.start({
    deps: composed.deps,
    ledger,
    slack: () =>
      door === undefined
        ? unconnected
        : (door.changesClosed() ?? (door.connected() ? undefined : "the connection to Slack is down")),
    waiting: () => door?.waiting(),
    brokenRules: () => judged().findings,
    signal: leaving.signal,
  });
} catch (error) {
  await composed.close();
  refusePort(error, config.http?.port, "Choose another with http.port or http.host in the config.");
}
if (onCall.url() !== undefined)
  log({ level: "info", msg: "the door for machines is open", url: onCall.url() });

const slack = startSlackDoor({
  app,
  slack: {
    botToken: SLACK_BOT_TOKEN,
    ...(SLACK_APP_TOKEN ? { appToken: SLACK_APP_TOKEN } : {}),
    ...(SLACK_SIGNING_SECRET ? { signingSecret: SLACK_SIGNING_SECRET } : {}),
    ...(environment.HOST === undefined ? {} : { host: environment.HOST }),
    ...(environment.PORT === undefined ? {} : { port: environment.PORT }),
    ...(environment.SLACK_API_URL === undefined ? {} : { apiUrl: environment.SLACK_API_URL }),
    ...(config.slack ? { team: config.slack.team } : {}),
    prefix: config.slack?.prefix ?? "",
    commands: slackCommands().map((command) => command.name),
    groups: named("groups"),
    channels: named("channels"),
    ...(config.slack?.reportChannel === undefined ? {} : { reportChannel: config.slack.reportChannel }),
  },
  ledger,
  wishes,
  threads: threadWords(slackCommands()),
  people: (id) => bySlack(config.people, id),
  clock: systemClock,
  log,
  limited: onCall.slackLimited,
  owner: `${userInfo().username}-${process.pid}-${crypto.randomUUID().slice(0, 8)}`,
});
try {
  door = await slack;
} catch (error) {
  await composed.close();
  if (error instanceof FaultError)
    refuse(missing(`${error.fault.detail}.`, "docs/slack.md says where each value comes from."));
  refusePort(error, environment.PORT, "Choose another with PORT, or use Socket Mode, which needs none.");
}
for (const finding of warnings()) log({ level: "warn", code: finding.code, msg: plain(finding.text) });
process.stdout.write(`ready: ${door.requestUrl ?? "Socket Mode"}, ${clusters.join(", ")}\n`);

const resuming = { signal: leaving.signal, log };
dnsWatch = startDnsWatch(composed.deps, {
  ...resuming,
  ...(config.aws?.scanFunction === undefined ? {} : { scanFunction: config.aws.scanFunction }),
});
void resumeRuns(composed.deps, resuming).then(() => tendRuns(composed.deps, resuming));
void resumeIncidents(composed.deps, resuming).then(() => tendIncidents(composed.deps, resuming));

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  leaving.abort();
  await onCall.stop();
  await door?.stop();
  await app.drain();
  await composed.close();
  process.exit(0);
};
process.on("SIGINT", () => void stop());
process.on("SIGTERM", () => void stop());
