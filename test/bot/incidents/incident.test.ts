import { describe, expect, it } from "vitest";
import type { Deps } from "#bot/commands/command.ts";
import { resumeIncidents, tendIncidentsOnce } from "#bot/incidents/resume.ts";
import { openIncidents, readIncident } from "#shared/incidents/incident-log.ts";
import { plain } from "#shared/text.ts";
import { broken, fault, healthy, newWorld, product, shown, verdictOf } from "./incident-product.ts";

const never = new AbortController().signal;

describe("an incident from its opening to its end", () => {
  it("is opened, diagnosed and told in one message with the evidence in its thread", async () => {
    const world = newWorld();
    const bot = product(world);
    const answer = await bot.ask("olive", "runbook run toy-unreachable httpbin");
    expect(verdictOf(answer)).toBe(
      "BROKEN I-1 · toy-unreachable httpbin is open: its message says what was found, its thread why",
    );
    const message = bot.message();
    expect(verdictOf(message)).toBe(
      "BROKEN httpbin 10.4.11.1 · no endpoint of httpbin is ready, so nothing answers behind 10.4.11.1",
    );
    expect(message.cluster).toBe("toy");
    expect(plain(message.why ?? [])).toBe("I-1 @olive has it since 14:00 UTC. Seen at 14:00 UTC.");
    expect(message.actions.map(({ label }) => label)).toEqual(["Diagnose again", "Show the plan", "Close"]);
    expect(shown(message)).toMatch(/done {4}1 Find the first broken link/);
    expect(shown(message)).toMatch(/waits {3}2 Cure it/);
    expect(message.next?.map(plain).slice(-2)).toEqual([
      "Now: Do what the diagnosis says",
      "When that is done: /runbook next I-1",
    ]);
    expect(bot.notes()).toEqual(["look/1"]);
    const note = shown(bot.told.notes.get("incident/I-1 look/1") as never);
    expect(note).toMatch(/✗ BROKEN +Endpoints are ready: 0 of 2 are ready/);
    expect(note).toMatch(/httpbin-abc/);
    expect(note).toMatch(/ops-host \(lan-wired\) +connection refused/);
  });

  it("puts the path as a picture into its thread, and below the answer to who may open none", async () => {
    const png = Uint8Array.of(1);
    const around = (deps: Deps): Deps => ({ ...deps, drawPng: async () => png });
    const bot = product(newWorld(), { around });
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    const note = bot.told.notes.get("incident/I-1 look/1");
    const answer = await bot.ask("vera", "runbook run toy-unreachable httpbin");
    for (const reply of [note, answer])
      expect(reply?.blocks.at(-1)).toMatchObject({
        kind: "image",
        title: expect.stringMatching(/^toy: path of httpbin/),
        png,
      });
  });

  it("goes on when a person says so, looks again, and is closed with its duration", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    world.truth = () => healthy;
    await world.clock.advance(60_000);
    const answer = await bot.ask("olive", 'runbook done I-1 --said "restarted the pods"');
    expect(verdictOf(answer)).toBe("OK I-1 · Cure it: on record as done");
    expect(verdictOf(bot.message())).toBe("OK httpbin 10.4.11.1 · httpbin answers from ops-host in 12 ms");
    expect(shown(bot.message())).toMatch(/@olive 14:01 UTC: restarted the pods/);
    expect(bot.notes()).toEqual(["look/1", "look/2"]);
    const closed = await bot.ask("olive", 'runbook close --reason "pods are back"');
    expect(verdictOf(closed)).toBe("CLOSED I-1 · closed; the record: /runbook export I-1");
    expect(verdictOf(bot.message())).toBe(
      "CLOSED toy-unreachable httpbin · open for 1:06, until 2026-11-23 14:01 UTC",
    );
    expect(plain(bot.message().why ?? [])).toMatch(/^I-1 Closed by @olive: pods are back\./);
    expect(await openIncidents(world.ledger, "toy")).toEqual([]);
    const again = await bot.ask("olive", "runbook next I-1");
    expect(verdictOf(again)).toBe("Refused I-1 is closed. Nothing was changed.");
    expect((await bot.ask("olive", "runbook reopen I-1")).verdict.outcome).toBe("ok");
    expect((await openIncidents(world.ledger, "toy")).map(({ id }) => id)).toEqual(["I-1"]);
  });

  it("asks again about the same: the open one is looked at again, and nothing second is opened", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    const answer = await bot.ask("oscar", "runbook run toy-unreachable httpbin");
    expect(verdictOf(answer)).toBe(
      "BROKEN I-1 · was opened about this by @olive before, and is looked at again",
    );
    expect(world.looks).toBe(2);
    expect((await openIncidents(world.ledger, "toy")).length).toBe(1);
  });

  it("keeps several open at once, and asks which one is meant", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    await bot.ask("olive", "runbook run power-loss");
    expect(shown(await bot.ask("olive", "runbook next"))).toMatch(/2 incidents are open on toy; which one/);
    const status = shown(await bot.ask("vera", "runbook status"));
    expect(status).toMatch(/I-2 +power-loss +-? +@?olive/);
    expect(status).toMatch(/I-1 +toy-unreachable httpbin +cause +@olive/);
    await bot.ask("olive", "runbook next I-2");
    expect(shown(bot.message("I-2"))).toMatch(/step 2 of 2 waits for a person: Start the nodes/);
  });

  it("opens nothing for a word that names nothing", async () => {
    const bot = product(newWorld());
    const answer = await bot.ask("olive", "runbook run toy-unreachable htpbin");
    expect(answer.verdict.outcome).toBe("usage");
    expect(shown(answer)).toMatch(/no service htpbin on toy[\s\S]*Nearest: httpbin/);
    expect(bot.told.puts).toEqual([]);
    expect(bot.notes()).toEqual([]);
    // Also a later start does not tell of it.
    await resumeIncidents(bot.deps, { signal: never, log: bot.log });
    expect(bot.told.puts).toEqual([]);
  });

  it("says what could not be looked at, and never that all is well", async () => {
    const world = newWorld();
    world.truth = () => fault();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    expect(verdictOf(bot.message())).toBe(
      "UNKNOWN toy-unreachable httpbin could not be diagnosed: Kubernetes API: no answer in 5 s",
    );
    expect(shown(bot.message())).toMatch(/UNKNOWN +1 Find/);
    world.truth = () => broken();
    await bot.press("olive", "incident-diagnose", "I-1");
    expect(bot.message().verdict.word).toBe("BROKEN");
  });

  it("names a mistake of its own by the id under which the log has it", async () => {
    const world = newWorld();
    world.truth = () => {
      throw new TypeError("x is not a function");
    };
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    expect(verdictOf(bot.message())).toMatch(/this program made a mistake; the log has it as q-\d+/);
    expect(JSON.stringify(bot.logged)).toMatch(/x is not a function/);
  });

  it("gives a diagnosis up that never comes back, and says after how long", async () => {
    const world = newWorld();
    world.takesMs = 10 * 60_000;
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    expect(verdictOf(bot.message())).toMatch(/no answer in 60 s/);
  });
});

