import { describe, expect, it } from "vitest";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { FaultError } from "#shared/fault.ts";
import type { WriteCluster } from "#shared/kubernetes/write.ts";
import { leaseName } from "#shared/runs/lease.ts";
import { readRunEvent } from "#shared/runs/run-events.ts";
import { plain } from "#shared/text.ts";
import { contents } from "../../shared/runs/toy.ts";
import { began, drawn, head, newWorld, type Product, product } from "./migrate-product.ts";

const start = async (p: Product) => p.ask("olive", "migrate start toy");
const approve = (p: Product, who: "vera" | "viktor" | "olive" | "oscar" = "vera") =>
  p.press(who, "run-approve", p.button("run-approve"));
/** From the start to where step 4 (change the setting) waits for its approval. */
async function toChange(p: Product): Promise<void> {
  await start(p);
  await approve(p);
  await p.press("olive", "run-done", p.button("run-done"));
}
const why = (p: Product): string => plain(p.message().why ?? []);
const ids = (p: Product): readonly string[] => p.message().actions.map(({ id }) => id);

describe("a run with two people", () => {
  it("goes from plan to end, one message all along", async () => {
    const world = newWorld();
    const p = product(world);
    expect(head(await start(p))).toBe(
      "WAITS: toy · step 2 of 8 waits for @vera or @viktor or @oscar until 14:30 UTC",
    );
    expect(ids(p)).toEqual(["run-approve", "run-hold", "run-abort"]);
    expect(head(await approve(p))).toBe("WAITS: toy · step 3 of 8 waits for a person: Router");
    await p.ask("olive", 'migrate done --said "prefix is in"');
    expect(drawn(p.message())).toContain("no vantage sees it; @olive\n           said: prefix is in");
    expect(head(await approve(p, "viktor"))).toBe(
      "WAITS: toy · step 4 of 8 waits until 2026-11-23 14:03 UTC",
    );
    await world.clock.advance(181_000);
    await p.tend();
    await approve(p);
    expect(head(p.message())).toMatch(/^DONE: toy · all 8 steps ended at 14:03 UTC, 3:0\d after the start$/);
    expect(p.message().verdict.outcome).toBe("ok");
    expect(p.message().actions).toEqual([]);
    expect(contents(world.store)).toEqual({ one: { way: "l2" }, two: { way: "l2" }, setting: { way: "l2" } });
    expect([...(world.board?.standing.keys() ?? [])]).toEqual(["run/R-1"]);
    expect(world.board?.puts.every(({ actions }) => actions.length <= 3)).toBe(true);
    const notes = [...(world.board?.notes.entries() ?? [])];
    const told = notes.find(([key]) => key.startsWith("run/R-1/approved/"));
    expect(told && head(told[1])).toMatch(/plan 4962, by @vera; it runs now \(@olive asked for it\)/);
    expect(notes.some(([key]) => key.endsWith("persist/1/forward/values"))).toBe(true);
  });

  it("is planned without being started", async () => {
    const p = product(newWorld());
    const reply = await p.ask("guest", "migrate plan toy", "cli");
    expect(head(reply)).toBe(
      "PLAN: toy · 8 steps: 2 would change something as things are, 1 wait for steps before them, 1 not needed, 4 look or hand over",
    );
    expect(plain(reply.why ?? [])).toContain("The first act is step 2, Create two maps: plan 4962.");
    expect(drawn(reply)).toContain("+ data:\n  +   way: l2");
    expect(drawn(reply)).toContain("not before the steps above");
    expect(await p.ask("olive", "migrate status")).toMatchObject({ verdict: { outcome: "usage" } });
  });

  it("keeps its inputs as they were given, commas and all", async () => {
    const p = product(newWorld());
    await p.ask("olive", "migrate start toy --accept a,b --with note=x,y,quietUntil=5 --canary toy/one");
    expect((await p.state())?.inputs).toEqual({
      accept: "a,b",
      canary: "toy/one",
      note: "x,y",
      quietUntil: "5",
    });
  });

  it("says which runbooks and runs there are, and what is open", async () => {
    const p = product(newWorld());
    expect(head(await p.ask("olive", "migrate start tay"))).toContain("Nearest: toy");
    expect(head(await p.ask("olive", "migrate next"))).toBe("Nothing open: no run is open on toy");
    await p.ask("olive", "migrate start toy --with quietUntil=soon");
    expect(head(await p.ask("olive", "migrate start toy --with quietUntil=soon"))).toContain("quietUntil");
    expect(head(await p.ask("olive", "migrate next R-99"))).toContain("no run R-99 on toy");
    await start(p);
    expect(head(await p.ask("oscar", "migrate start toy"))).toMatch(
      /^Busy: R-\d+ \(toy, @olive\) is open on toy/,
    );
  });
});

