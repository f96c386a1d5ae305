import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { advance } from "#shared/runs/advance.ts";
import { abort, approve, comeBack, done, goOn, hold, skip } from "#shared/runs/people.ts";
import { openNewRun, readRun } from "#shared/runs/run-log.ts";
import { runReply } from "#shared/runs/run-reply.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { startedEvent } from "#shared/runs/started.ts";
import { plain } from "#shared/text.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { contents, counting, toy, toyRunner, toyWorld } from "./toy.ts";

const id = "R-17";
const signal = new AbortController().signal;

/** A run of the toy that stands before its third act, and a world that may be meddled with. */
async function atChange() {
  const clock = createVirtualClock(Date.UTC(2026, 10, 23, 14), () => new Promise((go) => setImmediate(go)));
  const store = toyWorld(clock);
  const ledger = createMemoryLedger({ now: clock.now });
  let onPerform: (() => unknown) | undefined;
  const { runner, performed, told } = toyRunner(store, ledger, clock, counting("t-"), async (port, call) => {
    if (port === "perform") await onPerform?.();
    return call();
  });
  const go = () => clock.runUntil(advance(runner, id, { by: "olive", signal }));
  const state = async (): Promise<RunState> => {
    const read = await readRun(ledger, id);
    if (read === undefined) throw new Error("no run");
    return read;
  };
  const yes = async () => {
    const digest = (await state()).steps.find(({ status }) => status === "running")?.planned?.digest ?? "";
    await approve(runner, id, { by: "vera", isApprover: true, digest }, { approvals: "others" }, []);
    return go();
  };
  const setWay = (way: string) => store.mergePatch("configmaps", "toy", "setting", { data: { way } });
  const about = { cluster: "toy", inputs: { quietUntil: 0 }, by: "olive", approvals: "others" } as const;
  await openNewRun(ledger, id, startedEvent(toy, about));
  await go();
  await yes();
  await done(runner, id, "olive", "done");
  await go();
  return {
    ...{ clock, store, ledger, runner, performed, told, go, state, yes, setWay },
    beforeNext: (happens: () => unknown) => {
      onPerform = () => {
        onPerform = undefined;
        return happens();
      };
    },
  };
}
const message = (state: RunState) => {
  const reply = runReply(state, { now: state.updatedAt, approvers: [], ref: (name) => ({ name }) });
  return `${reply.verdict.word} ${plain(reply.verdict.text)} ${plain(reply.why ?? [])}`;
};

describe("a deed that was begun and found changed by somebody else", () => {
  const atMoved = async () => {
    const at = await atChange();
    at.beforeNext(() => {
      at.setWay("third");
      throw new FaultError({ kind: "timed-out", what: "patch", detail: "no answer" });
    });
    const { state } = await at.yes();
    expect(state.halted?.code).toBe("moved");
    return at;
  };

  it("does not stand in the way of taking the rest back, and is told", async () => {
    const at = await atMoved();
    await comeBack(at.runner, id, "olive", undefined);
    const { state } = await at.go();
    expect(state.ended?.how).toBe("went-back");
    expect(contents(at.store)).toEqual({ old: { way: "bgp" }, setting: { way: "third" } });
    const unknown = "It is not known whether this was done: set ConfigMap toy/setting to l2.";
    expect(message(state)).toContain("what could be was taken back");
    expect(message(state)).toContain(unknown);
    expect(at.told.some((note) => note.endsWith("/moved"))).toBe(true);
  });

  it("is settled after the end as well, and looked at no more", async () => {
    const at = await atMoved();
    await abort(at.runner, id, "olive");
    const { state } = await at.go();
    expect(state.ended?.how).toBe("aborted");
    expect(message(state)).toContain("It is not known whether this was done");
    const { version } = await at.state();
    await at.go();
    expect((await at.state()).version).toBe(version);
  });
});

