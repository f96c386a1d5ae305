import { writeSync } from "node:fs";
import { createWishes } from "#bot/doors/slack/board.ts";
import { resumeIncidents, tendIncidentsOnce } from "#bot/incidents/resume.ts";
import { scaledClock } from "#infra/lab/scaled-clock.ts";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import { incidentsOf, readIncident } from "#shared/incidents/incident-log.ts";
import { type Around, aroundLedger } from "../../runs/crash/every-call.ts";
import { newWorld, product } from "../incident-product.ts";
import { goals } from "./goals.ts";

/** What one process is told: where the ledger is, whose time it has, and at which call it dies. */
export type IncidentOrders = Readonly<{
  file: string;
  factor: number;
  began: number;
  /** 0: it lives to the end. */
  dieAt: number;
  when: "before" | "after";
}>;

const orders = JSON.parse(process.argv[2] ?? "") as IncidentOrders;
const clock = scaledClock(orders.factor, orders.began);
const real = await openSqliteLedger({ file: orders.file, now: clock.now });
let calls = 0;

const die = (call: string): Promise<never> => {
  writeSync(1, `${JSON.stringify({ died: call, calls })}\n`);
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
};

const around: Around = async (call, make) => {
  const mine = ++calls;
  if (mine === orders.dieAt && orders.when === "before") return die(call);
  const made = await make();
  return mine === orders.dieAt ? die(call) : made;
};

const ledger = aroundLedger(real, around);
const log = (): void => {};
const world = { ...newWorld(), clock: { ...newWorld().clock, ...clock }, ledger, ids: process.pid * 10_000 };
const bot = product(world, { ledger, board: createWishes({ ledger, clock, log }).board });
const options = { signal: new AbortController().signal, log };

await resumeIncidents(bot.deps, options);
for (const { words, isDone } of goals)
  for (let turn = 0; ; turn++) {
    const [id] = await incidentsOf(real, "toy");
    const state = id === undefined ? undefined : await readIncident({ ...real }, id);
    if (state !== undefined && isDone(state)) break;
    if (turn > 20) throw new Error(`no end of: ${words}`);
    await bot.start("olive", words.replace("I-1", id ?? "I-1"));
    await tendIncidentsOnce(bot.deps, options);
    // What a dead process held runs out meanwhile.
    await clock.sleep(2_000);
  }
writeSync(1, `${JSON.stringify({ died: null, calls })}\n`);
await real.close();
process.exit(0);
