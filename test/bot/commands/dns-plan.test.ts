import { afterEach, describe, expect, it } from "vitest";
import { createPlanTender } from "#bot/dns/tend-plans.ts";
import { appendToPlan, readPlan } from "#shared/drift/plan-stream.ts";
import { FaultError } from "#shared/fault.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { Reply } from "#shared/reply.ts";
import { dangling, dnsSite, ownerText, recordSet, said, shown } from "./dns-site.ts";

const open: ReturnType<typeof dnsSite>[] = [];

/** The site with one ownership record that only we clean up. */
function site(options: Parameters<typeof dnsSite>[0] = {}) {
  const made = dnsSite(options);
  open.push(made);
  made.twin.zones.edit(made.hellholt, [{ action: "CREATE", set: dangling }]);
  return made;
}

afterEach(() => {
  for (const each of open.splice(0)) each.twin.stop();
});

const planned = async (
  on: ReturnType<typeof dnsSite>,
): Promise<Readonly<{ id: string; message: Reply; approve: string }>> => {
  const reply = await on.ask("operator", "dns plan hellholt.net");
  const { plan: id } = reply.data as { plan: string };
  const message = on.board?.standing.get(`plan/${id}`) ?? reply;
  const approve = message.actions.find((action) => action.id === "drift-approve")?.value ?? "";
  return { id, message, approve };
};

const standing = (on: ReturnType<typeof dnsSite>, id: string): Reply => {
  const reply = on.board?.standing.get(`plan/${id}`);
  if (reply === undefined) throw new Error(`no message of ${id}`);
  return reply;
};