describe("who may", () => {
  it("lets everybody who may look diagnose, and only operators open", async () => {
    const world = newWorld();
    const bot = product(world);
    const answer = await bot.ask("vera", "runbook run toy-unreachable httpbin");
    expect(answer.verdict.word).toBe("BROKEN");
    expect(shown(answer)).toMatch(/looked at for you alone/);
    expect(await openIncidents(world.ledger, "toy")).toEqual([]);
    for (const words of [
      "take I-1",
      "next I-1",
      "done I-1",
      "skip cure --reason x",
      "handover @olive",
      "close I-1",
      "reopen I-1",
      "link R-1",
    ]) {
      const denied = await bot.ask("vera", `runbook ${words}`);
      expect(denied.verdict.outcome).toBe("denied");
      expect(shown(denied)).toMatch(/needs operator\. @olive and @oscar can/);
    }
    const stranger = await bot.ask("stranger", "runbook run toy-unreachable httpbin");
    expect(stranger.verdict.outcome).toBe("denied");
  });
});

describe("words that do not fit", () => {
  it.each([
    ["runbook run toy-unreachabl httpbin", /Nearest: toy-unreachable/],
    ["runbook run toy-unreachable", /needs SERVICE[\s\S]*\/runbook run toy-unreachable httpbin/],
    ["runbook run toy-unreachable a b", /takes one word, and was given 2/],
    ["runbook run power-loss now", /takes no argument/],
    ["runbook show nothing", /Runbooks: toy-unreachable, power-loss/],
    ["runbook status I-9", /there is no incident I-9/],
    ["runbook status 9", /INCIDENT must be an incident such as I-7/],
    ["runbook next", /no incident is open on toy/],
    ["runbook rn", /Nearest/],
  ])("%s", async (words, expected) => {
    const answer = await product(newWorld()).ask("olive", words);
    expect(answer.verdict.outcome).toBe("usage");
    expect(shown(answer)).toMatch(expected);
  });

  it("lists and shows what there is", async () => {
    const bot = product(newWorld());
    expect(shown(await bot.ask("vera", "runbook list"))).toMatch(
      /2 runbooks for on-call, 1 of them this site's own[\s\S]*power-loss \(site\)/,
    );
    const one = shown(await bot.ask("vera", "runbook show toy-unreachable"));
    expect(one).toMatch(/cure +Cure it +Do what the diagnosis says \(the thread asks after 600 s\)/);
    expect(one).toMatch(/It can find: no-ready-endpoint/);
  });
});

