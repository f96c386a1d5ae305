import { describe, expect, it } from "vitest";
import { openCases } from "#shared/alerts/alert-state.ts";
import { incidentsOf, openIncidents, readIncident } from "#shared/incidents/incident-log.ts";
import { plain } from "#shared/text.ts";
import { deliveryOf, alertOf as given } from "../../shared/alerts/alerts.ts";
import { began, healthy, newWorld, product, shown, verdictOf } from "../incidents/incident-product.ts";
import { alerting } from "./alerting.ts";

const alertOf: typeof given = (what, more) => given(what, { startsAt: began - 60_000, ...more });
const resolved = (what: string, endsAt: number) => alertOf(what, { status: "resolved", endsAt });

describe("an alert that a route maps", () => {
  it("opens an incident with its diagnosis, in the channel of alerts, with what fired in its thread", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin", { annotations: { summary: "httpbin is down" } })]));
    await bot.tend();
    const message = bot.message();
    expect(verdictOf(message)).toMatch(
      /^BROKEN .*no endpoint of httpbin is ready, so nothing answers behind 10\.4\.11\.1$/,
    );
    expect(message.cluster).toBe("toy");
    expect(plain(message.why ?? [])).toMatch(/Nobody has it\./);
    expect(shown(message)).toMatch(/ServiceDown/);
    expect(shown(message)).toMatch(/opened by an alert/);
    expect((await readIncident(world.ledger, "I-1"))?.channel).toBe("C0ALERTS");
    expect(bot.notes().toSorted()).toEqual([expect.stringMatching(/^fired\//), "look/1"]);
    const fired = shown(
      bot.told.notes.get(`incident/I-1 ${bot.notes().find((id) => id.startsWith("fired"))}`) as never,
    );
    expect(fired).toMatch(/service: httpbin/);
    expect(fired).toMatch(/summary: httpbin is down/);
    expect(world.looks).toBe(1);
  });

  it("joins the incident that a person has opened about the same", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.tend();
    expect(await incidentsOf(world.ledger, "toy")).toEqual(["I-1"]);
    expect(plain(bot.message().why ?? [])).toMatch(/@olive has it/);
    expect(
      (await readIncident(world.ledger, "I-1"))?.alerts.map(({ name, firing }) => [name, firing]),
    ).toEqual([["ServiceDown", true]]);
  });

  it("and others about the same thing are one incident; what is told again counts", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.tend();
    const other = alertOf("httpbin", {
      fingerprint: "f-443",
      labels: { alertname: "ServiceDown", service: "httpbin", port: "443" },
    });
    await bot.alerts.take(deliveryOf([alertOf("httpbin"), other], { groupKey: "another" }));
    await bot.tend();
    expect(await incidentsOf(world.ledger, "toy")).toEqual(["I-1"]);
    const { alerts } = (await readIncident(world.ledger, "I-1")) ?? { alerts: [] };
    expect(alerts.map(({ fingerprint, times }) => [fingerprint, times])).toEqual([
      ["f-httpbin", 2],
      ["f-443", 1],
    ]);
    expect(world.looks).toBe(1);
  });

  it("whose word names nothing is told all the same", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("htpbin")]));
    await bot.tend();
    expect(verdictOf(bot.message())).toMatch(/^UNKNOWN toy-unreachable htpbin could not be diagnosed/);
    expect((await openIncidents(world.ledger, "toy")).length).toBe(1);
  });
});