describe("an approval", () => {
  it.each([
    ["one's own", "olive", "oscar", "you asked for step 2 of R-1 yourself. @vera or @viktor can approve it"],
  ] as const)("%s is refused", async (_, __, who, words) => {
    const p = product(newWorld());
    await p.ask("oscar", "migrate start toy");
    const reply = await approve(p, who);
    expect(head(reply)).toContain(words);
    expect((await p.state())?.steps[1]?.approved).toBeUndefined();
  });

  it("by somebody who is no approver is refused, and who could is named", async () => {
    const p = product(newWorld());
    await start(p);
    expect(head(await approve(p, "olive"))).toContain("needs approver. @vera, @viktor and @oscar can.");
  });

  it("of an older plan is refused", async () => {
    const p = product(newWorld());
    await start(p);
    const reply = await p.press("vera", "run-approve", `R-1 ${"c".repeat(64)}`);
    expect(head(reply)).toContain("that approval was for plan cccc; the plan is 4962 now");
  });

  it("that comes too late is refused, and asked for again", async () => {
    const world = newWorld();
    const p = product(world);
    await start(p);
    const value = p.button("run-approve");
    await world.clock.advance(31 * 60_000);
    expect(head(await p.press("vera", "run-approve", value))).toContain("ran out at 14:30 UTC");
    await p.tend();
    expect(head(p.message())).toBe("WAITS: toy · step 2 of 8: the request for approval ran out at 14:30 UTC");
    expect(ids(p)).toEqual(["run-next", "run-abort"]);
    expect(head(await p.press("vera", "run-approve", value))).toContain("ran out at 14:30 UTC");
    await p.press("olive", "run-next", "R-1");
    expect(head(p.message())).toContain("until 15:01 UTC");
  });

  it("that comes twice does its act once, and the second is told who was first", async () => {
    const world = newWorld();
    const p = product(world);
    await start(p);
    const value = p.button("run-approve");
    const both = await world.clock.runUntil(
      Promise.all([p.pressAsync("vera", "run-approve", value), p.pressAsync("viktor", "run-approve", value)]),
    );
    const words = both.map(head);
    expect(words.filter((one) => one.includes("was approved by @"))).toHaveLength(1);
    expect(Object.keys(contents(world.store)).sort()).toEqual(["old", "one", "setting", "two"]);
    expect(head(await p.press("viktor", "run-approve", value))).toContain(
      "was approved by @vera at 14:00 UTC",
    );
  });

  it("in a terminal is refused but in a lab", async () => {
    const p = product(newWorld());
    await start(p);
    const words = `migrate ${p.button("run-approve").replace(/^/, "approve ")}`;
    expect(head(await p.ask("vera", words, "console"))).toContain("approving in a terminal is for a lab");
    const lab = product(newWorld(), { approvals: { local: true } });
    await start(lab);
    expect(head(await lab.ask("vera", "migrate approve R-1 4962", "console"))).toContain("step 3 of 8");
  });

  it("by oneself is possible where the config says so, and every message says so", async () => {
    const world = newWorld();
    const p = product(world, { approvals: { who: "self" } });
    await p.ask("oscar", "migrate start toy");
    expect(head(await approve(p, "oscar"))).toContain("step 3 of 8");
    expect(world.board?.puts.every((reply) => drawn(reply, 200).includes("Approvals: self:"))).toBe(true);
  });

  it("does nothing when the world has moved: what changed is said and approved anew", async () => {
    const world = newWorld();
    const p = product(world);
    await toChange(p);
    const value = p.button("run-approve");
    world.store.mergePatch("configmaps", "toy", "setting", { data: { note: "x" } });
    await p.press("vera", "run-approve", value);
    expect(drawn(p.message(), 200)).toContain(
      "Changed since plan ad41: ConfigMap toy/setting is no longer as it was. Nothing of that plan was",
    );
    expect(head(p.message())).toContain("step 4 of 8 waits for @vera");
    expect(p.button("run-approve")).not.toBe(value);
    expect(contents(world.store).setting).toEqual({ way: "bgp", note: "x" });
    expect(plain((await p.ask("vera", `migrate approve ${value}`)).verdict.text)).toContain(
      "that approval was for plan",
    );
  });
});

