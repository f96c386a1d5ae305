import { expect, it } from "vitest";
import { runsOf } from "#shared/changes/runs.ts";
import { audit } from "#shared/ledger/audit.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { plain } from "#shared/text.ts";

let now = Date.UTC(2026, 10, 22, 23, 50);
const minute = 60_000;

async function ledgerWith(): Promise<Ledger> {
  now = Date.UTC(2026, 10, 22, 23, 50);
  const ledger = createMemoryLedger({ now: () => now });
  let id = 0;
  const run = async (words: string, cluster: string, who: string | null, outcome?: "ok" | "failed") => {
    now += minute;
    const data = { words: words.split(" "), cluster, account: "U0", who };
    await ledger.append(`asked/R-${String(++id)}`, 0, { type: "asked", data });
    if (outcome)
      await audit(ledger, {
        at: now - 200,
        account: "U0",
        door: "slack",
        words,
        cluster,
        outcome,
        durationMs: 900,
      });
  };
  await run("arping old", "goldentooth", "operator", "ok");
  now += 20 * minute;
  await run("arping httpbin", "goldentooth", "operator", "failed");
  await run("arping httpbin", "other", "operator", "ok");
  await run("nodes check", "goldentooth", null);
  await run("arpeggio changes", "goldentooth", "operator", "ok");
  return ledger;
}

const windowOf = () => ({ since: now - 10 * minute, until: now });

it("tells the cluster's runs in the window, over midnight, with their outcome", async () => {
  const read = await runsOf(await ledgerWith(), windowOf(), "goldentooth");
  if (read.kind !== "read") throw new Error(read.kind);
  expect(read.changes.map(({ subject, what, by }) => `${subject.name} ${plain(what)} ${by}`)).toEqual([
    "R-4 /nodes check: no outcome recorded U0",
    "R-2 /arping httpbin: failed @operator",
  ]);
});

it("leaves out commands that only looked", async () => {
  const ledger = await ledgerWith();
  for (const [i, effect] of ["none", "read", "probe", "change"].entries())
    await ledger.append(`asked/J-${i}`, 0, {
      type: "asked",
      data: { words: ["nodes", effect], cluster: "goldentooth", account: "U0", who: null, effect },
    });
  const read = await runsOf(ledger, { since: now, until: now }, "goldentooth");
  if (read.kind !== "read") throw new Error(read.kind);
  expect(
    read.changes.filter(({ subject }) => subject.name.startsWith("J-")).map(({ what }) => plain(what)),
  ).toEqual(["/nodes change: no outcome recorded"]);
});

it("says that there is no ledger, or why it could not be read", async () => {
  expect(await runsOf(undefined, windowOf(), "goldentooth")).toEqual({ kind: "no ledger" });
  const ledger = await ledgerWith();
  await ledger.append("asked/R-9", 0, { type: "asked", data: { words: 3 } });
  expect(await runsOf(ledger, windowOf(), "goldentooth")).toMatchObject({
    kind: "unread",
    fault: { kind: "unreadable", what: "asked/R-9" },
  });
});
