import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { excludeLabel } from "#shared/metallb/own-objects.ts";
import { drill } from "#shared/runbooks/drill.ts";
import { advance } from "#shared/runs/advance.ts";
import { abort, goOn, hold, skip } from "#shared/runs/people.ts";
import { runReply } from "#shared/runs/run-reply.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { plain } from "#shared/text.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { runOnTwin, signal } from "../steps/run-on-twin.ts";

type Twin = ReturnType<typeof runOnTwin>;

const labels = ({ store }: Pick<Twin, "store">): readonly string[] =>
  store.list("nodes").items.flatMap(({ metadata }) => metadata.labels?.[excludeLabel] ?? []);

const told = (state: RunState) => {
  const reply = runReply(state, { now: state.updatedAt, approvers: [], ref: (name) => ({ name }) });
  return {
    word: reply.verdict.word,
    why: plain(reply.why ?? []),
    abort: reply.actions.find(({ id }) => id === "run-abort")?.confirm ?? "",
  };
};

/** A drill in which something happens once its label is on, while what came of it is being looked at. */
function whileLabelled(happens: (at: Twin) => Promise<unknown>): Twin {
  let did = false;
  const at: Twin = runOnTwin(
    healthy(),
    drill,
    { service: "httpbin" },
    {
      around: (ports, twin) => ({
        ...ports,
        shell: async (...given) => {
          if (!did && labels(twin).length > 0) {
            did = true;
            await happens(at);
          }
          return ports.shell(...given);
        },
      }),
    },
  );
  return at;
}

const statuses = (state: RunState) => state.steps.map(({ id, status }) => `${id} ${status}`);

describe("what must not stay is taken away before a run rests", () => {
  it("when it is aborted in the window: first the label comes off, then it ends", async () => {
    const at = whileLabelled(async ({ runner }) => {
      const { state } = await abort(runner, "R-7", "olive");
      expect(told(state).why).not.toContain("Nothing");
    });
    await at.start();
    await at.approve();
    const { state, stopped } = await at.go();
    expect(labels(at)).toEqual([]);
    expect([stopped, state.ended?.how, state.ended?.by]).toEqual(["ended", "aborted", "olive"]);
    expect(statuses(state)).toContain("drill-include done");
    expect(told(state)).toMatchObject({ word: "ABORTED", why: "Nothing that it changed is left." });
  });

  it("when it is held in the window: the label is off while it is held, and it goes on from there", async () => {
    const at = whileLabelled(({ runner }) => hold(runner, "R-7", "vera"));
    await at.start();
    await at.approve();
    const { state, stopped } = await at.go();
    expect(labels(at)).toEqual([]);
    expect([stopped, state.held?.by]).toEqual(["person", "vera"]);
    expect(told(state).word).toBe("HELD");
    await goOn(at.runner, "R-7", "olive");
    const after = await at.go();
    expect(statuses(after.state).slice(0, 3)).toEqual([
      "drill-survey done",
      "drill-exclude done",
      "drill-include done",
    ]);
    expect(labels(at)).toEqual([]);
  });

  it("when another process aborts it: whoever is at work takes it away", async () => {
    const seen: string[] = [];
    const at = whileLabelled(async ({ runner }) => {
      await abort(runner, "R-7", "olive");
      const other = await advance({ ...runner, ledger: { ...runner.ledger } }, "R-7", {
        by: "olive",
        signal,
      });
      seen.push(other.stopped);
    });
    await at.start();
    await at.approve();
    const { state } = await at.go();
    expect(seen).toEqual(["busy"]);
    expect(labels(at)).toEqual([]);
    expect(state.ended?.how).toBe("aborted");
  });

  it("nobody leaves it out, before it is needed or while it is", async () => {
    const wish = { by: "olive", step: "drill-include", reason: "in a hurry" };
    const refused: string[] = [];
    const at = whileLabelled(async ({ runner }) => {
      const asked = await skip(runner, "R-7", { ...wish, force: true });
      if (!asked.ok) refused.push(plain(asked.because));
    });
    await at.start();
    for (const force of [false, true]) {
      const asked = await skip(at.runner, "R-7", { ...wish, force });
      if (!asked.ok) refused.push(plain(asked.because));
    }
    await at.approve();
    await at.go();
    expect(refused).toEqual(
      Array(3).fill("step 3, Take the label off again, takes away what must not stay, and is never left out"),
    );
    expect(labels(at)).toEqual([]);
  });

  it("before anything was done it ends at once", async () => {
    const at = runOnTwin(healthy(), drill, { service: "httpbin" });
    await at.start();
    const { state } = await abort(at.runner, "R-7", "olive");
    expect(state.ended?.how).toBe("aborted");
    expect(told(state).why).toBe("Nothing was changed.");
  });
});

/** The label is written, nobody answers, and then the API is away for a while. */
function unanswered() {
  let down = false;
  const at = runOnTwin(
    healthy(),
    drill,
    { service: "httpbin" },
    {
      aroundWrite: (write) => async (wish, options) => {
        const result = await write(wish, options);
        if (options?.dryRun === true || wish.verb !== "patch" || labels(at).length === 0 || down)
          return result;
        down = true;
        throw new FaultError({ kind: "timed-out", what: "patch of nodes", detail: "no answer" });
      },
      around: (ports) => ({
        ...ports,
        read: (...given) =>
          down
            ? Promise.reject(new FaultError({ kind: "unreachable", what: "API", detail: "refused" }))
            : ports.read(...given),
      }),
    },
  );
  let wasDown = false;
  return {
    ...at,
    back: () => {
      wasDown = down;
      down = false;
      return wasDown;
    },
  };
}

describe("a deed of which nobody knows whether it was done", () => {
  it("is said wherever it is said what was changed", async () => {
    const at = unanswered();
    await at.start();
    await at.approve();
    const { state } = await at.go();
    expect(state.halted?.code).toBe("unseen");
    const title = state.steps[1]?.planned?.plan.deeds[0]?.title ?? "";
    const unknown = `It is not known whether this was done: ${title}.`;
    expect(told(state).why).toContain(unknown);
    expect(told(state).abort).toContain(unknown);
    expect(told(state).abort).not.toContain("Nothing was changed");
    // Asked once it is taken away first; asked again while that cannot be, it ends, and says what is not known.
    await abort(at.runner, "R-7", "olive");
    expect((await at.go()).state.ended).toBeUndefined();
    const { state: over } = await abort(at.runner, "R-7", "olive");
    expect(over.ended?.how).toBe("aborted");
    expect(told(over).why).toBe(unknown);
    expect(told(over).why).not.toContain("Nothing");
  });

  it("is looked at again without anybody asking, and what must not stay goes", async () => {
    const at = unanswered();
    await at.start();
    await at.approve();
    expect((await at.go()).state.halted?.code).toBe("unseen");
    await at.clock.advance(60_000);
    const events = (await at.runner.ledger.read("run/R-7")).length;
    expect((await at.go()).stopped).toBe("person");
    // Nothing new was seen, so nothing new is told.
    expect(await at.runner.ledger.read("run/R-7")).toHaveLength(events);
    expect(labels(at)).toHaveLength(1);
    expect(at.back()).toBe(true);
    const { state } = await at.go();
    expect(labels(at)).toEqual([]);
    expect(statuses(state)).toContain("drill-include done");
    expect(told(state).word).toBe("STOPPED");
    await goOn(at.runner, "R-7", "olive");
    expect((await at.go()).state.steps[1]?.status).toBe("done");
  });
});