describe("one operator alone", () => {
  it("breaks the glass for what can be taken back, with a reason, shouted", async () => {
    const world = newWorld();
    const p = product(world);
    await start(p);
    expect(head(await p.ask("olive", "migrate next --break-glass"))).toContain("next");
    expect(head(await p.ask("olive", 'migrate next --break-glass --reason "site is down"'))).toContain(
      "step 3 of 8",
    );
    const alarm = [...(world.board?.standing.entries() ?? [])].find(([key]) =>
      key.startsWith("break-glass/"),
    );
    expect(alarm && head(alarm[1])).toContain(
      "@olive lets step 2 of R-1 (Create two maps) through without a second person",
    );
    expect(drawn(p.message(), 200)).toContain(
      "BREAK-GLASS step 2 was let through without a second person by @olive: site is down",
    );
  });

  it("shouts the step whose glass was broken, the second time too", async () => {
    const world = newWorld();
    const p = product(world);
    await start(p);
    await p.ask("olive", 'migrate next --break-glass --reason "site is down"');
    await p.ask("olive", 'migrate done --said "prefix is in"');
    await p.ask("olive", 'migrate next --break-glass --reason "still down"');
    const alarms = [...(world.board?.standing.entries() ?? [])].filter(([key]) =>
      key.startsWith("break-glass/"),
    );
    expect(alarms.map(([, reply]) => /step \d of R-1 \([^)]*\)/.exec(head(reply))?.[0])).toEqual([
      "step 2 of R-1 (Create two maps)",
      "step 4 of R-1 (Change the setting)",
    ]);
    expect(alarms.map(([, reply]) => plain(reply.why ?? []))).toEqual([
      "Reason: site is down",
      "Reason: still down",
    ]);
  });

  it("holds, and nothing can be approved until somebody goes on", async () => {
    const p = product(newWorld());
    await start(p);
    const value = p.button("run-approve");
    expect(head(await p.press("guest", "run-hold", "R-1"))).toContain("needs operator or approver");
    await p.press("vera", "run-hold", p.button("run-hold"));
    expect(head(p.message())).toContain("held by @vera since 14:00 UTC");
    expect(head(await p.press("viktor", "run-approve", value))).toContain("@vera holds R-1 since 14:00 UTC");
    await p.press("olive", "run-next", p.button("run-next"));
    expect(ids(p)).toContain("run-approve");
  });

  it("aborts: nothing is done any more, and what stays is listed", async () => {
    const world = newWorld();
    const p = product(world);
    await toChange(p);
    const value = p.button("run-approve");
    await p.press("olive", "run-abort", p.button("run-abort"));
    expect(head(p.message())).toBe("ABORTED: toy · ended by @olive at 14:00 UTC");
    expect(why(p)).toContain("What step 2 changed stays as it is.");
    expect(drawn(world.board?.notes.get("run/R-1/aborted") ?? p.message())).toContain(
      "delete ConfigMap toy/one",
    );
    for (const words of [
      "migrate next R-1",
      "migrate rollback --run R-1",
      "migrate done R-1",
      "migrate hold R-1",
    ])
      expect(head(await p.ask("olive", words))).toContain("R-1 was aborted by @olive at 14:00 UTC");
    expect(head(await p.press("vera", "run-approve", value))).toContain("R-1 was aborted");
    expect(contents(world.store).setting).toEqual({ way: "bgp" });
  });

  it("goes back to before a step, and on from there", async () => {
    const world = newWorld();
    const p = product(world);
    await toChange(p);
    await approve(p);
    expect(contents(world.store).setting).toEqual({ way: "l2" });
    await p.ask("olive", "migrate rollback change");
    expect(head(p.message())).toContain("step 4 of 8 and what came after it are taken back, asked by @olive");
    expect(contents(world.store).setting).toEqual({ way: "bgp" });
    await p.ask("olive", "migrate next");
    await approve(p);
    expect(contents(world.store).setting).toEqual({ way: "l2" });
    await p.ask("olive", "migrate rollback");
    expect(head(p.message())).toBe(
      "WENT BACK: toy · everything it changed was taken back by @olive at 14:00 UTC",
    );
    expect(contents(world.store)).toEqual({ old: { way: "bgp" }, setting: { way: "bgp" } });
  });

  it("cannot go back where nothing was changed", async () => {
    const p = product(newWorld());
    await start(p);
    expect(head(await p.ask("olive", "migrate rollback"))).toContain("R-1 has changed nothing yet");
    expect(head(await p.ask("olive", "migrate rollback nowhere"))).toContain("R-1 has no step nowhere");
  });

  it("leaves a proof out only after its consequence was shown to them", async () => {
    const world = newWorld();
    const p = product(world);
    await start(p);
    expect(head(await p.ask("olive", "migrate skip quiet"))).toContain("skip");
    const shown = await p.ask("olive", "migrate skip quiet --reason late --force");
    expect(plain(shown.why ?? [])).toBe("clients may still hold the old way: they would lose it");
    expect(head(await p.ask("oscar", "migrate skip quiet --reason late --force"))).toContain(
      "proves something",
    );
    expect(plain((await p.ask("olive", "migrate skip 5 --reason late --force")).why ?? [])).toContain(
      "Step 5 is skipped, on record.",
    );
    expect((await p.state())?.steps[4]).toMatchObject({ status: "skipped" });
    await approve(p);
    await p.press("olive", "run-done", p.button("run-done"));
    await approve(p);
    await world.clock.advance(181_000);
    await p.tend();
    await approve(p);
    expect(head(p.message())).toContain("skipped: step 5");
    expect(why(p)).toBe("Left out, so not proven: clients may still hold the old way: they would lose it.");
  });

  it("leaves out no step that has ended", async () => {
    const p = product(newWorld());
    await start(p);
    expect(head(await p.ask("olive", "migrate skip survey --reason x"))).toContain("has ended (done)");
  });
});

