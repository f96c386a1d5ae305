import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { planDigest, undoOf } from "#shared/drift/plan-digest.ts";
import {
  appendToPlan,
  foldPlan,
  keepPlan,
  type PlanEvent,
  type PlanState,
  planId,
  planStream,
  readPlan,
} from "#shared/drift/plan-stream.ts";
import type { Plan } from "#shared/drift/plan-value.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";

const set: RecordSet = {
  name: fqdn("old.goldentooth.net"),
  type: "A",
  routing: { policy: "simple" },
  answer: { kind: "values", ttl: 300, values: ["10.4.11.1"] },
};

const plan = (): Plan => {
  const batches = [{ changes: [{ action: "DELETE" as const, before: set, set }], given: [] }];
  const draft = {
    format: 1 as const,
    cluster: "goldentooth",
    zone: { id: "Z1", name: fqdn("goldentooth.net") },
    madeAt: 1_000,
    snapshot: { hash: "h", takenAt: 900 },
    twoPeople: false,
    items: [],
    batches,
    withheld: [],
    undo: undoOf(batches),
    reversibleWhile: "open",
  };
  return { ...draft, digest: planDigest(draft) };
};

const opened = async (): Promise<
  Readonly<{ ledger: ReturnType<typeof createMemoryLedger>; state: PlanState }>
> => {
  const ledger = createMemoryLedger({ now: () => 5_000 });
  return { ledger, state: await keepPlan(ledger, plan()) };
};

describe("the life of a plan", () => {
  it("begins once, whoever keeps it, and reads back whole", async () => {
    const { ledger, state } = await opened();
    expect(await keepPlan(ledger, { ...plan(), madeAt: 2_000 })).toEqual(state);
    expect(state.id).toBe(planId(plan()));
    expect(state.plan).toEqual(plan());
    expect(await ledger.list("plan")).toEqual([planStream(state.id)]);
  });

  it("goes from request to result, and forgets approvals when it is asked for again", async () => {
    const { ledger, state } = await opened();
    const digest = state.plan.digest;
    const life: readonly PlanEvent[] = [
      { type: "requested", digest, requester: "operator", until: 9_000 },
      { type: "approved", digest, by: "approver" },
      { type: "began", invocation: "i-1", approver: "approver" },
      { type: "batch-intended", batch: 0, invocation: "i-1" },
      { type: "batch-ended", batch: 0, outcome: { state: "applied", changeId: "C1", insync: true } },
      { type: "ended", state: "applied", text: "all 1 batches are in the zone", verified: [] },
    ];
    let current = state;
    for (const event of life) {
      expect(await appendToPlan(ledger, current, event)).toBe(true);
      current = (await readPlan(ledger, state.id)) as PlanState;
    }
    expect(current).toMatchObject({
      approvals: [{ by: "approver", at: 5_000 }],
      batches: [{ state: "applied" }],
      ended: { state: "applied" },
    });
    await appendToPlan(ledger, current, { type: "requested", digest, requester: "approver", until: 99_000 });
    expect(await readPlan(ledger, state.id)).toMatchObject({
      approvals: [],
      batches: ["untried"],
      ended: undefined,
      request: { requester: "approver" },
    });
  });

  it("lets one of two win who append at once", async () => {
    const { ledger, state } = await opened();
    const ask = (requester: string): Promise<boolean> =>
      appendToPlan(ledger, state, { type: "requested", digest: state.plan.digest, requester, until: 9_000 });
    expect((await Promise.all([ask("operator"), ask("other")])).toSorted()).toEqual([false, true]);
  });

  it("does not guess at what it cannot read", async () => {
    const { ledger, state } = await opened();
    await ledger.append(planStream(state.id), state.version, { type: "aproved", data: { by: "x" } });
    await expect(readPlan(ledger, state.id)).rejects.toThrow(/event 2 of plan/);
    expect(foldPlan("P-none", [])).toBeUndefined();
  });
});
