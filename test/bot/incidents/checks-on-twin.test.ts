import { describe, expect, it } from "vitest";
import { driveIncident } from "#bot/incidents/drive.ts";
import { readSiteRunbooks } from "#bot/site-runbooks.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import { checks } from "#shared/checks/all.ts";
import { openIncident } from "#shared/incidents/incident-log.ts";
import { sites } from "#shared/twin/sites/all.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { createTold, shown } from "./incident-product.ts";

const source = `runbooks:
  - id: interfaces
    title: Interfaces as they should be
    summary: Before anybody drives there.
    steps:
      - { id: nics, checks: [wired-and-wifi, lan-nic], nodes: [karstark, bettley, nobody] }
      - { id: all, checks: [rp-filter] }
      - { id: go, do: Drive there, timeout: 30m }
`;

/** A site's own runbook, from its file to what stands in the channel, on a simulated site. */
async function onSite(name: string) {
  const spec = sites[name]?.();
  if (spec === undefined) throw new Error(`no site ${name}`);
  const clock = createVirtualClock(
    Date.UTC(2026, 10, 23, 14),
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  const read = readSiteRunbooks(source, "site.yaml", {
    checks: checks.map(({ id }) => id),
    builtIn: [],
    taken: [],
  });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const [runbook] = read.runbooks;
  if (runbook === undefined) throw new Error("no runbook");
  const product = runInMemory(spec, clock);
  const { told, board } = createTold();
  const deps = { ...product.deps, board, incidentRunbooks: async () => read.runbooks };
  const { id } = await openIncident(product.ledger, {
    cluster: "goldentooth",
    runbook: runbook.id,
    subject: null,
    title: runbook.title,
    by: { alertGroup: "g" },
    steps: runbook.steps.map((step) => ({ ...step })) as never,
  });
  const state = await clock.runUntil(
    driveIncident(deps, id, { signal: new AbortController().signal, log: () => {} }),
  );
  product.twin.stop();
  const message = told.standing.get(`incident/${id}`);
  if (state === undefined || message === undefined) throw new Error("nothing was told");
  return {
    state,
    message: shown(message),
    note: shown(told.notes.get(`incident/${id} checks/nics`) as never),
  };
}

describe("checks of a site's own runbook", () => {
  it("name what fails where, and what could not be looked at; then people are asked", async () => {
    const { state, message, note } = await onSite("goldentooth");
    const [nics, all, go] = state.steps;
    expect(
      nics?.checked?.results.map(({ outcome, check, subject }) => [outcome, check, subject.name]),
    ).toEqual([
      ["failed", "wired-and-wifi", "karstark"],
      ["unknown", "node", "nobody"],
    ]);
    expect(nics?.checked?.passed).toBe(3);
    expect(all?.checked).toBeDefined();
    expect(go?.status).toBe("pending");
    expect(message).toMatch(/FAILED +1 .*1 failed, 1 unknown, 3 passed/);
    expect(message).toMatch(/waits +3 Drive there/);
    expect(message).toMatch(/Nobody has it/);
    expect(note).toMatch(/FOUND .*1 failed, 1 unknown, 3 passed/);
    expect(note).toMatch(/failed +wired-and-wifi +karstark +eth0 and wlan0/);
    expect(note).toMatch(/the cluster lists no node of that name/);
  });

  it("are no pass where a node that was named does not exist, also on a healthy site", async () => {
    const { state, message } = await onSite("healthy");
    expect(state.steps[0]?.checked?.results.map(({ outcome }) => outcome)).toEqual(["unknown"]);
    expect(message).toMatch(/UNKNOWN +1 /);
  });
});