/** A cluster whose next writes answer like this, one after the other; then as it is. */
const writing =
  (...answers: readonly ((write: WriteCluster) => WriteCluster)[]) =>
  (ports: ClusterPorts): ClusterPorts => {
    const left = [...answers];
    return {
      ...ports,
      write: (write, options) =>
        options?.dryRun
          ? ports.write(write, options)
          : (left.shift()?.(ports.write) ?? ports.write)(write, options),
    };
  };
const says =
  (because: "webhook" | "denied" | "invalid" | "not-found" | "conflict", message: string) => () => async () =>
    ({ ok: false, because, message }) as const;
const pass = (write: WriteCluster): WriteCluster => write;
const lost =
  (write: WriteCluster): WriteCluster =>
  async (...args) => {
    await write(...args);
    throw new FaultError({ kind: "timed-out", what: "create of configmaps", detail: "no answer" });
  };
const unsent = (): WriteCluster => async () => {
  throw new FaultError({ kind: "unreachable", what: "create of configmaps", detail: "no route" });
};

describe("what goes wrong is a stated halt with a next move", () => {
  it.each([
    [
      "a webhook",
      says("webhook", "no such pool"),
      "STOPPED",
      "an admission webhook refused it: no such pool",
      "Cure that",
    ],
    [
      "RBAC",
      says("denied", "cannot create"),
      "STOPPED",
      "the API denied it to our account: cannot create",
      "Grant the runbook's Role",
    ],
    [
      "an invalid object",
      says("invalid", "spec.x"),
      "STOPPED",
      "the API found it invalid: spec.x",
      "goes back",
    ],
    [
      "an object that is gone",
      says("not-found", "gone"),
      "STOPPED",
      "the object is gone (404 or 410)",
      "plans with what is there now",
    ],
    [
      "a conflict",
      says("conflict", "modified"),
      "STOPPED",
      "changed by somebody else since it was read (409)",
      "reads it again",
    ],
  ] as const)("%s", async (_, answer, word, because, next) => {
    const world = newWorld();
    const p = product(world, { around: writing(answer) });
    await start(p);
    await approve(p);
    expect(p.message().verdict.word).toBe(word);
    expect(head(p.message())).toContain("step 2 of 8, Create two maps");
    expect(why(p)).toContain(because);
    expect(why(p)).toContain("Nothing of this step was done.");
    expect((p.message().next ?? []).map(plain).join()).toContain(next);
    expect(ids(p)).toEqual(["run-retry", "run-abort", "run-evidence"]);
    await p.press("olive", "run-retry", "R-1");
    await approve(p);
    expect(head(p.message())).toContain("step 3 of 8");
  });

  it("a failure in the middle: what is done stays, is told, and can be taken back", async () => {
    const world = newWorld();
    const p = product(world, { around: writing(pass, says("denied", "cannot create two")) });
    await start(p);
    await approve(p);
    expect(why(p)).toContain("1 of 2 parts of this step are done and stay: it is done in part.");
    expect(ids(p)).toEqual(["run-retry", "run-go-back", "run-evidence"]);
    expect(drawn(await p.press("guest", "run-evidence", "R-1"))).toContain(
      "refused  create ConfigMap toy/two: denied",
    );
    await p.press("olive", "run-go-back", p.button("run-go-back"));
    expect(contents(world.store)).toEqual({ old: { way: "bgp" }, setting: { way: "bgp" } });
    await p.press("olive", "run-next", p.button("run-next"));
    await approve(p);
    expect(head(p.message())).toContain("step 3 of 8");
  });

  it("a failure in the middle, gone on with: only the rest is planned, and all of it is taken back", async () => {
    const world = newWorld();
    const p = product(world, { around: writing(pass, says("denied", "cannot create two")) });
    await start(p);
    await approve(p);
    await p.press("olive", "run-retry", "R-1");
    expect(drawn(p.message())).toContain("will create ConfigMap toy/two");
    await approve(p);
    await p.ask("olive", "migrate rollback");
    expect(contents(world.store)).toEqual({ old: { way: "bgp" }, setting: { way: "bgp" } });
  });

  it("no answer to a write that was made: found in the world, not repeated", async () => {
    const world = newWorld();
    let writes = 0;
    const counted = (ports: ClusterPorts): ClusterPorts => {
      const broken = writing(lost)(ports);
      return {
        ...broken,
        write: (...args) => {
          writes++;
          return broken.write(...args);
        },
      };
    };
    const p = product(world, { around: counted });
    await start(p);
    await approve(p);
    expect(head(p.message())).toContain("step 3 of 8");
    expect(writes).toBe(2);
    expect((await p.state())?.steps[1]?.acts[0]?.deeds["make-one"]).toMatchObject({
      status: "done",
      facts: { already: true },
    });
  });

  it("no answer to a write that was not made: looked at, then made", async () => {
    const world = newWorld();
    const p = product(world, { around: writing(unsent) });
    await start(p);
    await approve(p);
    expect(head(p.message())).toContain("step 3 of 8");
    expect(Object.keys(contents(world.store))).toContain("one");
  });

  it("no answer, and the world cannot be seen either: halts, and looks before anything else", async () => {
    const world = newWorld();
    let isBlind = false;
    const p = product(world, {
      around: (ports) => {
        const broken = writing(lost)(ports);
        return {
          ...broken,
          write: async (...args) => {
            isBlind = true;
            return broken.write(...args);
          },
          read: async (...args) => {
            if (isBlind)
              throw new FaultError({ kind: "unreachable", what: "list of configmaps", detail: "no route" });
            return broken.read(...args);
          },
        };
      },
    });
    await start(p);
    await approve(p);
    expect(p.message().verdict).toMatchObject({ word: "STOPPED", outcome: "unknown" });
    expect(why(p)).toContain(
      "create ConfigMap toy/one had started, and it cannot be seen whether it was done",
    );
    expect(head(await p.ask("olive", "migrate skip pair --reason x"))).toContain(
      "not known whether it was done",
    );
    isBlind = false;
    const retried = p.ask("olive", "migrate retry");
    await retried;
    const events = (await world.ledger.read("run/R-1")).map((event) => readRunEvent(event).event);
    expect(events.filter((e) => e.type === "deed-done" && e.deed === "make-one")).toMatchObject([
      { seen: "looked" },
    ]);
  });

  it("somebody puts it back: the second look finds it", async () => {
    const world = newWorld();
    const p = product(world);
    await toChange(p);
    await approve(p);
    world.store.mergePatch("configmaps", "toy", "setting", { data: { way: "bgp" } });
    await world.clock.advance(181_000);
    await p.tend();
    expect(p.message().verdict.word).toBe("STOPPED");
    expect(why(p)).toContain(
      "it held at first and no longer does, so somebody (GitOps, an operator) has put it back",
    );
    expect((p.message().next ?? []).map(plain).join()).toContain("Change it at its source or pause its sync");
  });

  it("what blocks a step, and what cannot be looked at", async () => {
    const world = newWorld();
    let isBlind = false;
    const p = product(world, {
      around: (ports) => ({
        ...ports,
        read: async (...args) => {
          if (isBlind) throw new FaultError({ kind: "timed-out", what: "list of configmaps", detail: "5 s" });
          return ports.read(...args);
        },
      }),
    });
    await start(p);
    await approve(p);
    world.store.remove("configmaps", "toy", "one");
    await p.press("olive", "run-done", "R-1");
    expect(why(p)).toContain("not ready: map one is not there");
    isBlind = true;
    await p.ask("olive", "migrate retry");
    expect(p.message().verdict).toMatchObject({ word: "STOPPED", outcome: "unknown" });
    expect(why(p)).toContain("could not look at list of configmaps: 5 s");
  });
});

