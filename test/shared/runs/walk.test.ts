import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { renderSlack } from "#shared/report/slack.ts";
import { advance } from "#shared/runs/advance.ts";
import { abort, approve, breakGlass, comeBack, done, goOn, hold, skip } from "#shared/runs/people.ts";
import { type RunEvent, readRunEvent } from "#shared/runs/run-events.ts";
import { openNewRun, readRun } from "#shared/runs/run-log.ts";
import { runReply } from "#shared/runs/run-reply.ts";
import { changesWorld } from "#shared/runs/run-state.ts";
import { startedEvent } from "#shared/runs/started.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { counting, toy, toyRunner, toyWorld } from "./toy.ts";

const id = "R-17";
const began = Date.UTC(2026, 10, 23, 14);

const move = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: "approve", by: "vera" } as const) },
  { weight: 6, arbitrary: fc.constant({ do: "drive" } as const) },
  { weight: 4, arbitrary: fc.constant({ do: "done" } as const) },
  { weight: 4, arbitrary: fc.constant({ do: "wait", minutes: 4 } as const) },
  { weight: 4, arbitrary: fc.constant({ do: "go-on" } as const) },
  { weight: 3, arbitrary: fc.nat(40).map((calls) => ({ do: "crash", calls }) as const) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "approve", by: "olive" } as const, { do: "hold" } as const) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "wait", minutes: 31 } as const, { do: "skip" } as const) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "back" } as const, { do: "back", to: "change" } as const) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "meddle" } as const, { do: "break-glass" } as const) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "abort" } as const, { do: "double" } as const) },
);

/** What has to hold of every record, whoever did what in which order. */
function judge(events: readonly RunEvent[]): void {
  const open = new Map<string, string>();
  const unanswered = new Set<string>();
  events.forEach((event, i) => {
    const before = events.slice(0, i);
    if (event.type === "act-begun" && changesWorld(event.plan)) {
      const asked = before.findLast((e) => e.type === "approval-asked" && e.digest === event.digest);
      const approval = before.findLast((e) => e.type === "approved" && e.digest === event.digest);
      expect(approval?.type === "approved" && asked?.type === "approval-asked").toBe(true);
      if (approval?.type !== "approved" || asked?.type !== "approval-asked") return;
      expect(approval.how === "break-glass" || approval.by !== asked.requester).toBe(true);
      // Each approval is used once.
      const used = before
        .slice(before.lastIndexOf(approval))
        .some((e) => e.type === "act-begun" && e.digest === event.digest);
      expect(used).toBe(false);
    }
    if (event.type === "deed-intended") {
      expect(before.some(({ type }) => type === "aborted" || type === "finished")).toBe(false);
      const place = `${event.step}/${event.act}/${event.way}/${event.deed}`;
      expect(open.get(place), place).toBeUndefined();
      open.set(place, event.token);
      unanswered.add(event.token);
      if (event.way === "back") expect(before.some(({ type }) => type === "back-asked")).toBe(true);
    }
    if (event.type === "deed-done" || event.type === "deed-refused" || event.type === "deed-not-done") {
      const place = `${event.step}/${event.act}/${event.way}/${event.deed}`;
      expect(open.get(place)).toBe(event.token);
      if (event.type === "deed-not-done") open.delete(place);
      unanswered.delete(event.token);
    }
    // Nothing is called proven, undone or finished while it is not known what came of a deed.
    if (event.type === "verified" || event.type === "step-undone" || event.type === "finished")
      expect([...unanswered]).toEqual([]);
    // A step that was taken back is planned and done anew, its acts counted from one.
    if (event.type === "went-back") open.clear();
  });
}

it("whatever people do in whatever order, with crashes: approved, once, never after the end, told within Slack's limits", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 8, maxLength: 40 }), async (moves) => {
      const clock = createVirtualClock(began, () => new Promise((resolve) => setImmediate(resolve)));
      const world = toyWorld(clock);
      const ledger = createMemoryLedger({ now: clock.now });
      const newToken = counting("t-");
      const signal = new AbortController().signal;
      let { runner } = toyRunner(world, ledger, clock, newToken);
      await openNewRun(
        ledger,
        id,
        startedEvent(toy, {
          cluster: "toy",
          inputs: { quietUntil: began + 600_000 },
          by: "olive",
          approvals: "others",
        }),
      );
      const drive = () => clock.runUntil(advance(runner, id, { by: "olive", signal }));
      const state = async () => {
        const found = await readRun(ledger, id);
        if (found === undefined) throw new Error("no run");
        return found;
      };
      for (const one of moves) {
        const now = await state();
        const digest = now.steps.find(({ status }) => status === "running")?.planned?.digest ?? "";
        if (one.do === "approve")
          await approve(runner, id, { by: one.by, isApprover: true, digest }, { approvals: "others" }, []);
        else if (one.do === "done") await done(runner, id, "olive", "done");
        else if (one.do === "go-on") await goOn(runner, id, "olive");
        else if (one.do === "hold") await hold(runner, id, "vera");
        else if (one.do === "abort") await abort(runner, id, "olive");
        else if (one.do === "back") await comeBack(runner, id, "olive", "to" in one ? one.to : undefined);
        else if (one.do === "break-glass") await breakGlass(runner, id, "olive", "dark");
        else if (one.do === "skip")
          for (const force of [false, true])
            await skip(runner, id, { by: "olive", step: "quiet", reason: "late", force });
        else if (one.do === "wait") await clock.advance(one.minutes * 60_000);
        else if (one.do === "meddle")
          world.mergePatch("configmaps", "toy", "setting", { data: { way: "other" } });
        else if (one.do === "double")
          await clock.runUntil(
            Promise.all([
              advance(runner, id, { by: "olive", signal }),
              advance(runner, id, { by: "vera", signal }),
            ]),
          );
        else if (one.do === "crash") {
          // In the middle of whatever can go on: an act, most of the time.
          await approve(runner, id, { by: "vera", isApprover: true, digest }, { approvals: "others" }, []);
          let left = one.calls;
          const dying = toyRunner(world, ledger, clock, newToken, async (_, call) => {
            if (left < 0) return new Promise(() => {});
            const result = await call();
            if (left-- === 0) throw new Error("killed");
            return result;
          });
          await clock.runUntil(advance(dying.runner, id, { by: "olive", signal })).catch(() => {});
          await clock.advance(30_000);
          runner = toyRunner(world, ledger, clock, newToken).runner;
        }
        await drive();
        const after = await state();
        seen.add(after.ended?.how ?? after.halted?.code ?? "open");
        const message = runReply(after, {
          now: clock.now(),
          approvers: [{ name: "vera" }],
          ref: (name) => ({ name }),
        });
        expect(message.actions.length).toBeLessThanOrEqual(3);
        expect(renderSlack(message).files).toEqual([]);
      }
      judge((await ledger.read(`run/${id}`)).map((event) => readRunEvent(event).event));
    }),
    { numRuns: 150 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(["open", "aborted", "went-back"]));
});
