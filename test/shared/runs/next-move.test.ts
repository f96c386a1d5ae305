import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LedgerEvent } from "#shared/ledger/ledger.ts";
import { nextMove } from "#shared/runs/next-move.ts";
import { type KeptPlan, type RunEvent, readRunEvent, writtenEvent } from "#shared/runs/run-events.ts";
import { foldRun } from "#shared/runs/run-state.ts";
import type { Deed } from "#shared/steps/deed.ts";

const digests = ["a".repeat(64), "b".repeat(64)] as const;
const minute = 60_000;

const deed = (id: string, kind: "kube" | "document" = "kube"): Deed =>
  kind === "kube"
    ? {
        id,
        title: id,
        kind,
        write: { verb: "delete", ref: { kind: "configmaps", name: id }, is: { uid: "u" } },
      }
    : { id, title: id, kind, name: id, text: "" };

const plan = (deeds: readonly Deed[], undo: readonly Deed[] = [deed("undo")]): KeptPlan => ({
  deeds,
  undo,
  diffs: [],
  prediction: [],
  predicted: null,
  instructions: [],
});
const acting = plan([deed("x"), deed("y")]);

const started = (
  approvals: "others" | "self" = "others",
  kind: "act" | "check" | "manual" = "act",
): RunEvent => ({
  type: "started",
  runbook: "toy",
  title: "toy",
  cluster: "c",
  inputs: {},
  by: "olive",
  approvals,
  steps: ["one", "two"].map((id) => ({ id, kind, title: id, reversibleWhile: ["now"] })),
});

const stream = (events: readonly RunEvent[]): readonly LedgerEvent[] =>
  events.map((event, i) => ({ stream: "run/R-1", version: i + 1, at: i * minute, ...writtenEvent(event) }));

const moveAfter = (events: readonly RunEvent[], now = events.length * minute) => {
  const state = foldRun("R-1", stream(events));
  if (state === undefined) throw new Error("no run");
  return nextMove(state, now);
};

const step = "one";
const [digest, other] = digests;
const begun: RunEvent = { type: "step-begun", step };
const planned: RunEvent = { type: "step-planned", step, digest, plan: acting, requester: "olive" };
const asked: RunEvent = { type: "approval-asked", step, digest, requester: "olive", until: 60 * minute };
const approved: RunEvent = { type: "approved", step, digest, by: "vera", how: "other" };
const act: RunEvent = { type: "act-begun", step, act: 1, digest, plan: acting, until: 60 * minute };
const at = { step, act: 1, way: "forward" as const };
const intended = (id: string, token: string): RunEvent => ({ type: "deed-intended", ...at, deed: id, token });
const isDone = (id: string, token: string): RunEvent => ({
  type: "deed-done",
  ...at,
  deed: id,
  token,
  facts: null,
  seen: "performed",
});
const acted: readonly RunEvent[] = [
  begun,
  planned,
  asked,
  approved,
  act,
  intended("x", "1"),
  isDone("x", "1"),
  intended("y", "2"),
  isDone("y", "2"),
];
const verified: RunEvent = {
  type: "verified",
  step,
  outcome: "passed",
  text: ["fine"],
  findings: [],
  notes: null,
};
const halted: RunEvent = {
  type: "halted",
  step,
  code: "conflict",
  because: ["409"],
  next: ["retry"],
  findings: [],
};
const refused: RunEvent = {
  type: "deed-refused",
  ...at,
  deed: "x",
  token: "1",
  because: "conflict",
  message: "",
};
const person = (why: string) => ({ do: "wait-for-person", why });

