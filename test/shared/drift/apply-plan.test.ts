import { describe, expect, it } from "vitest";
import type { DnsReply } from "#shared/dns/answer.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import type { Snapshot } from "#shared/dns/snapshot.ts";
import { acceptSnapshot } from "#shared/drift/accepted.ts";
import { type ApplyPorts, type ApplySettings, applyPlan } from "#shared/drift/apply-plan.ts";
import { planDigest, undoOf } from "#shared/drift/plan-digest.ts";
import { appendToPlan, keepPlan, planId, readPlan } from "#shared/drift/plan-stream.ts";
import type { Plan } from "#shared/drift/plan-value.ts";
import { FaultError } from "#shared/fault.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";
import { createZones, type TwinZones } from "#shared/twin/zones.ts";
import { owns, record, wants, zoneName } from "../dns/zones.ts";
import { applied, noon, planOf } from "./scans.ts";

const long = `"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/apps/web"`;
const leftovers = (count: number): readonly RecordSet[] =>
  Array.from({ length: count }, (_, i) => record(`a-gone${i}`, "TXT", long));
const keeper = record("keep", "A", "10.9.9.9");
const have: readonly RecordSet[] = [...leftovers(6), keeper];
const settings: ApplySettings = {
  cluster: "goldentooth",
  zones: [{ id: "Z1", name: zoneName }],
  rules: {
    zoneIds: ["Z1"],
    approvers: ["approver"],
    limits: { absolute: 100_000, share: 1 },
    owners: ["me"],
    affixes: [{}],
    key: undefined,
  },
  insyncWithinMs: 120_000,
  leaseMs: 300_000,
  longestOpenMs: 86_400_000,
};

/** Several batches, as a larger plan has them. */
function split(whole: Plan): Plan {
  const batches = whole.batches.flatMap(({ changes, given }) =>
    [0, 2, 4].map((at) => ({ changes: changes.slice(at, at + 2), given })),
  );
  const draft = { ...whole, batches, undo: undoOf(batches) };
  return { ...draft, digest: planDigest(draft) };
}

const plan = split(planOf({ have }));

type World = Readonly<{
  clock: VirtualClock;
  zones: TwinZones;
  ledger: Ledger;
  ports: ApplyPorts;
  plan: Plan;
  id: string;
}>;

async function world(
  more: Readonly<{ plan?: Plan; have?: readonly RecordSet[]; snapshot?: Partial<Snapshot> }> = {},
): Promise<World> {
  const clock = createVirtualClock(noon, () => new Promise((resolve) => setImmediate(resolve)));
  let made = 0;
  const zones = createZones({
    zones: [
      {
        id: "Z1",
        name: zoneName,
        nameServers: [
          { name: fqdn("ns-1.example.org"), ip: "192.0.2.1" },
          { name: fqdn("ns-2.example.org"), ip: "192.0.2.2" },
        ],
        recordSets: more.have ?? have,
      },
    ],
    clock,
    schedule: (ms, run) => {
      void clock.sleep(ms).then(run);
      return () => {};
    },
    newId: () => String(++made).padStart(20, "0"),
  });
  const ledger = createMemoryLedger({ now: clock.now });
  const used = more.plan ?? plan;
  const state = await keepPlan(ledger, used);
  const until = noon + 3_600_000;
  await appendToPlan(ledger, state, { type: "requested", digest: used.digest, requester: "operator", until });
  await appendToPlan(
    ledger,
    { ...state, version: 2 },
    { type: "approved", digest: used.digest, by: "approver" },
  );
  const served = (server: number, name: string, type: string): DnsReply => {
    const sets = zones.served("Z1", server);
    const set = sets.find((each) => each.name === name && each.type === type);
    const values = set?.answer.kind === "values" ? set.answer.values : [];
    return {
      kind: "answer",
      rcode: sets.some((each) => each.name === name) ? "NOERROR" : "NXDOMAIN",
      flags: ["aa"],
      answer: values.map((data) => ({ name: fqdn(name), ttl: 300, type, data })),
      authority: [],
      additional: [],
      extendedErrors: [],
    };
  };
  const ports: ApplyPorts = {
    zones: zones.read,
    change: zones.change,
    snapshots: {
      latest: async () =>
        ({ hash: used.snapshot.hash, takenAt: clock.now() - 60_000, ...more.snapshot }) as Snapshot,
    },
    ledger,
    clock,
    ask: async (server, { name, type }) => served(server === "192.0.2.1" ? 0 : 1, name, type),
    serversOf: async () => [
      { name: "ns-1.example.org", address: "192.0.2.1" },
      { name: "ns-2.example.org", address: "192.0.2.2" },
    ],
  };
  return { clock, zones, ledger, ports, plan: used, id: planId(used) };
}

