import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import { foldStanding, noStanding } from "#shared/board/standing.ts";
import { incidentKey, incidentsOf } from "#shared/incidents/incident-log.ts";
import type { IncidentOrders } from "../bot/incidents/crash/incident-process.ts";

// Bots in processes of their own, one after the other killed by SIGKILL in the middle of a runbook, each next one
// resuming from the SQLite ledger that the dead one left. The bot's time runs faster, so that leases run out soon.

const factor = 40;
/** The same for all, so that time goes on while nobody lives. */
const began = Date.now();
const script = fileURLToPath(new URL("../bot/incidents/crash/incident-process.ts", import.meta.url));

type End = Readonly<{ signal: NodeJS.Signals | null; died: string | null; calls: number }>;

const live = (orders: IncidentOrders): Promise<End> =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [...process.execArgv, script, JSON.stringify(orders)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once("error", fail);
    child.once("close", (code, signal) => {
      if (code !== 0 && signal !== "SIGKILL") fail(new Error(`ended with ${code ?? signal}`));
      else done({ signal, ...(JSON.parse(said) as Omit<End, "signal">) });
    });
  });

const dir = await mkdtemp(join(tmpdir(), "arpeggio-incident-crash-"));
afterAll(() => rm(dir, { recursive: true }));

/** Everything about one ledger at the end: what is on record, and what is wished for on the board. */
async function endOf(file: string) {
  const ledger = await openSqliteLedger({ file, now: Date.now });
  const ids = await incidentsOf(ledger, "toy");
  const key = incidentKey(ids[0] ?? "none");
  const board = await ledger.read(`board/${key}`);
  const types = (await ledger.read(key)).map(({ type }) => type);
  await ledger.close();
  const notes = board.filter(({ type }) => type === "note").map(({ data }) => (data as { id: string }).id);
  const message = foldStanding(noStanding(key), board).put?.reply;
  return { ids, types, notes, message };
}

it("loses nothing and posts nothing twice, killed over and over in the middle of a runbook", async () => {
  const whole = join(dir, "whole.sqlite");
  const { calls, died } = await live({ file: whole, factor, began, dieAt: 0, when: "after" });
  expect(died).toBeNull();
  expect(calls).toBeGreaterThan(60);
  // One ledger, one death after the other, ever further into the life of a process.
  const file = join(dir, "killed.sqlite");
  const deaths: string[] = [];
  for (let nth = 5; ; nth += 3) {
    const end = await live({
      file,
      factor,
      began,
      dieAt: nth,
      when: nth % 2 === 0 ? "before" : "after",
    });
    if (end.died === null) break;
    expect(end.signal).toBe("SIGKILL");
    deaths.push(end.died);
  }
  expect(deaths.length).toBeGreaterThan(8);
  expect(deaths.some((call) => call.startsWith("ledger.append incident"))).toBe(true);
  const [undisturbed, killed] = [await endOf(whole), await endOf(file)];
  expect(killed.ids).toHaveLength(1);
  for (const once of ["opened", "step-done", "handed-over", "closed"])
    expect(killed.types.filter((type) => type === once)).toHaveLength(1);
  expect(killed.types.filter((type) => type === "diagnosing").length).toBeGreaterThan(2);
  expect(new Set(killed.notes).size).toBe(killed.notes.length);
  expect(killed.notes.some((id) => id.startsWith("again/"))).toBe(true);
  expect(killed.notes.filter((id) => id.startsWith("look/"))).toHaveLength(
    killed.types.filter((type) => type === "diagnosed").length,
  );
  expect(killed.message?.verdict.word).toBe("CLOSED");
  // An id that was taken and not used is lost with its process.
  expect(killed.message?.actions.map(({ id }) => id)).toEqual(
    undisturbed.message?.actions.map(({ id }) => id),
  );
}, 300_000);