describe("what is next", () => {
  const rows: readonly (readonly [name: string, events: readonly RunEvent[], move: object])[] = [
    ["a run begins with its first step", [], { do: "begin-step", step }],
    ["a step that began is planned", [begun], { do: "plan" }],
    ["a plan that changes something is asked for", [begun, planned], { do: "ask" }],
    ["and waits for somebody else", [begun, planned, asked], person("approval")],
    ["once approved it begins", [begun, planned, asked, approved], { do: "begin-act" }],
    [
      "an approval of another digest is none",
      [begun, planned, asked, { ...approved, digest: other } as RunEvent],
      person("approval"),
    ],
    [
      "one's own approval is none",
      [begun, planned, asked, { ...approved, by: "olive" } as RunEvent],
      person("approval"),
    ],
    [
      "nor is it when it calls itself self where the run says others",
      [begun, planned, asked, { ...approved, by: "olive", how: "self" } as RunEvent],
      person("approval"),
    ],
    ["an approval that was never asked for is none", [begun, planned, approved], { do: "ask" }],
    [
      "a new plan voids the approval of the old",
      [begun, planned, asked, approved, { ...planned, digest: other } as RunEvent],
      { do: "ask" },
    ],
    [
      "break-glass needs a way back",
      [
        begun,
        { ...planned, plan: plan([deed("x")], []) } as RunEvent,
        asked,
        { ...approved, by: "olive", how: "break-glass" } as RunEvent,
      ],
      person("approval"),
    ],
    [
      "with one it lets the act begin",
      [begun, planned, asked, { ...approved, by: "olive", how: "break-glass" } as RunEvent],
      { do: "begin-act" },
    ],
    [
      "the first deed comes first",
      [begun, planned, asked, approved, act],
      { do: "perform", deed: { id: "x" } },
    ],
    ["an act that nobody approved is not there", [begun, planned, asked, act], person("approval")],
    [
      "an approval is good for one act",
      [
        begun,
        planned,
        asked,
        approved,
        act,
        intended("x", "1"),
        refused,
        halted,
        { type: "resumed", by: "olive" },
      ],
      { do: "plan" },
    ],
    [
      "a deed without a result is looked at",
      [begun, planned, asked, approved, act, intended("x", "1")],
      { do: "look", deed: { id: "x" }, token: "1" },
    ],
    [
      "also after an abort",
      [begun, planned, asked, approved, act, intended("x", "1"), { type: "aborted", by: "olive" }],
      { do: "look" },
    ],
    [
      "found not done it may be done",
      [
        begun,
        planned,
        asked,
        approved,
        act,
        intended("x", "1"),
        { type: "deed-not-done", ...at, deed: "x", token: "1" },
      ],
      { do: "perform", deed: { id: "x" } },
    ],
    [
      "a refused deed is told",
      [begun, planned, asked, approved, act, intended("x", "1"), refused],
      { do: "tell-refused", refusal: { because: "conflict" } },
    ],
    ["what is done is verified", [...acted], { do: "verify" }],
    [
      "and what is verified twice waits for the second time",
      [...acted, { ...verified, recheckAt: 100 * minute } as RunEvent],
      { do: "wait-for-time", until: 100 * minute },
    ],
    ["a verified step gives way to the next", [...acted, verified], { do: "begin-step", step: "two" }],
    ["a halt waits for a person", [begun, halted], person("halted")],
    [
      "whoever resumes lets it be planned again",
      [begun, halted, { type: "resumed", by: "oscar" }],
      { do: "plan" },
    ],
    ["a hold waits for a person", [begun, planned, asked, { type: "held", by: "vera" }], person("held")],
    [
      "nothing is done after an abort",
      [begun, planned, asked, approved, { type: "aborted", by: "olive" }],
      { do: "nothing" },
    ],
    [
      "going back begins with the last deed of the way back",
      [...acted, { type: "back-asked", by: "olive", to: null }],
      { do: "perform", way: "back", deed: { id: "undo" } },
    ],
    [
      "and arrives where nothing was done",
      [begun, planned, { type: "back-asked", by: "olive", to: null }],
      { do: "arrive" },
    ],
    [
      "a skipped step gives way",
      [begun, { type: "skipped", step, by: "olive", reason: "no", forced: false }],
      { do: "begin-step", step: "two" },
    ],
    [
      "documents need no approval",
      [begun, { ...planned, plan: plan([deed("x", "document")], []) } as RunEvent],
      { do: "begin-act" },
    ],
  ];
  it.each(rows)("%s", (_, events, move) => {
    expect(moveAfter([started(), ...events])).toMatchObject(move);
  });

  it("the asker may approve where the run says self", () => {
    const own = { ...approved, by: "olive", how: "self" } as RunEvent;
    expect(moveAfter([started("self"), begun, planned, asked, own])).toMatchObject({ do: "begin-act" });
  });

  it("a request runs out, approved or not", () => {
    expect(moveAfter([started(), begun, planned, asked], 61 * minute)).toMatchObject({ do: "lapse" });
    expect(moveAfter([started(), begun, planned, asked, approved], 61 * minute)).toMatchObject({
      do: "lapse",
    });
    const lapsed: RunEvent = { type: "approval-lapsed", step, digest };
    expect(moveAfter([started(), begun, planned, asked, approved, lapsed])).toMatchObject(person("lapsed"));
  });

  it("no deed is begun when the act was interrupted for too long", () => {
    expect(moveAfter([started(), begun, planned, asked, approved, act], 61 * minute)).toMatchObject({
      do: "tell-late",
    });
  });

  it("a manual step waits for its person, then is judged", () => {
    const bare: RunEvent = { ...planned, plan: plan([], []) } as RunEvent;
    expect(moveAfter([started("others", "manual"), begun, bare])).toMatchObject(person("manual"));
    const said: RunEvent = { type: "manual-done", step, by: "olive", said: "done" };
    expect(moveAfter([started("others", "manual"), begun, bare, said])).toMatchObject({ do: "verify" });
    // Judged again, and neither asked for again nor taken for unneeded because it is done by now.
    const retry: readonly RunEvent[] = [halted, { type: "resumed", by: "oscar" }];
    expect(moveAfter([started("others", "manual"), begun, bare, said, ...retry])).toMatchObject({
      do: "verify",
    });
  });
});