const run = (w: World, invocation: string, ports: ApplyPorts = w.ports) =>
  w.clock.runUntil(applyPlan(ports, settings, { planId: w.id, invocation }), 3_600_000);

const sorted = (sets: readonly RecordSet[]) => sets.map((set) => JSON.stringify(set)).toSorted();
const isApex = ({ type }: RecordSet) => type === "NS" || type === "SOA";

function expectDone(w: World, times = w.plan.batches.length): void {
  const now = w.zones.recordSets("Z1").filter((set) => !isApex(set));
  expect(sorted(now)).toEqual(sorted(applied(have, w.plan.batches)));
  expect(w.zones.history()).toHaveLength(times);
}

describe("carrying out a plan", () => {
  it("is about more than one batch", () => expect(plan.batches).toHaveLength(3));

  it("applies every batch once, waits for all name servers, asks them, and says so", async () => {
    const w = await world();
    const report = await run(w, "i-1");
    expect(report).toMatchObject({ state: "applied", before: false });
    expectDone(w);
    const state = await readPlan(w.ledger, w.id);
    expect(
      state?.batches.every((each) => typeof each === "object" && each.state === "applied" && each.insync),
    ).toBe(true);
    expect(state?.ended?.verified).toHaveLength(6);
    expect(
      state?.ended?.verified.every(({ ok, said }) => ok && said === "no such name at all 2 name servers"),
    ).toBe(true);
    expect(state?.ended?.text).toBe(
      "all 3 batches are in the zone; its name servers say so for 6 record sets",
    );
  });

  it("does nothing the second time and says what is known", async () => {
    const w = await world();
    const first = await run(w, "i-1");
    const second = await run(w, "i-2");
    expect(second).toEqual({ ...first, before: true });
    expectDone(w);
  });

  it("lets one of two work, and neither doubles", async () => {
    const w = await world();
    const both = Promise.all(
      ["i-1", "i-2"].map((invocation) => applyPlan(w.ports, settings, { planId: w.id, invocation })),
    );
    const states = (await w.clock.runUntil(both, 3_600_000)).map(({ state }) => state);
    expect(states.toSorted()).toEqual(["applied", "busy"]);
    expectDone(w);
  });

  it("knows no plan that is not there", async () => {
    const w = await world();
    expect(await applyPlan(w.ports, settings, { planId: "P-none", invocation: "i" })).toMatchObject({
      state: "no-plan",
    });
  });

  it.each([
    ["a stale snapshot", { takenAt: noon - 3_600_000 }, "snapshot-stale"],
    [
      "a snapshot from the future: one of the clocks is wrong",
      { takenAt: noon + 3_600_000 },
      "snapshot-stale",
    ],
    ["another snapshot", { hash: "other" }, "snapshot-moved"],
  ])("refuses on %s, changes nothing and writes down why once", async (_, snapshot, because) => {
    const w = await world({ snapshot });
    expect(await run(w, "i-1")).toMatchObject({ state: "refused", because });
    expect(await run(w, "i-2")).toMatchObject({ state: "refused", because });
    expectUntouched(w);
    expect((await w.ledger.read(`plan/${w.id}`)).filter(({ type }) => type === "refused")).toHaveLength(1);
  });

  it("counts what is ours in the zone by itself", async () => {
    const w = await world();
    const strict = { ...settings, rules: { ...settings.rules, limits: { absolute: 5, share: 1 } } };
    const order = { planId: w.id, invocation: "i-1" };
    expect(await w.clock.runUntil(applyPlan(w.ports, strict, order))).toMatchObject({
      state: "refused",
      because: "over-the-limits",
    });
    expectUntouched(w);
  });

  it("lets nobody else say what the zone is called", async () => {
    const wide = { ...plan, zone: { id: "Z1", name: fqdn("com") } };
    const w = await world({ plan: { ...wide, digest: planDigest(wide) } });
    expect(await run(w, "i-1")).toMatchObject({ state: "refused", because: "zone-not-allowed" });
    expectUntouched(w);
  });

  it("has a longest time of its own for which a request is open", async () => {
    const w = await world();
    const strict = { ...settings, longestOpenMs: 60_000 };
    await w.clock.advance(61_000);
    expect(await applyPlan(w.ports, strict, { planId: w.id, invocation: "i-1" })).toMatchObject({
      state: "refused",
      because: "expired",
    });
    expectUntouched(w);
  });

  it("deletes nothing by a snapshot whose source could not be read", async () => {
    const faults = [{ source: "services", kind: "timed-out", detail: "no answer" }];
    const w = await world({ snapshot: { faults } });
    expect(await run(w, "i-1")).toMatchObject({ state: "refused", because: "source-in-doubt" });
    expectUntouched(w);
  });

  it("deletes nothing by a snapshot that wants far less than the last one that was accepted", async () => {
    const endpoints = [wants("keep", "10.9.9.9")];
    const controllers = [
      { name: "x", image: "", flags: {}, hidden: [], endpoints, dropped: [], unknown: [] },
    ];
    const w = await world({ snapshot: { controllers } });
    await acceptSnapshot(w.ledger, "goldentooth", { hash: "h", takenAt: noon, endpoints: 10 });
    expect(await run(w, "i-1")).toMatchObject({ state: "refused", because: "source-in-doubt" });
    expectUntouched(w);
  });

  it("stops at the batch whose record sets somebody changed, and says which stand", async () => {
    const w = await world();
    const second = plan.batches[1]?.changes[0]?.set as RecordSet;
    w.zones.edit("Z1", [
      { action: "UPSERT", set: { ...second, answer: { kind: "values", ttl: 60, values: [long] } } },
    ]);
    const report = await run(w, "i-1");
    expect(report).toMatchObject({ state: "partly" });
    expect(report.text).toContain(second.name);
    expect(w.zones.history()).toHaveLength(1);
    const state = await readPlan(w.ledger, w.id);
    expect(state?.batches.slice(2)).toEqual(plan.batches.slice(2).map(() => "untried"));
  });

  it("takes Route 53's refusal as an end", async () => {
    const w = await world();
    const ports = { ...w.ports, change: async () => ({ ok: false as const, messages: ["no"] }) };
    expect(await run(w, "i-1", ports)).toMatchObject({
      state: "nothing",
      text: expect.stringContaining("Route 53 refused: no"),
    });
  });

  it("takes a denial as nothing done, not as unknown", async () => {
    const w = await world();
    const change = async () => {
      throw new FaultError({ kind: "denied", what: "batch", detail: "AccessDenied" });
    };
    expect(await run(w, "i-1", { ...w.ports, change })).toMatchObject({ state: "nothing" });
  });

  it("withdrawn while it works: sends no more, and writes down what was sent", async () => {
    const w = await world();
    let sent = 0;
    const change: ApplyPorts["change"] = async (...args) => {
      sent += 1;
      if (sent === 2) {
        const state = await readPlan(w.ledger, w.id);
        if (state) await appendToPlan(w.ledger, state, { type: "withdrawn", by: "operator" });
      }
      return w.zones.change(...args);
    };
    expect(await run(w, "i-1", { ...w.ports, change })).toMatchObject({ state: "partly" });
    expect(w.zones.history()).toHaveLength(2);
    const batches = (await readPlan(w.ledger, w.id))?.batches;
    expect(batches?.slice(0, 2)).toMatchObject([{ state: "applied" }, { state: "applied" }]);
    expect(batches?.[2]).toEqual({ state: "not-tried" });
  });

  it("says when a name server answers otherwise", async () => {
    const w = await world();
    const lying = { ...w.ports, ask: async () => ({ kind: "silence", because: "timed-out" }) as const };
    const report = await run(w, "i-1", lying);
    expect(report).toMatchObject({ state: "applied" });
    expect(report.text).toContain("name servers say otherwise for 6 of 6");
  });
});

