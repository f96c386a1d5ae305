import { describe, expect, it } from "vitest";
import { createWishes } from "#bot/doors/slack/board.ts";
import { resumeIncidents, tendIncidentsOnce } from "#bot/incidents/resume.ts";
import { foldStanding, noStanding } from "#shared/board/standing.ts";
import { FaultError } from "#shared/fault.ts";
import { incidentKey, incidentsOf, openIncidents, readIncident } from "#shared/incidents/incident-log.ts";
import { type Around, aroundLedger } from "../runs/crash/every-call.ts";
import { goals } from "./crash/goals.ts";
import { newWorld, product, type World } from "./incident-product.ts";

// Deaths at every call of the ledger, on a clock that stands still; test/long/incident-crash.test.ts does it to a real
// process with SIGKILL.

const never = new AbortController().signal;
const nothing = () => {};

type Death = Readonly<{ nth: number; when: "before" | "after" }>;

/** The ledger of one process, until it dies: then nothing it tries comes to anything. */
function mortal(death: Death | undefined) {
  let count = 0;
  let isDead = false;
  const calls: string[] = [];
  const die = (): never => {
    isDead = true;
    throw new FaultError({ kind: "cancelled", what: "the process", detail: "killed" });
  };
  const around: Around = async (call, make) => {
    if (isDead) return die();
    count += 1;
    calls.push(call);
    if (count === death?.nth && death.when === "before") return die();
    const made = await make();
    return count === death?.nth ? die() : made;
  };
  return { around, calls, isDead: () => isDead };
}

/** One process from its start to its death or to the end: it resumes, then people go on where it stands. */
async function oneProcess(world: World, death: Death | undefined) {
  const { around, calls, isDead } = mortal(death);
  const ledger = aroundLedger({ ...world.ledger }, around);
  const board = createWishes({ ledger, clock: world.clock, log: nothing }).board;
  const bot = product(world, { ledger, board });
  const options = { signal: never, log: nothing };
  await resumeIncidents(bot.deps, options);
  for (const { words, isDone } of goals) {
    for (let turn = 0; turn < 5 && !isDead(); turn++) {
      const [id] = await incidentsOf(world.ledger, "toy");
      const state = id === undefined ? undefined : await readIncident({ ...world.ledger }, id);
      if (state !== undefined && isDone(state)) break;
      if (turn === 4) throw new Error(`no end of: ${words}`);
      await bot.start("olive", words.replace("I-1", id ?? "I-1"));
      await tendIncidentsOnce(bot.deps, options);
    }
  }
  return { calls, isDead: isDead() };
}

/** Everything people can see of it at last, and everything that was written down. */
async function seen(world: World, id: string) {
  const key = incidentKey(id);
  const standing = foldStanding(noStanding(key), await world.ledger.read(`board/${key}`));
  const events = await world.ledger.read(key);
  return {
    verdict: standing.put?.reply.verdict,
    why: standing.put?.reply.why,
    actions: standing.put?.reply.actions.map((action) => action.id),
    notes: standing.notes.map((note) => note.id.replace(/\/[\w-]+$/, "")),
    types: events.map(({ type }) => type),
  };
}

const times = <T>(all: readonly T[], one: T): number => all.filter((each) => each === one).length;

async function live(death: Death | undefined) {
  const world = newWorld();
  const first = await world.clock.runUntil(oneProcess(world, death));
  // The dead one's lease runs out meanwhile.
  if (first.isDead) await world.clock.advance(20_000);
  if (first.isDead) await world.clock.runUntil(oneProcess(world, undefined));
  const ids = await incidentsOf(world.ledger, "toy");
  return { world, ids, first };
}

describe("a bot killed at any call of the ledger, in the middle of a runbook", async () => {
  const whole = await live(undefined);
  const calls = whole.first.calls.length;
  const undisturbed = await seen(whole.world, "I-1");

  it("is compared with one that nobody disturbed", () => {
    expect(calls).toBeGreaterThan(60);
    expect(undisturbed.types).toEqual([
      "opened",
      "diagnosing",
      "diagnosed",
      "step-done",
      "diagnosing",
      "diagnosed",
      "handed-over",
      "closed",
    ]);
    expect(undisturbed.notes).toEqual(["look", "look", "handover"]);
  });

  const points = Array.from({ length: calls }, (_, i) =>
    (["before", "after"] as const).map((when): Death => ({ nth: i + 1, when })),
  ).flat();

  it("loses nothing, does nothing twice that counts, and posts nothing twice", async () => {
    let again = 0;
    for (const death of points) {
      const { world, ids, first } = await live(death);
      const at = `${death.when} call ${death.nth}, ${first.calls.at(-1)}`;
      expect(first.isDead, at).toBe(true);
      expect(ids, at).toHaveLength(1);
      const [id = ""] = ids;
      const end = await seen(world, id);
      expect(end.verdict?.word, at).toBe("CLOSED");
      expect(end.why?.slice(1, 5), at).toEqual(undisturbed.why?.slice(1, 5));
      expect(end.actions, at).toEqual(["incident-reopen"]);
      for (const once of ["opened", "step-done", "handed-over", "closed"])
        expect(times(end.types, once), `${once} ${at}`).toBe(1);
      const notes = await world.ledger.read(`board/${incidentKey(id)}`);
      const wished = notes
        .filter(({ type }) => type === "note")
        .map(({ data }) => (data as { id: string }).id);
      expect(new Set(wished).size, at).toBe(wished.length);
      expect(times(end.notes, "handover"), at).toBe(1);
      const looks = times(end.types, "diagnosed");
      expect(times(end.notes, "look"), at).toBe(looks);
      expect(times(end.types, "diagnosing") - looks, at).toBe(times(end.notes, "again"));
      again += times(end.notes, "again");
      expect(await openIncidents({ ...world.ledger }, "toy"), at).toEqual([]);
    }
    // Deaths in the middle of a look are among them, and are said to have been made again.
    expect(again).toBeGreaterThan(4);
  });
});