describe("who has it", () => {
  it("is always in the message: opened, taken over, handed over", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    const refused = await bot.ask("oscar", "runbook take I-1");
    expect(verdictOf(refused)).toBe("Refused @olive has I-1 since 14:00 UTC. Nothing was changed.");
    await world.clock.advance(60_000);
    await bot.ask("oscar", "runbook take I-1 --over");
    expect(plain(bot.message().why ?? [])).toMatch(/^I-1 @oscar has it since 14:01 UTC, from @olive\./);
    expect(verdictOf(await bot.ask("oscar", "runbook take I-1"))).toMatch(/you have it since 14:01/);
    await bot.ask("oscar", "runbook handover <@U0VERA>");
    expect(plain(bot.message().why ?? [])).toMatch(/^I-1 @vera has it/);
    const note = bot.told.notes.get("incident/I-1 handover/5");
    expect(note?.verdict.text).toContainEqual({ person: { name: "vera", slack: "U0VERA" } });
    expect(shown(await bot.ask("oscar", "runbook handover I-1 @olve"))).toMatch(
      /knows nobody called @olve\. Nearest: @olive/,
    );
    expect(verdictOf(await bot.ask("oscar", "runbook handover I-1 @vera"))).toMatch(/@vera has it since/);
  });
});

describe("steps", () => {
  it("are left out with a reason, by id or number, once", async () => {
    const bot = product(newWorld());
    await bot.ask("olive", "runbook run power-loss");
    expect(shown(await bot.ask("olive", "runbook skip nothing --reason x"))).toMatch(
      /has no step nothing[\s\S]*1 ups, 2 start/,
    );
    await bot.ask("olive", 'runbook skip 1 --reason "nobody is there"');
    expect(shown(bot.message())).toMatch(
      /skipped 1 Look at the UPS +left out by @olive 14:00 UTC: nobody is there/,
    );
    expect(verdictOf(await bot.ask("olive", "runbook skip ups --reason x"))).toMatch(
      /is left out since 14:00/,
    );
    await bot.ask("olive", "runbook next");
    expect(shown(bot.message())).toMatch(/Nothing is left to do: \/runbook close I-1/);
    expect(verdictOf(await bot.ask("olive", "runbook next"))).toMatch(
      /every step of I-1 is done or left out/,
    );
  });

  it("two people who say it at once mean the same step", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run power-loss");
    const [one, other] = await world.clock.runUntil(
      Promise.all([bot.start("olive", "runbook next I-1"), bot.start("oscar", "runbook next I-1")]),
    );
    expect([one.verdict.outcome, other.verdict.outcome].toSorted()).toEqual(["denied", "info"]);
    expect(shown(one.verdict.outcome === "denied" ? one : other)).toMatch(
      /step 1, Look at the UPS, was ended just now by @o\w+; the next is 2, Start the nodes/,
    );
    const state = await readIncident(world.ledger, "I-1");
    expect(state?.steps.map(({ status }) => status)).toEqual(["done", "pending"]);
  });
});

describe("a step that nobody seems to be at", () => {
  it("is asked about in the thread after its time-out, later after twice as long, and halts nothing", async () => {
    const world = newWorld();
    const bot = product(world);
    const tend = () => tendIncidentsOnce(bot.deps, { signal: never, log: bot.log });
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    await world.clock.advance(590_000);
    await tend();
    expect(bot.notes()).toEqual(["look/1"]);
    await world.clock.advance(20_000);
    await tend();
    await tend();
    const [, nudge = ""] = bot.notes();
    expect(bot.notes().length).toBe(2);
    const said = shown(bot.told.notes.get(`incident/I-1 ${nudge}`) as never);
    expect(said).toMatch(/is anybody at step 2 of I-1, Cure it\? It waits since 14:00 UTC/);
    expect(said).toMatch(/@olive has it since 14:00 UTC/);
    expect(shown(bot.message())).toMatch(/asked in the thread at 14:10 UTC/);
    await world.clock.advance(1_100_000);
    await tend();
    expect(bot.notes().length).toBe(2);
    await world.clock.advance(110_000);
    await tend();
    expect(bot.notes().length).toBe(3);
    expect((await bot.ask("olive", "runbook next")).verdict.outcome).not.toBe("denied");
  });

  it("is asked about once by two processes", async () => {
    const world = newWorld();
    const first = product(world);
    const second = product(world, { ledger: { ...world.ledger }, board: first.deps.board as never });
    await first.ask("olive", "runbook run toy-unreachable httpbin");
    await world.clock.advance(610_000);
    await Promise.all(
      [first, second].map((bot) => tendIncidentsOnce(bot.deps, { signal: never, log: bot.log })),
    );
    expect((await readIncident(world.ledger, "I-1"))?.steps[1]?.nudged?.times).toBe(1);
    expect(first.notes().length).toBe(2);
  });
});