function expectUntouched(w: World): void {
  expect(w.zones.history()).toEqual([]);
}

describe("answers that are lost", () => {
  it("reads the zone instead of sending again", async () => {
    const w = await world();
    w.zones.faults.loseAnswers(plan.batches.length);
    expect(await run(w, "i-1")).toMatchObject({ state: "applied" });
    expectDone(w);
    expect((await readPlan(w.ledger, w.id))?.batches).toEqual(
      plan.batches.map(() => ({ state: "done-before" })),
    );
  });

  it("asks the name servers until they have what has no change to ask Route 53 by", async () => {
    const w = await world();
    w.zones.faults.loseAnswers(plan.batches.length);
    const { ask } = w.ports;
    const until = w.clock.now() + 60_000;
    const slow: ApplyPorts["ask"] = async (...args) =>
      w.clock.now() < until ? { kind: "silence", because: "timed-out" } : ask(...args);
    const report = await run(w, "i-1", { ...w.ports, ask: slow });
    expect(report.text).toBe("all 3 batches are in the zone; its name servers say so for 6 record sets");
    expect(w.clock.now()).toBeGreaterThanOrEqual(until);
  });

  it("sends again what was not made", async () => {
    const w = await world();
    let lost = 1;
    const change: ApplyPorts["change"] = async (...args) => {
      if (lost-- > 0) throw new FaultError({ kind: "timed-out", what: "batch", detail: "no answer" });
      return w.zones.change(...args);
    };
    expect(await run(w, "i-1", { ...w.ports, change })).toMatchObject({ state: "applied" });
    expectDone(w);
  });

  it("ends as unknown while nobody can look, and the next run settles it", async () => {
    const w = await world();
    let dark = false;
    const unreachable = () => {
      throw new FaultError({ kind: "unreachable", what: "zone", detail: "no route" });
    };
    const ports: ApplyPorts = {
      ...w.ports,
      change: async (...args) => {
        await w.zones.change(...args);
        dark = true;
        return unreachable();
      },
      zones: { ...w.ports.zones, lookUp: (...args) => (dark ? unreachable() : w.zones.read.lookUp(...args)) },
    };
    expect(await run(w, "i-1", ports)).toMatchObject({ state: "unknown" });
    expect(await run(w, "i-2")).toMatchObject({ state: "applied" });
    expectDone(w);
  });
});