describe("whatever the history is", () => {
  const steps = fc.constantFrom("one", "two");
  const people = fc.constantFrom("olive", "vera");
  const aDigest = fc.constantFrom(...digests);
  const aPlan = fc.constantFrom(acting, plan([deed("x")], []), plan([deed("f", "document")], []));
  const until = fc.integer({ min: 0, max: 60 }).map((n) => n * minute);
  const place = fc.record({
    step: steps,
    act: fc.integer({ min: 1, max: 2 }),
    way: fc.constantFrom("forward" as const, "forward" as const, "back" as const),
    deed: fc.constantFrom("x", "y", "undo"),
    token: fc.constantFrom("1", "2", "3"),
  });
  const event: fc.Arbitrary<RunEvent> = fc.oneof(
    steps.map((id): RunEvent => ({ type: "step-begun", step: id })),
    fc
      .record({ step: steps, digest: aDigest, plan: aPlan, requester: people })
      .map((e): RunEvent => ({ type: "step-planned", ...e })),
    fc
      .record({ step: steps, digest: aDigest, requester: people, until })
      .map((e): RunEvent => ({ type: "approval-asked", ...e })),
    fc
      .record({
        step: steps,
        digest: aDigest,
        by: people,
        how: fc.constantFrom("other" as const, "self" as const, "break-glass" as const),
      })
      .map((e): RunEvent => ({ type: "approved", ...e })),
    fc
      .record({ step: steps, act: fc.integer({ min: 1, max: 2 }), digest: aDigest, plan: aPlan, until })
      .map((e): RunEvent => ({ type: "act-begun", ...e })),
    place.map((e): RunEvent => ({ type: "deed-intended", ...e })),
    place.map((e): RunEvent => ({ type: "deed-done", ...e, facts: null, seen: "performed" })),
    place.map((e): RunEvent => ({ type: "deed-refused", ...e, because: "failed", message: "" })),
    place.map((e): RunEvent => ({ type: "deed-not-done", ...e })),
    steps.map((id): RunEvent => ({ ...verified, step: id }) as RunEvent),
    steps.map((id): RunEvent => ({ ...halted, step: id }) as RunEvent),
    people.map((by): RunEvent => ({ type: "resumed", by })),
    people.map((by): RunEvent => ({ type: "resumed", by })),
    fc.record({ by: people, to: fc.option(steps) }).map((e): RunEvent => ({ type: "back-asked", ...e })),
    fc.option(steps).map((to): RunEvent => ({ type: "went-back", to })),
    fc
      .record({ step: steps, by: people })
      .map((e): RunEvent => ({ type: "skipped", ...e, reason: "r", forced: false })),
    steps.map((id): RunEvent => ({ type: "step-undone", step: id, text: ["u"] })),
    fc.constant<RunEvent>({ type: "aborted", by: "olive" }),
  );
  /** Histories that mostly make sense: a sound beginning, events dropped, repeated and put between. */
  const history = fc
    .record({
      sound: fc.oneof(
        { weight: 4, arbitrary: fc.nat(10).map((n) => [...acted, verified].slice(0, n)) },
        { weight: 1, arbitrary: fc.subarray([...acted, verified]) },
      ),
      noise: fc.array(fc.record({ where: fc.nat(11), event }), { maxLength: 8 }),
    })
    .map(({ sound, noise }) => {
      const all = [...sound];
      for (const { where, event: one } of noise) all.splice(Math.min(where, all.length), 0, one);
      return all;
    });

  const samePlace = (
    e: RunEvent,
    move: Readonly<{ step: string; act: number; way: string; deed: Deed }>,
  ): e is Extract<RunEvent, { token: string }> =>
    "token" in e &&
    e.step === move.step &&
    e.act === move.act &&
    e.way === move.way &&
    e.deed === move.deed.id;

  it("no deed is done twice without a look, without its approval, or after the end", () => {
    let performs = 0;
    fc.assert(
      fc.property(fc.constantFrom("others" as const, "self" as const), history, (approvals, events) => {
        const all = [started(approvals), ...events];
        const move = moveAfter(all, 30 * minute);
        if (move.do !== "perform") return;
        performs++;
        expect(all.some(({ type }) => type === "aborted" || type === "finished")).toBe(false);
        // Whatever was last intended here has been answered: refused, or looked at and found not done.
        const last = all.findLastIndex((e) => e.type === "deed-intended" && samePlace(e, move));
        if (last >= 0) {
          const from = all.findLastIndex(
            (e) => e.type === "act-begun" && e.step === move.step && e.act === move.act,
          );
          const token = (all[last] as { token: string }).token;
          const answered = all
            .slice(last)
            .some(
              (e) =>
                samePlace(e, move) &&
                e.token === token &&
                (e.type === "deed-not-done" || e.type === "deed-refused"),
            );
          expect(answered || last < from).toBe(true);
        }
        if (move.way === "back") {
          expect(all.some(({ type }) => type === "back-asked")).toBe(true);
          return;
        }
        if (move.deed.kind === "document") return;
        const begins = all.flatMap((e) =>
          e.type === "act-begun" && e.step === move.step && e.act === move.act ? [e.digest] : [],
        );
        const requesters = (wanted: string) =>
          all.flatMap((e) =>
            e.type === "approval-asked" && e.step === move.step && e.digest === wanted ? [e.requester] : [],
          );
        const isApproved = all.some(
          (e) =>
            e.type === "approved" &&
            e.step === move.step &&
            begins.includes(e.digest) &&
            (e.how === "break-glass" ||
              (e.how === "self" && approvals === "self") ||
              requesters(e.digest).some((requester) => requester !== e.by)),
        );
        expect(isApproved).toBe(true);
      }),
      { numRuns: 4_000 },
    );
    expect(performs).toBeGreaterThan(100);
  });
});

describe("reading events", () => {
  it("gives back what was written", () => {
    for (const [i, event] of stream([started(), ...acted, verified, halted]).entries())
      expect(readRunEvent(event).event).toEqual([started(), ...acted, verified, halted][i]);
  });

  it.each([
    ["of another release", { type: "teleported", data: {} }, /"teleported" is not known to this release/],
    ["without what it needs", { type: "aborted", data: {} }, /aborted is not as this release writes it.*by/],
    [
      "with more than is known",
      { type: "finished", data: { mood: 1 } },
      /finished is not as this release writes it.*mood/,
    ],
  ])("an event %s is a fault", (_, { type, data }, words) => {
    expect(() => readRunEvent({ stream: "run/R-1", version: 7, at: 0, type, data })).toThrow(words);
  });

  it("a run that does not begin with its start is a fault", () => {
    expect(() => foldRun("R-1", stream([begun]))).toThrow("begins with step-begun");
    expect(foldRun("R-1", [])).toBeUndefined();
  });
});