describe("from check to done", () => {
  it("is checked, planned, approved by somebody else, applied, told and found done", async () => {
    const on = site();
    const check = await on.ask("operator", "dns check hellholt.net");
    expect(said(check)).toContain("1 difference");
    expect(said(check)).toContain("1 is ours to fix");
    expect(said(check)).toContain("/dns plan hellholt.net");

    const { id, message, approve } = await planned(on);
    expect(id).toMatch(/^P-[0-9a-f]{8}$/);
    expect(said(message)).toContain("waits for @approver until 14:30 UTC");
    expect(said(message)).toContain("DELETE a-gone.hellholt.net TXT");
    expect(said(message)).toContain("CREATE a-gone.hellholt.net TXT");
    expect(message.actions.map(({ label }) => label)).toEqual(["Approve and apply", "Withdraw"]);
    expect(on.records()).toContain("a-gone.hellholt.net TXT");

    const before = on.twin.zones.recordSets(on.hellholt).filter(({ name }) => name !== dangling.name);
    const applied = await on.press("approver", "drift-approve", approve);
    expect(applied.verdict.word).toBe("APPLIED");
    expect(on.invoked).toEqual([id]);
    expect(on.twin.zones.recordSets(on.hellholt)).toEqual(before);
    const edited = standing(on, id);
    expect(edited.verdict.word).toBe("APPLIED");
    expect(said(edited)).toMatch(/Asked by @operator, approved by @approver at 14:0\d UTC/);
    expect(edited.actions.map(({ id: action }) => action)).toEqual(["drift-undo"]);

    const again = await on.ask("operator", "dns plan hellholt.net");
    expect(again.verdict.word).toBe("NOTHING TO DO");
  });

  it("goes back the same way, with its own plan and its own approval", async () => {
    const on = site();
    const first = await planned(on);
    await on.press("approver", "drift-approve", first.approve);
    expect(on.records()).not.toContain("a-gone.hellholt.net TXT");
    const undo = await on.press("operator", "drift-undo", first.id);
    const { plan: id, digest } = undo.data as { plan: string; digest: string };
    expect(id).not.toBe(first.id);
    expect(said(standing(on, id))).toContain("we will put back what the plan deleted");
    const done = await on.press("approver", "drift-approve", `${id} ${digest}`);
    expect(done.verdict.word).toBe("APPLIED");
    const back = on.twin.zones.recordSets(on.hellholt).find(({ name }) => name === dangling.name);
    expect(back).toEqual(dangling);
  });

  it("asks once: a second plan of the same is the same request", async () => {
    const on = site();
    const first = await planned(on);
    const events = (await on.ledger.read(`plan/${first.id}`)).length;
    await on.clock.advance(60_000);
    const second = await planned(on);
    expect(second.id).toBe(first.id);
    expect(await on.ledger.read(`plan/${first.id}`)).toHaveLength(events);
  });

  it("asks anew, in a message of its own, for the same that was applied or withdrawn before", async () => {
    const on = site();
    const first = await planned(on);
    await on.press("approver", "drift-approve", first.approve);
    on.twin.zones.edit(on.hellholt, [{ action: "CREATE", set: dangling }]);
    const second = await planned(on);
    expect(second.id).not.toBe(first.id);
    expect(standing(on, first.id).verdict.word).toBe("APPLIED");
    await on.ask("operator", `dns withdraw ${second.id}`);
    const third = await planned(on);
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    // The approval of the first is none of the third.
    const replayed = await on.press("approver", "drift-approve", first.approve);
    expect(said(replayed)).toContain("has ended");
    expect((await on.press("approver", "drift-approve", third.approve)).verdict.word).toBe("APPLIED");
    expect(on.records()).not.toContain("a-gone.hellholt.net TXT");
  });

  it("gives a large plan to its thread as a file", async () => {
    const on = site();
    on.twin.zones.edit(
      on.hellholt,
      Array.from({ length: 25 }, (_, i) => ({
        action: "CREATE" as const,
        set: recordSet(`a-old${i}.hellholt.net`, "TXT", [ownerText(`service/old/old${i}`)]),
      })),
    );
    const { id } = await planned(on);
    expect(JSON.parse(on.board?.files.get(`${id}.json`) ?? "null")).toMatchObject({ format: 1 });
  });

  it("makes one plan a zone, and none at all where nothing is ours to do", async () => {
    const on = dnsSite();
    open.push(on);
    const reply = await on.ask("operator", "dns plan");
    expect(reply.verdict).toMatchObject({ word: "NOTHING TO DO", outcome: "ok" });
    expect(said(reply)).toContain("no ExternalDNS looks at it");
    expect(await on.ledger.list("plan")).toEqual([]);
  });
});