describe("the lease", () => {
  const slowly = (w: World, ms: number): ApplyPorts => ({
    ...w.ports,
    zones: {
      ...w.ports.zones,
      recordSets: async (...args) => {
        await w.clock.sleep(ms);
        return w.zones.read.recordSets(...args);
      },
      lookUp: async (...args) => {
        await w.clock.sleep(ms);
        return w.zones.read.lookUp(...args);
      },
    },
  });

  it("is renewed while the zone is read for longer than it lasts", async () => {
    const w = await world();
    const first = applyPlan(slowly(w, 2 * settings.leaseMs), settings, { planId: w.id, invocation: "i-1" });
    await w.clock.advance(1.5 * settings.leaseMs);
    expect(await applyPlan(w.ports, settings, { planId: w.id, invocation: "i-2" })).toMatchObject({
      state: "busy",
    });
    expect(await w.clock.runUntil(first, 3_600_000)).toMatchObject({ state: "applied" });
    expectDone(w);
  });

  it("that is lost while the zone is read ends the run before anything is sent", async () => {
    const w = await world();
    let taken = 0;
    const ledger: Ledger = {
      ...w.ledger,
      lease: async (name, holder, ttl) => {
        taken += 1;
        const held = await w.ledger.lease(name, holder, ttl);
        return taken < 2 || !held.ok ? held : { ok: false, held: { ...held.lease, holder: "another" } };
      },
    };
    expect(await run(w, "i-1", { ...slowly(w, 2 * settings.leaseMs), ledger })).toMatchObject({
      state: "busy",
    });
    expectUntouched(w);
    // At once, not when all is read.
    expect(w.clock.now() - noon).toBeLessThan(settings.leaseMs);
  });

  it("is taken for held while the ledger does not answer for a moment, and asked for again before anything is sent", async () => {
    const w = await world();
    let dark = 0;
    const ledger: Ledger = {
      ...w.ledger,
      lease: async (...args) => {
        if (w.clock.now() - noon > 50_000 && dark++ < 1)
          throw new FaultError({ kind: "unreachable", what: "ledger", detail: "no route" });
        return w.ledger.lease(...args);
      },
    };
    expect(await run(w, "i-1", { ...slowly(w, 250_000), ledger })).toMatchObject({ state: "applied" });
    expectDone(w);
  });
});

