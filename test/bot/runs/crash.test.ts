import { describe, expect, it } from "vitest";
import { createWishes } from "#bot/doors/slack/board.ts";
import { resumeRuns } from "#bot/runs/resume-runs.ts";
import { setBgpMode } from "#infra/lab/set-bgp-mode.ts";
import { appForTwo, twoPeople, twoPeopleOn } from "#infra/lab/two-people.ts";
import { FaultError } from "#shared/fault.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { bgpSite } from "../../shared/steps/bgp-sites.ts";
import { type Around, aroundLedger, aroundPorts } from "./crash/every-call.ts";
import { doNext } from "./crash/people.ts";
import type { Death, Goal } from "./crash/world.ts";

// A sample in one process on a clock that stands still; test/long/crash.test.ts does the same with real processes,
// real edges and SIGKILL.

const never = new AbortController().signal;
const nothing = () => {};

/** Every port and the ledger of the product, until it dies: then nothing it tries comes to anything. */
function mortal(death: Death | undefined) {
  let fitting = 0;
  let isDead = false;
  const calls = new Set<string>();
  const die = (): never => {
    isDead = true;
    throw new FaultError({ kind: "cancelled", what: "the process", detail: "killed" });
  };
  const around: Around = async (call, make) => {
    if (isDead) return die();
    calls.add(call);
    const isIt = death !== undefined && (death.at === "" || death.at === call) && ++fitting === death.nth;
    if (isIt && death.when === "before") return die();
    const made = await make();
    return isIt ? die() : made;
  };
  return { around, calls, isDead: () => isDead };
}

async function live(goal: Goal, deaths: readonly Death[]) {
  const clock = createVirtualClock(
    Date.UTC(2026, 10, 24, 18),
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  const { twin, deps, ledger } = twoPeopleOn(
    bgpSite("0.16.1"),
    clock,
    (kept) => createWishes({ ledger: kept, clock, log: nothing }).board,
  );
  const acts: string[] = [];
  twin.store.subscribe(({ type, kind, object }) => {
    if (/advertisements|bgppeers|bfdprofiles/.test(kind))
      acts.push(`${type} ${kind}/${object.metadata.name}`);
  });
  const halts: string[] = [];
  const calls = new Set<string>();
  let died = 0;
  /** One process from its start to its death or to the end of the run. */
  const oneProcess = async (death: Death | undefined): Promise<string | undefined> => {
    const { around, calls: own, isDead } = mortal(death);
    // Another object: what a process keeps about its own ledger dies with it.
    const seen = aroundLedger({ ...ledger }, around);
    const all = {
      ...deps,
      ledger: seen,
      board: createWishes({ ledger: seen, clock, log: nothing }).board,
      clusters: new Map([...deps.clusters].map(([name, ports]) => [name, aroundPorts(ports, around)])),
    };
    const app = appForTwo(all);
    const people = {
      goal,
      clock,
      look: () => lastRun(ledger, "goldentooth"),
      ask: async (who: string, words: string) => {
        const person = twoPeople.find(({ name }) => name === who);
        const asking = await app.ask({
          door: "slack",
          person,
          account: person?.slack ?? who,
          channel: "C0PLATFORM",
          words,
        });
        if (asking.kind === "job") await asking.job.run(nothing, never);
      },
      applyValues: async () => setBgpMode(twin, "native"),
      onHalt: (said: string) => void halts.push(said),
    };
    await resumeRuns(all, { signal: never, log: nothing });
    let ended: string | undefined;
    for (let turn = 0; ended === undefined && !isDead(); turn++) {
      if (turn > 60) throw new Error(`no end: ${halts.slice(-3).join("; ")}`);
      ended = await doNext(people);
    }
    for (const call of own) calls.add(call);
    if (isDead()) died++;
    return isDead() ? undefined : ended;
  };
  let ended: string | undefined;
  for (const death of [...deaths, undefined]) {
    // The dead one's lease runs out meanwhile.
    ended = await clock.runUntil(oneProcess(death), 24 * 3_600_000);
    if (ended !== undefined) break;
    await clock.advance(60_000);
  }
  twin.stop();
  return { acts, halts, ended, died, calls: [...calls] };
}

describe.each([
  ["to the end", "finished"],
  ["and back", "went-back"],
] as const)("bots killed around every act, %s", (goal, end) => {
  it("lose none and do none twice", async () => {
    const whole = await live(goal, []);
    expect(whole).toMatchObject({ ended: end, halts: [], died: 0 });
    // Every write, and what is written down about it; one in six keeps this quick.
    const points = whole.calls
      .filter((call) => /^(write |ledger\.append run deed-)/.test(call))
      .flatMap((at) => (["before", "after"] as const).map((when): Death => ({ at, nth: 1, when })));
    const sample = points.filter((_, i) => i % 6 === (goal === "and back" ? 3 : 0));
    expect(sample.length).toBeGreaterThan(4);
    const killed = await live(goal, sample);
    expect(killed).toMatchObject({ ended: end, halts: [] });
    expect(killed.died).toBe(sample.length);
    expect(killed.acts).toEqual(whole.acts);
  });
});