describe("many at once", () => {
  it("opens one incident for two who open it at once, in two processes", async () => {
    const world = newWorld();
    const first = product(world);
    const second = product(world, { ledger: { ...world.ledger } });
    const answers = await world.clock.runUntil(
      Promise.all([
        first.start("olive", "runbook run toy-unreachable httpbin"),
        second.start("oscar", "runbook run toy-unreachable httpbin"),
      ]),
    );
    expect((await openIncidents(world.ledger, "toy")).map(({ id }) => id)).toHaveLength(1);
    expect(answers.filter((each) => verdictOf(each).includes("opened about this"))).toHaveLength(1);
  });

  it("looks once for two who want another look at once, in one process and in two", async () => {
    const world = newWorld();
    const first = product(world);
    const second = product(world, { ledger: { ...world.ledger } });
    await first.ask("olive", "runbook run toy-unreachable httpbin");
    await world.clock.runUntil(
      Promise.all([
        first.start("olive", "runbook diagnose I-1"),
        first.start("oscar", "runbook diagnose I-1"),
        second.start("vera", "runbook diagnose I-1"),
      ]),
    );
    expect(world.looks).toBe(2);
    expect((await readIncident(world.ledger, "I-1"))?.looks).toBe(2);
  });
});

describe("buttons", () => {
  it("do what the words do, with the rights of whoever presses", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    const [, act] = bot.message().actions;
    expect(act).toMatchObject({ id: "incident-act", value: "I-1 1 1" });
    expect((await bot.press("vera", "incident-close", "I-1")).verdict.outcome).toBe("denied");
    expect((await bot.press("oscar", "incident-take", "I-1")).verdict.outcome).toBe("denied");
    await bot.press("vera", "incident-diagnose", "I-1");
    expect(world.looks).toBe(2);
    // What an older diagnosis proposed is not done any more.
    expect(verdictOf(await bot.press("olive", "incident-act", "I-1 1 1"))).toMatch(/from an older message/);
    expect(verdictOf(await bot.press("olive", "incident-act", "I-1 2 1"))).not.toMatch(
      /from an older message/,
    );
    expect(verdictOf(await bot.press("olive", "incident-act", "I-1 2 7"))).toMatch(/from an older message/);
    expect(verdictOf(await bot.press("olive", "incident-close", "I-77"))).toMatch(/from an older message/);
    await bot.press("olive", "incident-close", "I-1");
    expect(bot.message().actions.map(({ id }) => id)).toEqual(["incident-reopen"]);
  });
});

describe("notes", () => {
  it("are kept with who and when, also afterwards, and secrets are not", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    expect(verdictOf(await bot.ask("vera", "runbook note provider says the line is back"))).toBe(
      "NOTED I-1: provider says the line is back",
    );
    await bot.ask("vera", "runbook note I-1 password=hunter2 worked");
    await bot.ask("olive", "runbook close");
    await bot.ask("vera", "runbook note I-1 it was the switch");
    const state = await readIncident(world.ledger, "I-1");
    expect(state?.notes.map(({ by, text }) => `${by}: ${text}`)).toEqual([
      "vera: provider says the line is back",
      "vera: password=[secret] worked",
      "vera: it was the switch",
    ]);
    expect((await bot.ask("vera", "runbook note I-1")).verdict.outcome).toBe("usage");
  });

  it("take a message over once, with its author and time", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    const quoting = {
      channel: "C1",
      ts: "1790000000.000100",
      author: "vera",
      at: Date.UTC(2026, 10, 23, 13, 59),
      text: "the lights went out",
    };
    expect(shown(await bot.ask("olive", "runbook note", { quoting }))).toMatch(
      /written by vera 13:59 UTC, added by @olive/,
    );
    expect(shown(await bot.ask("oscar", "runbook note I-1", { quoting }))).toMatch(
      /That message is in the timeline since 14:00 UTC/,
    );
    const state = await readIncident(world.ledger, "I-1");
    expect(state?.notes).toHaveLength(1);
    expect(state?.notes[0]).toMatchObject({ text: "the lights went out", source: { author: "vera" } });
    const long = { ...quoting, ts: "2", text: "x".repeat(20_000) };
    await bot.ask("olive", "runbook note", { quoting: long });
    expect((await readIncident(world.ledger, "I-1"))?.notes[1]?.text).toMatch(/^x{3000} \(cut here\)$/);
  });
});