describe("the end of alerts", () => {
  it("edits the message, and closes it after the quiet period, saying so", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin"), alertOf("httpbin", { fingerprint: "f-2" })]));
    await bot.tend();
    world.truth = () => healthy;
    await bot.alerts.take(deliveryOf([resolved("httpbin", world.clock.now())]));
    await bot.tend();
    expect(shown(bot.message())).toMatch(/1 resolved: ServiceDown \(gone\) until/);
    await bot.alerts.take(deliveryOf([{ ...resolved("httpbin", world.clock.now()), fingerprint: "f-2" }]));
    await bot.tend(200_000);
    expect((await readIncident(world.ledger, "I-1"))?.closed).toBeUndefined();
    await bot.tend(110_000);
    expect(verdictOf(bot.message())).toMatch(/^CLOSED toy-unreachable httpbin · open for/);
    expect(plain(bot.message().why ?? [])).toMatch(
      /Closed: all 2 alerts are resolved, and nothing fired for 5 min\./,
    );
  });

  it("leaves open what a person opened, and notes it", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.ask("olive", "runbook run toy-unreachable httpbin");
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.alerts.take(deliveryOf([resolved("httpbin", world.clock.now())]));
    await bot.tend(320_000);
    const state = await readIncident(world.ledger, "I-1");
    expect(state?.closed).toBeUndefined();
    expect(state?.notes.map((one) => one.text)).toEqual([
      "its alert is resolved, and nothing fired for 5 min; it stays open, for olive opened it",
    ]);
  });

  it("does not close what fires again within the quiet period", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.alerts.take(deliveryOf([resolved("httpbin", world.clock.now())]));
    await bot.tend(250_000);
    await bot.alerts.take(deliveryOf([alertOf("httpbin", { startsAt: world.clock.now() })]));
    await bot.tend(400_000);
    expect((await readIncident(world.ledger, "I-1"))?.closed).toBeUndefined();
    expect((await readIncident(world.ledger, "I-1"))?.alerts[0]?.firing).toBe(true);
  });

  it("that a person did not wait for: what they closed stays closed, until something new fires", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.tend();
    await bot.ask("olive", 'runbook close I-1 --reason "known"');
    await bot.tend();
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.tend();
    expect(await openIncidents(world.ledger, "toy")).toEqual([]);
    await bot.alerts.take(deliveryOf([alertOf("httpbin", { startsAt: world.clock.now() })]));
    await bot.tend();
    expect((await openIncidents(world.ledger, "toy")).map(({ id }) => id)).toEqual(["I-2"]);
  });
});

describe("an alert that no route maps", () => {
  it("gets a message that says what fired and how to map it", async () => {
    const world = newWorld();
    const bot = alerting(world);
    const odd = alertOf("disk", {
      labels: { alertname: "DiskFull", node: "karstark", severity: "warning" },
      annotations: { summary: "97 % of /var" },
    });
    await bot.alerts.take(deliveryOf([odd], { truncated: 3 }));
    await bot.tend();
    const message = shown(bot.message());
    expect(verdictOf(bot.message())).toMatch(/^FIRING .*DiskFull/);
    expect(message).toMatch(/No route of the config maps it to a runbook/);
    expect(message).toMatch(/97 % of \/var/);
    const note = shown(
      bot.told.notes.get(`incident/I-1 ${bot.notes().find((id) => id.startsWith("fired"))}`) as never,
    );
    expect(note).toMatch(/node: karstark/);
    expect(note).toMatch(/- match: \{ alertname: DiskFull \}/);
    expect(note).toMatch(/subject: node/);
    expect(note).toMatch(/toy-unreachable/);
    expect((await readIncident(world.ledger, "I-1"))?.notes.map((one) => one.text)).toEqual([
      "3 further alerts of this group were left out (max_alerts); Alertmanager's own page lists them",
    ]);
    expect(world.looks).toBe(0);
  });

  it("of a cluster that is not configured names that cluster, not another", async () => {
    const world = newWorld();
    const bot = alerting(world, {
      config: {
        routes: [
          {
            match: { alertname: "ServiceDown" },
            runbook: "toy-unreachable",
            subject: "service",
            cluster: "cluster",
          },
        ],
      },
    });
    await bot.alerts.take(
      deliveryOf([
        alertOf("x", { labels: { alertname: "ServiceDown", service: "x", cluster: "elsewhere" } }),
      ]),
    );
    await bot.tend();
    expect(bot.message().cluster).toBe("elsewhere");
    expect(shown(bot.message())).toMatch(/no cluster elsewhere is configured/);
  });
});

