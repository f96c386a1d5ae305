import { describe, expect, it } from "vitest";
import { createWishes } from "#bot/doors/slack/board.ts";
import { foldStanding, noStanding } from "#shared/board/standing.ts";
import { FaultError } from "#shared/fault.ts";
import { incidentsOf, readIncident } from "#shared/incidents/incident-log.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { alertOf, deliveryOf } from "../../shared/alerts/alerts.ts";
import { began, newWorld, type World } from "../incidents/incident-product.ts";
import { alerting } from "./alerting.ts";

// Deaths at every call of the ledger, from the taking of an alert to its message; test/long/alerts.test.ts does it to a
// real process with SIGKILL.

type Death = Readonly<{ nth: number; when: "before" | "after" }>;

/** The ledger of a process until it dies: then nothing it tries comes to anything. */
function mortal(ledger: Ledger, death: Death | undefined) {
  let count = 0;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new FaultError({ kind: "cancelled", what: "the process", detail: "killed" });
  };
  const around =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isDead) return die();
      count += 1;
      if (count === death?.nth && death.when === "before") return die();
      const made = await call(...args);
      return count === death?.nth ? die() : made;
    };
  return {
    ledger: {
      ...ledger,
      read: around(ledger.read),
      append: around(ledger.append),
      list: around(ledger.list),
      lease: around(ledger.lease),
      release: around(ledger.release),
    } satisfies Ledger,
    calls: () => count,
  };
}

/** One process: takes the delivery as often as Alertmanager sends it, tends for a while. */
async function oneProcess(world: World, death: Death | undefined): Promise<number> {
  const { ledger, calls } = mortal(world.ledger, death);
  const board = createWishes({ ledger, clock: world.clock, log: () => {} }).board;
  const bot = alerting(world, { ledger, board });
  await bot.alerts.take(deliveryOf([alertOf("httpbin", { startsAt: began })])).catch(() => {});
  await bot.tend(10_000);
  return calls();
}

describe("a bot that dies at any call of the ledger while an alert becomes an incident", () => {
  it("leaves one alert, one incident and one message to the next", async () => {
    const calls = await oneProcess(newWorld(), undefined);
    expect(calls).toBeGreaterThan(20);
    for (let nth = 1; nth <= calls; nth++)
      for (const when of ["before", "after"] as const) {
        const said = `death ${when} call ${nth}`;
        const world = newWorld();
        await oneProcess(world, { nth, when });
        // A lease that the dead one held runs out.
        await world.clock.advance(20_000);
        await oneProcess(world, undefined);
        await oneProcess(world, undefined);
        const streams = await world.ledger.list("alert");
        const events = (await Promise.all(streams.map((stream) => world.ledger.read(stream)))).flat();
        const taken = events.flatMap(({ type, data }) =>
          type === "received" ? (data as unknown as { alerts: unknown[] }).alerts : [],
        );
        expect(taken.length, said).toBe(1);
        expect(await incidentsOf(world.ledger, "toy"), said).toHaveLength(1);
        const [id = ""] = await incidentsOf(world.ledger, "toy");
        const state = await readIncident(world.ledger, id);
        expect(
          state?.alerts.map(({ firing }) => firing),
          said,
        ).toEqual([true]);
        expect(state?.looked, said).toBeDefined();
        const standing = foldStanding(
          noStanding(`incident/${id}`),
          await world.ledger.read(`board/incident/${id}`),
        );
        expect(standing.put?.reply.verdict.word, said).toBe("BROKEN");
        expect(new Set(standing.notes.map((note) => note.id)).size, said).toBe(standing.notes.length);
        expect(standing.notes.filter((note) => note.id.startsWith("fired/")).length, said).toBe(1);
      }
  });
});