describe("what looks like a secret", () => {
  it("is in no reason, no remark and no record of what was asked", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run power-loss");
    await bot.ask("olive", "runbook note I-1 the password: hunter2hunter2");
    await bot.ask("olive", 'runbook skip ups --reason "token=hunter2hunter2 was wrong"');
    await bot.ask("olive", 'runbook done --said "set password=hunter2hunter2"');
    await bot.ask("olive", 'runbook close I-1 --reason "password: hunter2hunter2"');
    await bot.ask("olive", 'runbook reopen I-1 --reason "password: hunter2hunter2"');
    const state = await readIncident(world.ledger, "I-1");
    expect(state?.notes.map((one) => one.text)).toEqual(["the password: [secret]"]);
    expect(state?.steps.map(({ ended }) => ended?.said)).toEqual([
      "token=[secret] was wrong",
      "set password=[secret]",
    ]);
    const kinds = ["incident", "asked"];
    const lists = await Promise.all(kinds.map((kind) => world.ledger.list(kind)));
    for (const streams of lists) expect(streams.length).toBeGreaterThan(0);
    const all = await Promise.all(lists.flat().map((stream) => world.ledger.read(stream)));
    expect(JSON.stringify(all)).not.toContain("hunter2");
  });
});

describe("where it is about", () => {
  it("stands where it was asked for, and what is asked in a direct message where others see it", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    await bot.ask("olive", "runbook run power-loss", { channel: "D0OLIVE" });
    expect((await readIncident(world.ledger, "I-1"))?.channel).toBe("C1");
    expect((await readIncident(world.ledger, "I-2"))?.channel).toBeUndefined();
  });

  it("needs no name of a cluster in its thread, also where the config has several", async () => {
    const world = newWorld();
    const bot = product(world, {
      around: (deps) => {
        const toy = deps.clusters.get("toy");
        if (toy === undefined) throw new Error("no toy");
        const other = { ...toy, config: { ...toy.config, name: "other" } };
        return { ...deps, clusters: new Map([...deps.clusters, ["other", other]]) };
      },
    });
    await bot.ask("olive", "runbook run toy-unreachable httpbin --cluster toy");
    expect(shown(await bot.ask("olive", "runbook diagnose I-1"))).toMatch(/Which cluster/);
    const inThread = await bot.ask("olive", "runbook diagnose I-1", { about: "incident/I-1" });
    expect(inThread).toMatchObject({ cluster: "toy", verdict: { word: "BROKEN" } });
    const elsewhere = await bot.ask("olive", "runbook status I-1 --cluster other");
    expect(shown(elsewhere)).toMatch(/I-1 is an incident of toy, not of other/);
    expect((await bot.ask("olive", "runbook diagnose I-1", { about: "incident/I-9" })).verdict.outcome).toBe(
      "usage",
    );
  });
});

describe("acts", () => {
  it("that are asked for in its thread or by its button belong to it, before they are begun", async () => {
    const world = newWorld();
    const bot = product(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    // There is no such runbook here: what counts is that an act was asked for.
    await bot.ask("olive", "migrate start nothing", { about: "incident/I-1" });
    const state = await readIncident(world.ledger, "I-1");
    expect(state?.runs).toMatchObject([{ run: expect.stringMatching(/^[RJ]-2$/), by: "olive" }]);
    await bot.ask("olive", "nodes list", { about: "incident/I-1" });
    expect((await readIncident(world.ledger, "I-1"))?.runs).toHaveLength(1);
    expect(shown(bot.message())).toMatch(/acts [RJ]-2/);
    expect(shown(await bot.ask("olive", "runbook link R-99"))).toMatch(/knows no run R-99/);
    await world.ledger.append("run/R-5", 0, { type: "started", data: {} });
    expect((await bot.ask("olive", "runbook link R-5")).verdict.outcome).toBe("failed");
    expect(verdictOf(await bot.ask("olive", "runbook link R-5"))).toMatch(/R-5 is in its timeline already/);
    expect((await readIncident(world.ledger, "I-1"))?.runs[1]?.run).toBe("R-5");
  });
});
