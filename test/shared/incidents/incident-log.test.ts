import { describe, expect, it } from "vitest";
import type { IncidentEvent } from "#shared/incidents/incident-events.ts";
import {
  appendIncident,
  findOrOpenIncident,
  incidentsOf,
  type NewIncident,
  openIncident,
  openIncidents,
  readIncident,
  updateIncident,
} from "#shared/incidents/incident-log.ts";
import { nextIncidentMove } from "#shared/incidents/incident-state.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";

const at = Date.UTC(2026, 10, 23, 14);
const now = (): number => at;
const newLedger = (): Ledger => createMemoryLedger({ now });
/** Another process on the same ledger: nothing that the first one remembers is known to it. */
const elsewhere = (ledger: Ledger): Ledger => ({ ...ledger });

const wanted = (more: Partial<NewIncident> = {}): NewIncident => ({
  cluster: "toy",
  runbook: "service-unreachable",
  subject: "httpbin",
  title: "A service does not answer",
  by: { person: "olive" },
  steps: [
    { id: "diagnose", title: "Look", kind: "diagnose" },
    { id: "cure", title: "Cure", kind: "manual", instruction: ["do it"] },
  ],
  ...more,
});

/** A ledger whose nth append never happens, or happens and is not told. */
function dyingAt(ledger: Ledger, nth: number, when: "before" | "after"): Ledger {
  let count = 0;
  return {
    ...ledger,
    append: async (...args) => {
      count += 1;
      if (count === nth && when === "before") throw new Error("killed");
      const appended = await ledger.append(...args);
      if (count === nth) throw new Error("killed");
      return appended;
    },
  };
}

describe("opening", () => {
  it("gives every incident an id of its own, also over processes", async () => {
    const ledger = newLedger();
    const processes = [ledger, elsewhere(ledger), elsewhere(ledger)];
    const states = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        openIncident(processes[i % 3] as Ledger, wanted({ subject: `s${i}` })),
      ),
    );
    expect(new Set(states.map(({ id }) => id)).size).toBe(30);
    expect((await openIncidents(elsewhere(ledger), "toy")).length).toBe(30);
    expect(await openIncidents(ledger, "other")).toEqual([]);
  });

  it("opens one of a key, of however many who open it at once", async () => {
    const ledger = newLedger();
    const found = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        findOrOpenIncident(i % 2 === 0 ? ledger : elsewhere(ledger), wanted({ key: "group-1" })),
      ),
    );
    expect(found.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(found.map(({ state }) => state.id)).size).toBe(1);
    const other = await findOrOpenIncident(ledger, wanted({ key: "group-1", cluster: "other" }));
    expect(other.isNew).toBe(true);
  });

  it("opens another one of a key once the first is closed", async () => {
    const ledger = newLedger();
    const first = await openIncident(ledger, wanted({ key: "k" }));
    await appendIncident(ledger, first, { type: "closed", reason: "over" }, at);
    expect((await findOrOpenIncident(elsewhere(ledger), wanted({ key: "k" }))).isNew).toBe(true);
    expect((await incidentsOf(ledger, "toy")).length).toBe(2);
  });

  it.each(
    [1, 2, 3].flatMap((nth) => (["before", "after"] as const).map((when) => [nth, when] as const)),
  )("is whole after a death at append %i, %s it: there or not, never half", async (nth, when) => {
    const ledger = newLedger();
    await openIncident(dyingAt(ledger, nth, when), wanted({ key: "k" })).catch(() => {});
    const again = elsewhere(ledger);
    const open = await openIncidents(again, "toy");
    expect(open.length).toBeLessThanOrEqual(1);
    for (const state of open) expect(await readIncident(again, state.id)).toMatchObject({ key: "k" });
    await openIncident(again, wanted({ key: "k" }));
    expect(await openIncidents(elsewhere(ledger), "toy")).toHaveLength(1);
  });
});