describe("an incident without a diagnosis, or of a cluster that is not configured", () => {
  it("is not said to be looked at", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("disk", { labels: { alertname: "DiskFull" } })]));
    await bot.tend();
    const reply = await bot.ask("olive", "runbook diagnose I-1");
    expect(verdictOf(reply)).toMatch(/^Refused I-1 has no diagnosis/);
    expect((await readIncident(world.ledger, "I-1"))?.asked).toBeUndefined();
  });

  it("can be taken, noted and closed, by words in its thread and by its buttons", async () => {
    const world = newWorld();
    const bot = alerting(world, {
      config: { routes: [] },
      clusters: ["toy", "other"],
      around: (deps) => {
        const toy = deps.clusters.get("toy");
        if (toy === undefined) throw new Error("no toy");
        const other = { ...toy, config: { ...toy.config, name: "other" } };
        return { ...deps, clusters: new Map([...deps.clusters, ["other", other]]) };
      },
    });
    await bot.alerts.take(deliveryOf([alertOf("disk", { labels: { alertname: "DiskFull" } })]));
    await bot.tend();
    expect(bot.message().cluster).toBe("unnamed cluster");
    await bot.press("olive", "incident-take", "I-1");
    expect((await readIncident(world.ledger, "I-1"))?.owner?.name).toBe("olive");
    await bot.ask("vera", "runbook note I-1 full again", { about: "incident/I-1" });
    expect((await readIncident(world.ledger, "I-1"))?.notes.map((one) => one.text)).toEqual(["full again"]);
    expect((await bot.press("vera", "incident-close", "I-1")).verdict.outcome).toBe("denied");
    await bot.press("olive", "incident-close", "I-1");
    expect((await readIncident(world.ledger, "I-1"))?.closed?.by).toBe("olive");
  });
});

describe("a storm", () => {
  const many = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) =>
      deliveryOf([
        alertOf(`s-${from + i}`, {
          labels: { alertname: "ServiceDown", service: `s-${from + i}`, node: "karstark" },
        }),
      ]),
    );

  it("is five messages and one; every one of it is in the list, and what is over is struck", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await Promise.all(many(0, 400).map((each) => bot.alerts.take(each)));
    await bot.tend(30_000);
    const keys = [...bot.told.standing.keys()];
    expect(keys.filter((key) => key.startsWith("incident/"))).toHaveLength(5);
    const [storm = ""] = keys.filter((key) => key.startsWith("storm/"));
    const message = bot.told.standing.get(storm);
    expect(message && verdictOf(message)).toMatch(/^STORM 395 things fire of 395 since 2026-11-23 14:00 UTC/);
    expect(message && plain(message.why ?? [])).toContain("node=karstark (395 of 395)");
    expect(world.looks).toBe(5);
    const lists = [...bot.told.files].filter(([name]) => name.startsWith(`${storm} list/`));
    const list = String(lists.at(-1)?.[1][0]?.text);
    for (let i = 5; i < 400; i++) expect(list).toContain(`toy-unreachable s-${i}\n`);
    await bot.alerts.take(deliveryOf([resolved("s-9", world.clock.now())]));
    await bot.tend(10_000);
    expect(verdictOf(bot.told.standing.get(storm) as never)).toMatch(/^STORM 394 things fire of 395/);
    // However long it goes on, it is one message.
    expect([...bot.told.standing.keys()]).toHaveLength(6);
  });

  it("that calms gives the few that still fire their own messages, and says when all is over", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await Promise.all(many(0, 50).map((each) => bot.alerts.take(each)));
    await bot.tend(10_000);
    for (let i = 7; i < 50; i++) await bot.alerts.take(deliveryOf([resolved(`s-${i}`, world.clock.now())]));
    await bot.tend(330_000);
    expect([...bot.told.standing.keys()].filter((key) => key.startsWith("incident/"))).toHaveLength(7);
    const storm = [...bot.told.standing.keys()].find((key) => key.startsWith("storm/")) ?? "";
    expect(verdictOf(bot.told.standing.get(storm) as never)).toMatch(
      /^STORM 2 things fire of 45 .* nothing new since/,
    );
    for (let i = 0; i < 7; i++) await bot.alerts.take(deliveryOf([resolved(`s-${i}`, world.clock.now())]));
    await bot.tend(330_000);
    expect(verdictOf(bot.told.standing.get(storm) as never)).toMatch(/^OVER storm of alerts · all 45 things/);
    expect(await openIncidents(world.ledger, "toy")).toEqual([]);
    expect(openCases(await bot.alerts.read())).toEqual([]);
  });
});