describe("refusals", () => {
  it("of an operator who is no approver", async () => {
    const on = site();
    const { approve } = await planned(on);
    const reply = await on.press("operator", "drift-approve", approve);
    expect(said(reply)).toContain("needs approver");
    expect(on.invoked).toEqual([]);
  });

  it("of one's own request, also where approvals are self", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    const state = await readPlan(on.ledger, id);
    if (state === undefined) throw new Error("no plan");
    await appendToPlan(on.ledger, state, {
      type: "requested",
      digest: state.plan.digest,
      requester: "approver",
      until: on.clock.now() + 60_000,
    });
    const reply = await on.press("approver", "drift-approve", approve);
    expect(said(reply)).toContain("you asked for plan");
    expect(on.invoked).toEqual([]);
  });

  it("of a digest that is not the plan's", async () => {
    const on = site();
    const { id } = await planned(on);
    const reply = await on.ask("approver", `dns apply ${id} ${"0".repeat(64)}`);
    expect(said(reply)).toContain("that approval was for plan 0000");
    expect(on.invoked).toEqual([]);
  });

  it("of a request that ran out, which a fresh plan opens again", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    await on.clock.advance(31 * 60_000);
    const reply = await on.press("approver", "drift-approve", approve);
    expect(said(reply)).toContain("ran out at 14:30 UTC");
    expect(on.invoked).toEqual([]);
    expect((await on.ask("operator", `dns plan ${id}`)).verdict.word).toBe("EXPIRED");
    const again = await planned(on);
    expect((await on.press("approver", "drift-approve", again.approve)).verdict.word).toBe("APPLIED");
  });

  it("of what was withdrawn", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    expect((await on.press("operator", "drift-withdraw", id)).verdict.word).toBe("WITHDRAWN");
    const reply = await on.press("approver", "drift-approve", approve);
    expect(said(reply)).toContain("nothing waits for an approval here");
    expect(on.invoked).toEqual([]);
  });

  it("of a second press, while it is approved and after its end", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    const state = await readPlan(on.ledger, id);
    if (state === undefined) throw new Error("no plan");
    await appendToPlan(on.ledger, state, { type: "approved", digest: state.plan.digest, by: "approver" });
    const twice = await on.press("approver", "drift-approve", approve);
    expect(said(twice)).toContain("it needs no second approval");
    expect(on.invoked).toEqual([]);
    // Typed without a digest it asks the writer about what was approved.
    expect((await on.ask("approver", `dns apply ${id}`)).verdict.word).toBe("APPLIED");
    const after = await on.press("approver", "drift-approve", approve);
    expect(said(after)).toContain("has ended");
    expect(on.invoked).toEqual([id]);
  });

  it("where the cluster wants something else by now, before anybody's approval is written", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    const ports = on.deps.clusters.get("goldentooth");
    const { services } = (await ports?.read(["services"])) ?? {};
    const gitea = (services as readonly KubeObject[]).find(({ metadata }) => metadata.name === "gitea-http");
    const { uid = "", namespace = "" } = gitea?.metadata ?? {};
    await ports?.write({
      verb: "patch",
      ref: { kind: "services", namespace, name: "gitea-http" },
      is: { uid },
      patch: {
        metadata: { annotations: { "external-dns.alpha.kubernetes.io/hostname": "git.hellholt.net" } },
      },
    });
    const reply = await on.press("approver", "drift-approve", approve);
    expect(said(reply)).toContain("the cluster wants something else now");
    expect((await readPlan(on.ledger, id))?.approvals).toEqual([]);
  });

  it("of a plan nobody made, and of words that are none", async () => {
    const on = site();
    expect(said(await on.ask("approver", "dns apply P-00000000"))).toContain("there is no plan P-00000000");
    expect((await on.ask("approver", "dns apply 5d02")).verdict.outcome).toBe("usage");
    expect(said(await on.press("approver", "drift-approve", "rm -rf /"))).toContain("older message");
    expect(said(await on.press("approver", "drift-plan", "P-00000000"))).toContain("older message");
  });

  it("in a terminal: a real zone is approved in Slack", async () => {
    const on = site();
    const { id } = await planned(on);
    expect(said(await on.ask("approver", `dns apply ${id}`, "console"))).toContain("approved in Slack");
    const elsewhere = said(await on.ask("approver", `dns apply ${id}`, "cli"));
    expect(elsewhere).toContain("works only in");
    expect(elsewhere).toContain("There: /dns apply P-ID");
    expect(on.invoked).toEqual([]);
  });

  it("without a writer: it says what is missing and offers nothing to press", async () => {
    const on = site({ hasWriter: false });
    const { id, message } = await planned(on);
    expect(said(message)).toContain("we will not apply it: aws.applyFunction is not configured");
    expect(message.actions.map(({ id: action }) => action)).toEqual(["drift-withdraw"]);
    const reply = await on.ask("approver", `dns apply ${id}`);
    expect(said(reply)).toContain("we cannot apply");
    expect((await readPlan(on.ledger, id))?.approvals).toEqual([]);
  });

  it("by the writer, told as its word", async () => {
    const on = site();
    const { approve } = await planned(on);
    Object.assign(on.deps, {
      applyPlan: async (plan: string) => {
        const state = await readPlan(on.ledger, plan);
        if (state === undefined) throw new Error("no plan");
        await appendToPlan(on.ledger, state, {
          type: "refused",
          because: "not-an-approver",
          text: "approver may not",
        });
        return { state: "refused" };
      },
    });
    const reply = await on.press("approver", "drift-approve", approve);
    expect(reply.verdict).toMatchObject({ word: "REFUSED", outcome: "denied" });
    expect(said(reply)).toContain("approver may not");
  });
});