describe("appending", () => {
  it("is refused to whoever does not know the newest state", async () => {
    const ledger = newLedger();
    const state = await openIncident(ledger, wanted());
    expect(await appendIncident(ledger, state, { type: "taken", by: "oscar" }, at)).toBeDefined();
    expect(await appendIncident(ledger, state, { type: "taken", by: "vera" }, at)).toBeUndefined();
    expect((await readIncident(ledger, state.id))?.owner?.name).toBe("oscar");
  });

  it("loses nothing of a hundred that come at once, from two processes", async () => {
    const ledger = newLedger();
    const { id } = await openIncident(ledger, wanted());
    const other = elsewhere(ledger);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        updateIncident(i % 2 === 0 ? ledger : other, id, now, () => ({
          type: "noted",
          by: "olive",
          text: String(i),
        })),
      ),
    );
    const state = await readIncident(elsewhere(ledger), id);
    expect(new Set(state?.notes.map(({ text }) => text)).size).toBe(100);
  });

  it("folds to the same whether read as a whole or bit by bit", async () => {
    const ledger = newLedger();
    let state = await openIncident(ledger, wanted());
    const alert = {
      group: "g",
      fingerprint: "f",
      name: "HttpbinDown",
      severity: "critical",
      labels: {},
      annotations: {},
      startsAt: at,
      times: 1,
    };
    const events: IncidentEvent[] = [
      { type: "alert-firing", ...alert },
      { type: "diagnosing", step: "diagnose", token: "t1", by: null },
      {
        type: "could-not-diagnose",
        step: "diagnose",
        token: "t1",
        fault: { kind: "denied", what: "x", detail: "y" },
      },
      { type: "alert-firing", ...alert, times: 2 },
      { type: "nudged", step: "cure" },
      { type: "step-done", step: "cure", by: "olive", said: "done" },
      { type: "alert-resolved", ...alert, endsAt: at },
      { type: "handed-over", by: "olive", to: "oscar" },
      { type: "closed", reason: "over" },
      { type: "reopened", reason: "not over" },
    ];
    for (const event of events) {
      state = (await appendIncident(ledger, state, event, at)) ?? state;
      expect(await readIncident(elsewhere(ledger), state.id)).toEqual(state);
    }
    expect(state.alerts).toMatchObject([{ firing: false, times: 1 }]);
    expect(nextIncidentMove(state)).toEqual({ do: "wait-for-end" });
    expect(await openIncidents(elsewhere(ledger), "toy")).toHaveLength(1);
  });

  it("goes by the newest look: what an older one says later changes nothing", async () => {
    const ledger = newLedger();
    let state = await openIncident(ledger, wanted());
    const fault = { kind: "denied", what: "x", detail: "y" };
    for (const event of [
      { type: "diagnosing", step: "diagnose", token: "old", by: null },
      { type: "diagnosing", step: "diagnose", token: "new", by: null },
      { type: "could-not-diagnose", step: "diagnose", token: "old", fault },
    ] as IncidentEvent[])
      state = (await appendIncident(ledger, state, event, at)) ?? state;
    expect(state.looks).toBe(0);
    expect(nextIncidentMove(state)).toMatchObject({ do: "diagnose", again: true });
  });

  it("shows what it can read when another release wrote the rest", async () => {
    const ledger = newLedger();
    const { id, version } = await openIncident(ledger, wanted());
    await ledger.append(`incident/${id}`, version, { type: "escalated", data: { to: "moon" } });
    await ledger.append(`incident/${id}`, version + 1, { type: "taken", data: { by: 7 } });
    await ledger.append(`incident/${id}`, version + 2, { type: "taken", data: { by: "vera" } });
    expect(await readIncident(ledger, id)).toMatchObject({
      owner: { name: "vera" },
      unread: [2, 3],
      version: 4,
    });
  });

  it("says that there is no such incident", async () => {
    const ledger = newLedger();
    expect(await readIncident(ledger, "I-1")).toBeUndefined();
    await expect(updateIncident(ledger, "I-1", now, () => undefined)).rejects.toThrow(/no such incident/);
  });
});