describe("what fires is never in a closed incident alone", () => {
  const another = (more = {}) => alertOf("httpbin", { fingerprint: "f-443", ...more });
  const firing = async (world: ReturnType<typeof newWorld>): Promise<readonly string[]> =>
    (await openIncidents(world.ledger, "toy")).flatMap(({ id, alerts }) =>
      alerts.filter((one) => one.firing).map(({ fingerprint }) => `${id} ${fingerprint}`),
    );

  it("when it fires a moment after a person closed, before anybody looked", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.tend();
    await bot.ask("olive", "runbook close I-1");
    await bot.alerts.take(deliveryOf([another({ startsAt: world.clock.now() })]));
    await bot.tend();
    expect(await firing(world)).toContain("I-2 f-443");
    expect(world.looks).toBe(2);
    // And that is the end of it: the new one stays, and closing it is final.
    await bot.tend(20_000);
    expect(await incidentsOf(world.ledger, "toy")).toEqual(["I-1", "I-2"]);
    await bot.ask("olive", "runbook close I-2");
    await bot.tend(20_000);
    expect(await incidentsOf(world.ledger, "toy")).toEqual(["I-1", "I-2"]);
  });

  it("when the same fires anew a moment after a person closed", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.tend();
    await bot.ask("olive", "runbook close I-1");
    await bot.alerts.take(deliveryOf([alertOf("httpbin", { startsAt: world.clock.now() })]));
    await bot.tend();
    expect(await firing(world)).toEqual(["I-2 f-httpbin"]);
  });

  it("when it fires between the end of what it joins and that end being told", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.tend();
    await bot.alerts.take(deliveryOf([resolved("httpbin", world.clock.now())]));
    await bot.tend();
    const [over] = openCases(await bot.alerts.read());
    await bot.alerts.change(() => ({ type: "closed", case: over?.id ?? "", why: "resolved" }));
    await bot.alerts.take(deliveryOf([another({ startsAt: world.clock.now() })]));
    const next = alerting(world);
    await next.tend();
    expect(await firing(world)).toEqual([expect.stringMatching(/ f-443$/)]);
    await alerting(world).tend(20_000);
    expect(await firing(world)).toEqual([expect.stringMatching(/ f-443$/)]);
  });

  it("and what a person opened again after its alerts were over stays open, also after a restart", async () => {
    const world = newWorld();
    const bot = alerting(world);
    await bot.alerts.take(deliveryOf([alertOf("httpbin")]));
    await bot.alerts.take(deliveryOf([resolved("httpbin", world.clock.now())]));
    await bot.tend(320_000);
    expect((await readIncident(world.ledger, "I-1"))?.closed).toBeDefined();
    await bot.ask("olive", "runbook reopen I-1");
    await bot.tend();
    await alerting(world).tend();
    expect((await readIncident(world.ledger, "I-1"))?.closed).toBeUndefined();
    await bot.alerts.take(deliveryOf([another({ startsAt: world.clock.now() })]));
    await bot.tend();
    await alerting(world).tend();
    expect(await firing(world)).toEqual(["I-1 f-443"]);
  });
});

describe("two processes on one ledger, and one after the other", () => {
  it("open exactly one incident for what fires", async () => {
    const world = newWorld();
    const bots = [alerting(world), alerting(world)] as const;
    const never = new AbortController().signal;
    await Promise.all(
      ["a", "b", "c"].flatMap((what) => bots.map((bot) => bot.alerts.take(deliveryOf([alertOf(what)])))),
    );
    for (let i = 0; i < 5; i++) {
      await world.clock.runUntil(Promise.all(bots.map((bot) => bot.tender.once(never))));
      await world.clock.advance(2_000);
    }
    expect((await openIncidents(world.ledger, "toy")).map(({ subject }) => subject).toSorted()).toEqual([
      "a",
      "b",
      "c",
    ]);
    expect(world.looks).toBe(3);
  });

  it("take up what was taken and not yet told when one died", async () => {
    const world = newWorld();
    await alerting(world).alerts.take(deliveryOf([alertOf("httpbin")]));
    const next = alerting(world);
    await next.tend();
    expect(verdictOf(next.message())).toMatch(/^BROKEN/);
    const third = alerting(world);
    await third.tend();
    expect(await incidentsOf(world.ledger, "toy")).toEqual(["I-1"]);
    expect(product(world).deps.board).toBeDefined();
  });
});