const timedOut = new FaultError({ kind: "timed-out", what: "function apply", detail: "no answer in 910 s" });

describe("when the writer gives no answer", () => {
  it("says that nothing is known to have begun, and asking again does it", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    Object.assign(on.deps, { applyPlan: () => Promise.reject(timedOut) });
    const reply = await on.press("approver", "drift-approve", approve);
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(said(reply)).toContain("no answer in 910 s");
    expect(said(reply)).toContain("nothing is known to have changed");
    Object.assign(on.deps, { applyPlan: on.write });
    expect((await on.ask("approver", `dns apply ${id}`)).verdict.word).toBe("APPLIED");
  });

  it("reads the plan's stream: what was done is told though the answer was lost", async () => {
    const on = site();
    const { approve } = await planned(on);
    Object.assign(on.deps, {
      applyPlan: async (plan: string) => {
        await on.write(plan);
        throw timedOut;
      },
    });
    const reply = await on.press("approver", "drift-approve", approve);
    expect(reply.verdict.word).toBe("APPLIED");
    expect(said(reply)).not.toContain("910 s");
  });

  it("half way says how far it came", async () => {
    const on = site();
    const { approve } = await planned(on);
    Object.assign(on.deps, {
      applyPlan: async (plan: string) => {
        const state = await readPlan(on.ledger, plan);
        if (state === undefined) throw new Error("no plan");
        await appendToPlan(on.ledger, state, { type: "began", invocation: "i", approver: "approver" });
        throw timedOut;
      },
    });
    const reply = await on.press("approver", "drift-approve", approve);
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(said(reply)).toContain("0 of 1 batch in the zone");
    expect(said(reply)).toContain("no end is written down yet");
  });

  it("any other error is a fault of ours, not an answer", async () => {
    const on = site();
    const { approve } = await planned(on);
    Object.assign(on.deps, { applyPlan: () => Promise.reject(new Error("a bug")) });
    expect((await on.press("approver", "drift-approve", approve)).verdict.outcome).toBe("fault");
  });
});

