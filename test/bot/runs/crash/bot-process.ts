import { writeSync } from "node:fs";
import { join } from "node:path";
import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import { commands } from "#bot/commands/all.ts";
import { compose } from "#bot/compose.ts";
import { createWishes } from "#bot/doors/slack/board.ts";
import { loadConfig } from "#bot/load-config.ts";
import { resumeRuns } from "#bot/runs/resume-runs.ts";
import { scaledClock } from "#infra/lab/scaled-clock.ts";
import { connectClusterPorts } from "#shared/adapters/cluster-ports.ts";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { currentStep } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import { plain } from "#shared/text.ts";
import { type Around, aroundLedger, aroundPorts, stepsOf } from "./every-call.ts";
import { doNext, turnBack } from "./people.ts";
import { stories } from "./stories.ts";
import type { BotOrders, LastWords } from "./world.ts";

const { life, lab, deaths } = JSON.parse(process.argv[2] ?? "") as BotOrders;
const clock = scaledClock(life.factor, life.began);
const cluster = "goldentooth";

const calls: Record<string, number> = {};
const halts: string[] = [];
let step = "";
const fitting = deaths.map(() => 0);

const started = performance.now();
const say = (words: Pick<LastWords, "call" | "when">): void => {
  if (process.env.ARPEGGIO_CRASH_LOG)
    process.stderr.write(
      `${words.call} ${words.when}: up ${Math.round(started)} ms, lived ${Math.round(performance.now() - started)} ms\n`,
    );
  const last: LastWords = { ...words, step, calls, halts };
  writeSync(1, `${JSON.stringify(last)}\n`);
};

function die(call: string, when: "before" | "after"): Promise<never> {
  say({ call, when });
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

const around: Around = async (port, make) => {
  const call = `${step}: ${port}`;
  calls[call] = (calls[call] ?? 0) + 1;
  const death = deaths.find(({ at, nth }, i) => {
    if (at !== "" && call !== at) return false;
    fitting[i] = (fitting[i] ?? 0) + 1;
    return fitting[i] === nth;
  });
  if (death?.when === "before") return die(call, "before");
  const made = await make();
  return death === undefined ? made : die(call, "after");
};

const loaded = await loadConfig({ ARPEGGIO_CONFIG: join(life.dir, "config.yaml") });
if (!loaded.ok || loaded.config === undefined) throw new Error(JSON.stringify(loaded));
const { config } = loaded;
const log = (entry: unknown): void => void process.stderr.write(`${JSON.stringify(entry)}\n`);
const real = await openSqliteLedger({ file: join(life.dir, "ledger.sqlite"), now: clock.now });
const before = await lastRun(real, cluster);
step = (before && currentStep(before)?.id) ?? "";
const ledger = stepsOf(aroundLedger(real, around), (now) => {
  step = now;
});
const { board } = createWishes({ ledger, clock, log });
/** What a machine needs for a handshake is no faster: adapters give up by its own time. */
const patient = { now: clock.now, sleep: systemClock.sleep };
const composed = await compose({
  config,
  ledger,
  board,
  clock,
  connections: new Map(config.clusters.map((each) => [each.name, connectClusterPorts(each, patient)])),
  // Long enough for a busy machine at this pace, and short enough to wait for what a dead process held.
  runTimes: { kubeMs: 1_500 * life.factor, gitMs: 5_000 * life.factor, marginMs: 100 * life.factor },
  warnings: () => [],
});
const deps = {
  ...composed.deps,
  clusters: new Map([...composed.deps.clusters].map(([name, ports]) => [name, aroundPorts(ports, around)])),
};
const app = createApp({
  commands,
  actions,
  deps,
  roles: () => config.roles,
  people: config.people,
  groupsOf: async () => [],
  changesClosed: () => undefined,
  log,
});
const { signal } = new AbortController();

async function ask(who: "operator" | "approver", words: string): Promise<void> {
  const person = config?.people.find(({ name }) => name === who);
  const asking = await app.ask({ door: "console", person, account: who, words });
  const reply = asking.kind === "answer" ? asking.reply : await asking.job.run(() => {}, signal);
  if (reply.verdict.outcome === "denied" || reply.verdict.outcome === "usage")
    log({ who, words, said: `${reply.verdict.word}: ${plain(reply.verdict.text)}` });
}

/** Their own look at the ledger, past the wrapped one: people read messages. */
const look = () => lastRun(real, cluster);

const byHand = async (what: string, body = ""): Promise<void> => {
  const url = `${lab}/by-hand?world=${life.name}&what=${what}`;
  const answer = await fetch(url, { method: "POST", body });
  if (!answer.ok) throw new Error(await answer.text());
};
const people = {
  ...stories[life.story],
  clock,
  look,
  ask,
  hands: {
    setMode: (mode: string) => byHand(`mode-${mode}`),
    apply: (manifests: string) => byHand("apply", manifests),
    commit: (what: string) => byHand(`commit-${what}`),
  },
  onHalt: (said: string) => void halts.push(said),
};
await turnBack(people);
await resumeRuns(deps, { signal, log });
let ended: string | undefined;
for (let turn = 0; ended === undefined; turn++) {
  if (turn > 200) throw new Error(`no end in 200 turns: ${step}; ${halts.slice(-3).join("; ")}`);
  ended = await doNext(people);
}
say({ call: ended, when: "ended" });
await app.drain();
await composed.close();
process.exit(0);