describe("on the way back", () => {
  it("it can be held, and says that going on takes back more", async () => {
    const at = await atChange();
    await at.yes();
    await comeBack(at.runner, id, "olive", undefined);
    at.beforeNext(() => at.beforeNext(() => hold(at.runner, id, "vera")));
    const { state, stopped } = await at.go();
    expect(stopped).toBe("person");
    expect(state.steps.map(({ undoneAt }) => undoneAt !== undefined).indexOf(true)).toBe(3);
    const reply = runReply(state, { now: state.updatedAt, approvers: [], ref: (name) => ({ name }) });
    expect(`${reply.verdict.word} ${plain(reply.verdict.text)}`).toBe(
      "HELD toy · on the way back: held by @vera since 14:00 UTC",
    );
    expect(plain(reply.next?.[0] ?? [])).toBe("To go on going back: /migrate next R-17");
    await goOn(at.runner, id, "olive");
    expect((await at.go()).state.ended?.how).toBe("went-back");
  });

  it("what was seen before is told with its time, never as what is so now", async () => {
    const at = await atChange();
    await at.yes();
    const seen = "Seen at 14:00 UTC: it says l2.";
    expect(message(await at.state())).toContain(seen);
    at.setWay("bgp");
    await at.clock.runUntil(at.clock.sleep(200_000));
    const { state } = await at.go();
    expect(state.halted?.code).toBe("reverted");
    expect(message(state)).toContain(seen);
    expect(message(state)).not.toContain("Now:");
  });

  it("what steps wrote down that are done again is forgotten", async () => {
    const at = await atChange();
    await at.yes();
    await at.clock.runUntil(at.clock.sleep(200_000));
    await at.go();
    expect(Object.keys((await at.state()).notes)).toContain("change");
    await comeBack(at.runner, id, "olive", "change");
    await at.go();
    expect(Object.keys((await at.state()).notes)).toEqual(["survey", "pair", "router"]);
  });

  it("what somebody else changed since is not written over, and says what to do", async () => {
    const at = await atChange();
    await at.yes();
    at.setWay("third");
    await comeBack(at.runner, id, "olive", undefined);
    const { state } = await at.go();
    expect(state.halted?.code).toBe("moved");
    expect(plain(state.halted?.because ?? [])).not.toContain("had started");
    expect(plain(state.halted?.next ?? [])).toContain("by hand");
    at.setWay("bgp");
    await goOn(at.runner, id, "olive");
    expect((await at.go()).state.ended?.how).toBe("went-back");
  });

  it("a step whose deeds have no way back is not said to be as before", async () => {
    const at = await atChange();
    const bare = {
      ...at.runner,
      migrations: [
        {
          ...toy,
          steps: toy.steps.map((step) =>
            step.id === "change"
              ? {
                  ...step,
                  plan: async (...given: Parameters<typeof step.plan>) => ({
                    ...(await step.plan(...given)),
                    undo: [],
                  }),
                }
              : step,
          ),
        },
      ],
    };
    const drive = () => at.clock.runUntil(advance(bare, id, { by: "olive", signal }));
    await goOn(bare, id, "olive");
    await drive();
    const plan = (await at.state()).steps.find(({ id: step }) => step === "change")?.planned;
    await approve(
      bare,
      id,
      { by: "vera", isApprover: true, digest: plan?.digest ?? "" },
      { approvals: "others" },
      [],
    );
    await drive();
    await comeBack(bare, id, "olive", undefined);
    const { state } = await drive();
    const change = state.steps.find(({ id: step }) => step === "change");
    expect(plain(change?.note ?? [])).toBe("nothing to take back: this step has no way back");
    expect(message(state)).toContain("What step 4 changed has no way back and stays.");
    expect(message(state)).not.toContain("everything it changed");
  });
});

describe("what held at first and was put back by somebody", () => {
  it("is planned anew on retry, approved again, and can be done again", async () => {
    const at = await atChange();
    await at.yes();
    at.setWay("bgp");
    await at.clock.advance(200_000);
    expect((await at.go()).state.halted?.code).toBe("reverted");
    await goOn(at.runner, id, "olive");
    const { state } = await at.go();
    expect(state.halted).toBeUndefined();
    const change = state.steps.find(({ id: step }) => step === "change");
    expect(change).toMatchObject({ status: "running", asked: { lapsed: false } });
    await at.yes();
    await at.clock.advance(200_000);
    await at.go();
    expect(at.performed.filter((deed) => deed === "set-l2")).toHaveLength(2);
    expect((await at.state()).steps.find(({ id: step }) => step === "change")?.status).toBe("done");
    await comeBack(at.runner, id, "olive", undefined);
    await at.go();
    expect(contents(at.store)).toMatchObject({ setting: { way: "bgp" } });
  });

  it("is left out only by who has seen that it stays unproven", async () => {
    const at = await atChange();
    await at.yes();
    at.setWay("bgp");
    await at.clock.advance(200_000);
    await at.go();
    const wish = { by: "olive", step: "change", reason: "late" };
    const first = await skip(at.runner, id, { ...wish, force: true });
    expect(plain(first.shown ?? [])).toBe(
      "what step 4 changed stays as it is, and that it works is not proven",
    );
    expect((await skip(at.runner, id, { ...wish, force: false })).shown).toBeDefined();
    expect((await at.state()).steps[3]?.status).toBe("running");
    await skip(at.runner, id, { ...wish, force: true });
    expect((await at.state()).steps[3]?.status).toBe("skipped");
  });
});