describe("after a restart", () => {
  it("says so first, looks at what had started, and begins nothing that nobody approved", async () => {
    const world = newWorld();
    let dead = false;
    const dying = (ports: ClusterPorts): ClusterPorts => ({
      ...ports,
      write: async (...args) => {
        await ports.write(...args);
        dead = true;
        return new Promise(() => {});
      },
    });
    // Its time stands still once it is dead: no time-out of it ever fires.
    const clock = { ...world.clock, sleep: () => new Promise<void>(() => {}) };
    const first = product({ ...world, clock }, { around: dying });
    await start(first);
    first.pressAsync("vera", "run-approve", first.button("run-approve")).catch(() => {});
    while (!dead) await new Promise((resolve) => setImmediate(resolve));
    await world.clock.advance(9_000);
    world.board?.puts.splice(0);
    // Another ledger handle: nothing of the dead process is left in this one.
    const second = product({ ...world, ledger: { ...world.ledger } });
    await second.resume();
    expect(head(world.board?.puts[0] ?? second.message())).toBe(
      "RESTARTED: bot restarted 14:00 UTC, step 2 had started: looking at what is true",
    );
    expect(head(second.message())).toContain("step 3 of 8 waits for a person");
    expect(Object.keys(contents(world.store)).sort()).toEqual(["old", "one", "setting", "two"]);
    const events = (await world.ledger.read("run/R-1")).map((event) => readRunEvent(event).event);
    expect(events.filter((e) => e.type === "deed-done").map((e) => [e.deed, e.seen])).toEqual([
      ["make-one", "looked"],
      ["make-two", "performed"],
    ]);
  });

  it("looks again by itself at what could not be seen, says what came of it, and waits", async () => {
    const world = newWorld();
    let isAway = false;
    const p = product(world, {
      around: (ports) => ({
        ...ports,
        write: async (...given) => {
          const result = await ports.write(...given);
          if (given[1]?.dryRun === true) return result;
          isAway = true;
          throw new FaultError({ kind: "timed-out", what: "create of configmaps", detail: "no answer" });
        },
        read: (...given) =>
          isAway
            ? Promise.reject(new FaultError({ kind: "unreachable", what: "API", detail: "refused" }))
            : ports.read(...given),
      }),
    });
    await start(p);
    await approve(p);
    expect((await p.state())?.halted?.code).toBe("unseen");
    expect(plain(p.message().why ?? [])).toContain(
      "It is not known whether this was done: create ConfigMap toy/one.",
    );
    await world.clock.advance(130_000);
    await p.tend();
    expect((await p.state())?.halted?.code).toBe("unseen");
    isAway = false;
    await p.tend();
    const state = await p.state();
    expect(state?.halted?.code).toBe("late");
    expect(plain(p.message().why ?? [])).toContain("it has been looked at since: it was done");
    expect(plain(p.message().why ?? [])).not.toContain("not known");
    expect(Object.keys(contents(world.store))).not.toContain("two");
    await p.tend();
    expect((await p.state())?.version).toBe(state?.version);
  });

  it("leaves a run alone that waits for a person", async () => {
    const world = newWorld();
    await start(product(world));
    const before = await world.ledger.read("run/R-1");
    const second = product(world);
    await second.resume();
    await second.tend();
    expect(await world.ledger.read("run/R-1")).toEqual(before);
  });
});