describe("GetChange", () => {
  it("that never says INSYNC ends within the bound, told as not yet everywhere", async () => {
    const w = await world();
    w.zones.faults.holdChanges(true);
    const begun = w.clock.now();
    const report = await run(w, "i-1");
    expect(report).toMatchObject({
      state: "applied",
      text: expect.stringContaining("not yet at every name server"),
    });
    expect(w.clock.now() - begun).toBeLessThan(settings.insyncWithinMs + 30_000);
  });
});

class Killed extends Error {}

/** Kills the run before or after its nth call of any port: nothing after it happens, whatever was sent stays sent. */
function killedAt(
  ports: ApplyPorts,
  nth: number,
  after: boolean,
): Readonly<{ ports: ApplyPorts; calls: () => number }> {
  let calls = 0;
  const killing =
    <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      calls += 1;
      if (calls > nth || (calls === nth && !after)) throw new Killed();
      const result = await call(...args);
      if (calls >= nth) throw new Killed();
      return result;
    };
  const { zones, ledger, snapshots } = ports;
  return {
    calls: () => calls,
    ports: {
      ...ports,
      change: killing(ports.change),
      snapshots: { latest: killing(snapshots.latest) },
      zones: {
        ...zones,
        lookUp: killing(zones.lookUp),
        recordSets: killing(zones.recordSets),
        change: killing(zones.change),
        zone: killing(zones.zone),
      },
      ledger: {
        ...ledger,
        read: killing(ledger.read),
        append: killing(ledger.append),
        lease: killing(ledger.lease),
        release: async () => {},
      },
    },
  };
}

describe("a run that is killed", () => {
  it.each([
    false,
    true,
  ])("at any call (after it: %s) is taken up, no batch lost or doubled", async (after) => {
    const whole = killedAt((await world()).ports, Number.POSITIVE_INFINITY, false);
    const quiet = await world();
    const counted = killedAt(quiet.ports, Number.POSITIVE_INFINITY, false);
    await run(quiet, "i-1", counted.ports);
    expect(counted.calls()).toBeGreaterThan(30);
    expect(whole.calls()).toBe(0);
    for (let nth = 1; nth <= counted.calls(); nth++) {
      const w = await world();
      await expect(run(w, "i-1", killedAt(w.ports, nth, after).ports), `call ${nth}`).rejects.toThrow(Killed);
      const begun = (await readPlan(w.ledger, w.id))?.begun !== undefined;
      // Until the lease runs out nobody works on it.
      if (begun && (await readPlan(w.ledger, w.id))?.ended === undefined)
        expect(await run(w, "i-2")).toMatchObject({ state: "busy" });
      await w.clock.advance(settings.leaseMs + 1);
      expect(await run(w, "i-3"), `call ${nth}`).toMatchObject({ state: "applied" });
      expectDone(w);
    }
  });

  it("is settled but not carried on when the approval ran out meanwhile", async () => {
    const w = await world();
    const changeCalls = killedAt(w.ports, 12, true);
    await expect(run(w, "i-1", changeCalls.ports)).rejects.toThrow(Killed);
    await w.clock.advance(2 * 3_600_000);
    const sent = w.zones.history().length;
    const report = await run(w, "i-2");
    expect(w.zones.history()).toHaveLength(sent);
    expect(report.text).toContain("it was not carried on: the request ran out; plan again");
  });
});

describe("what is foreign", () => {
  it("stands byte for byte", async () => {
    const w = await world({ have: [...have, owns("a-keep", "other")] });
    await run(w, "i-1");
    const rest = w.zones.recordSets("Z1").filter((set) => !isApex(set));
    expect(sorted(rest)).toEqual(sorted([keeper, owns("a-keep", "other")]));
  });
});