describe("messages of plans that nobody asks about", () => {
  const tended = (on: ReturnType<typeof dnsSite>) => {
    const tender = createPlanTender(on.deps, () => {});
    return () => on.clock.runUntil(tender.once());
  };

  it("lose their buttons when the request runs out", async () => {
    const on = site();
    const { id } = await planned(on);
    const tend = tended(on);
    await tend();
    expect(standing(on, id).verdict.word).toBe("PLAN");
    await on.clock.advance(31 * 60_000);
    await tend();
    expect(standing(on, id)).toMatchObject({ verdict: { word: "EXPIRED" }, actions: [] });
  });

  it("say how it ended when the writer ends after its answer was lost", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    const tend = tended(on);
    await tend();
    Object.assign(on.deps, { applyPlan: () => Promise.reject(timedOut) });
    await on.press("approver", "drift-approve", approve);
    expect(standing(on, id).verdict.word).toBe("UNKNOWN");
    await on.clock.runUntil(on.write(id));
    await tend();
    expect(standing(on, id).verdict.word).toBe("APPLIED");
  });

  it("ask once for a scan when a plan has ended, and blame no restart for one that began since", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    let asked = 0;
    const { once } = createPlanTender(
      on.deps,
      () => {},
      async () => {
        asked += 1;
      },
    );
    await on.clock.advance(1_000);
    Object.assign(on.deps, { applyPlan: () => Promise.reject(timedOut) });
    await on.press("approver", "drift-approve", approve);
    const before = standing(on, id);
    await once();
    expect(standing(on, id)).toBe(before);
    expect(asked).toBe(0);
    await on.clock.runUntil(on.write(id));
    await once();
    await once();
    expect(standing(on, id).verdict.word).toBe("APPLIED");
    expect(asked).toBe(1);
  });

  it("ask a writer that was killed again after a while, until it has ended, and say so", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    const tend = tended(on);
    await tend();
    Object.assign(on.deps, { applyPlan: () => Promise.reject(timedOut) });
    await on.press("approver", "drift-approve", approve);
    expect(standing(on, id).verdict.word).toBe("UNKNOWN");
    Object.assign(on.deps, { applyPlan: on.write });
    const before = on.invoked.length;
    await tend();
    await on.clock.advance(60_000);
    await tend();
    expect(on.invoked).toHaveLength(before);
    await on.clock.advance(70_000);
    await tend();
    expect(on.invoked).toHaveLength(before + 1);
    await on.clock.advance(200_000);
    await tend();
    expect(standing(on, id).verdict.word).toBe("APPLIED");
    expect(on.records()).not.toContain("a-gone.hellholt.net TXT");
    await on.clock.advance(3_600_000);
    await tend();
    expect(on.invoked).toHaveLength(before + 1);
  });

  it("take up after a restart what was approved and never reached the writer", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    const { promise: killed } = Promise.withResolvers<never>();
    Object.assign(on.deps, { applyPlan: () => killed });
    void on.press("approver", "drift-approve", approve).catch(() => {});
    await on.clock.advance(10_000);
    Object.assign(on.deps, { applyPlan: on.write });
    const tend = tended(on);
    await tend();
    expect(said(standing(on, id))).toContain("asks the writer again");
    await on.clock.advance(130_000);
    await tend();
    await on.clock.advance(200_000);
    await tend();
    expect(standing(on, id).verdict.word).toBe("APPLIED");
  });

  it("ask a bounded number of times, never twice at once, and then leave it to people", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    const tend = tended(on);
    let asked = 0;
    let open = 0;
    let most = 0;
    const applyPlan = async (): Promise<never> => {
      asked += 1;
      open += 1;
      most = Math.max(most, open);
      await on.clock.sleep(180_000);
      open -= 1;
      throw timedOut;
    };
    Object.assign(on.deps, { applyPlan });
    await on.press("approver", "drift-approve", approve);
    const before = asked;
    for (let minute = 0; minute < 180; minute += 1) {
      await on.clock.advance(60_000);
      await tend();
    }
    expect(asked - before).toBe(5);
    expect(most).toBe(1);
    expect(said(standing(on, id))).toContain("asked 5 times again");
    expect(said(standing(on, id))).toContain(`/dns apply ${id}`);
  });

  it("say after a restart what was under way, and are left alone after a day", async () => {
    const on = site();
    const { id, approve } = await planned(on);
    Object.assign(on.deps, { applyPlan: () => Promise.reject(timedOut) });
    await on.press("approver", "drift-approve", approve);
    on.board?.standing.clear();
    await tended(on)();
    expect(said(standing(on, id))).toContain("The bot was restarted meanwhile");
    on.board?.standing.clear();
    await on.clock.advance(25 * 3_600_000);
    await tended(on)();
    expect(on.board?.standing.size).toBe(0);
  });
});

describe("undo", () => {
  it("of what never was in the zone is refused", async () => {
    const on = site();
    const { id } = await planned(on);
    expect(said(await on.ask("operator", `dns undo ${id}`))).toContain("there is nothing to take back");
  });
});

describe("every message", () => {
  it("fits 40 and 80 columns and says who will do what", async () => {
    const on = site();
    const { id, message, approve } = await planned(on);
    const applied = await on.press("approver", "drift-approve", approve);
    for (const reply of [message, applied, standing(on, id)])
      for (const columns of [40, 80]) {
        const long = shown(reply, columns)
          .split("\n")
          .filter((line) => line.length > columns);
        expect(long).toEqual([]);
      }
    expect(said(message)).toMatch(/we will/i);
  });
});