describe("busy", () => {
  it("names who holds the cluster, with what, since when; what was approved runs once it is free", async () => {
    const world = newWorld();
    const p = product(world);
    await start(p);
    const name = leaseName({ run: "R-9", what: "drill", by: "oscar", since: began }, "x");
    await world.ledger.lease("toy", name, 60_000);
    const reply = await approve(p);
    expect(reply.verdict.outcome).toBe("busy");
    expect(head(reply)).toBe(
      "Busy: R-9 (drill, @oscar) holds toy since 14:00 UTC. Reading still works; changes wait.",
    );
    expect(Object.keys(contents(world.store))).not.toContain("one");
    await world.clock.advance(130_000);
    await p.tend();
    expect(head(p.message())).toContain("step 3 of 8");
  });
});

describe("the record", () => {
  it("lists runs and tells one event by event, also without a right to act", async () => {
    const p = product(newWorld());
    await start(p);
    expect(drawn(await p.ask("guest", "migrate history"))).toMatch(
      /R-1 +toy +2026-11-23 14:00 UTC +@olive +open/,
    );
    const one = drawn(await p.ask("guest", "migrate history R-1"), 200);
    expect(one).toMatch(/2026-11-23T14:00:00Z {2}approval-asked {2}pair {2}digest 4962/);
    expect(began).toBe(Date.UTC(2026, 10, 23, 14));
  });

  it("a button of another kind of value does nothing", async () => {
    const p = product(newWorld());
    await start(p);
    for (const value of ["", "R-1; migrate abort", "R-9", "toy"])
      expect(head(await p.press("olive", "run-abort", value))).toContain("older message");
    expect((await p.state())?.ended).toBeUndefined();
  });

  it("without a board the answer is the message, with its thread", async () => {
    const p = product(newWorld(false));
    const reply = await start(p);
    expect(reply.actions.map(({ id }) => id)).toEqual(["run-approve", "run-hold", "run-abort"]);
    expect(drawn(reply)).toContain("PLAN  step 2, Create two maps: plan 4962");
  });
});
