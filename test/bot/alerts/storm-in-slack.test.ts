import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpHandler } from "#bot/doors/http.ts";
import { createWishes } from "#bot/doors/slack/board.ts";
import { type SlackDoor, startSlackDoor } from "#bot/doors/slack.ts";
import { secret } from "#bot/environment.ts";
import { scaledClock } from "#infra/lab/scaled-clock.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { type HttpServer, serveHttp } from "#shared/adapters/http-server.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import type { VirtualClock } from "#shared/twin/virtual-clock.ts";
import { newWorld, type World } from "../incidents/incident-product.ts";
import { alerting } from "./alerting.ts";

// A thousand alerts by HTTP within ten seconds of a clock that runs faster than the machine's; Slack's limits go by the
// same clock.

const factor = 4;
const count = 1_000;
const token = "a-token-of-this-test-only";

const payload = (i: number, at: number) => ({
  version: "4",
  groupKey: `{}:{service="s-${i}"}`,
  receiver: "arpeggio",
  status: "firing",
  truncatedAlerts: 0,
  alerts: [
    {
      status: "firing",
      labels: { alertname: "ServiceDown", service: `s-${i}`, node: "karstark", severity: "critical" },
      annotations: { summary: `s-${i} does not answer` },
      startsAt: new Date(at).toISOString(),
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: "",
      fingerprint: `f-${i}`,
    },
  ],
});

describe("a thousand alerts in ten seconds", () => {
  const clock = scaledClock(factor);
  const ledger = createMemoryLedger({ now: clock.now });
  const world: World = { ...newWorld(), clock: clock as VirtualClock, ledger };
  const stopping = new AbortController();
  let workspace: SlackWorkspace;
  let door: SlackDoor;
  let server: HttpServer;
  let tending: Promise<void>;
  let bot: ReturnType<typeof alerting>;
  const statuses: number[] = [];
  /** What stands in the channel itself. */
  const top = () =>
    workspace.messages("C0ALERTS").filter(({ threadTs, ts }) => threadTs === undefined || threadTs === ts);

  /** Alertmanager tries again when a connection breaks or a server says 5xx. */
  const post = async (body: string): Promise<Response> => {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await fetch(`${server.url}/alerts`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body,
        });
        await response.body?.cancel();
        if (response.status < 500) return response;
      } catch (error) {
        if (attempt > 20) throw error;
      }
      await clock.sleep(500);
    }
  };

  beforeAll(async () => {
    workspace = await startSlackWorkspace({ clock });
    const wishes = createWishes({ ledger, clock, log: () => {} });
    bot = alerting(world, { board: wishes.board });
    const { app: bot1, team } = workspace.spec;
    door = await startSlackDoor({
      app: bot.app,
      slack: {
        botToken: secret(bot1.botToken),
        signingSecret: secret(bot1.signingSecret),
        port: 0,
        host: "127.0.0.1",
        apiUrl: workspace.apiUrl,
        team: team.id,
        prefix: "",
        commands: ["runbook"],
        groups: [],
        channels: [],
        reportChannel: "C0PLATFORM",
      },
      ledger,
      people: () => undefined,
      clock,
      log: bot.log,
      owner: "storm",
      wishes,
    });
    server = await serveHttp({
      host: "127.0.0.1",
      port: 0,
      log: bot.log,
      handle: httpHandler({
        version: "0",
        readiness: async () => ({ ok: true, text: "ready", parts: [] }),
        metrics: async () => ({ type: "text/plain", text: "" }),
        alerts: { token: secret(token), take: bot.alerts.take, clock, waitMs: 60_000, log: bot.log },
      }),
    });
    tending = (async () => {
      while (!stopping.signal.aborted) {
        await bot.tender.once(stopping.signal);
        await clock.sleep(2_000, stopping.signal);
      }
    })();
    const began = clock.now();
    await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        await clock.sleep((i * 10_000) / count, stopping.signal);
        const response = await post(JSON.stringify(payload(i, began)));
        statuses.push(response.status);
      }),
    );
    // Until every message says what there is to say.
    await workspace.waitFor(
      () =>
        top().some(({ text }) => text.includes("995 things fire of 995")) &&
        top().filter(({ text }) => text.includes("BROKEN")).length === 5,
      20_000,
      "five incidents and the storm",
    );
    await clock.sleep(20_000);
    while (door.waiting() > 0) await clock.sleep(100);
  });

  afterAll(async () => {
    stopping.abort();
    await tending;
    await server.close();
    await door.stop();
    await workspace.close();
  });

  it("are all acknowledged, and each is in the ledger once", async () => {
    expect(statuses.filter((status) => status === 200)).toHaveLength(count);
    const events = (
      await Promise.all((await ledger.list("alert")).map((stream) => ledger.read(stream)))
    ).flat();
    const kept = events.flatMap(({ type, data }) =>
      type === "received"
        ? (data as unknown as { alerts: { alert: { fingerprint: string } }[] }).alerts.map(
            ({ alert }) => alert.fingerprint,
          )
        : [],
    );
    expect(kept).toHaveLength(count);
    expect(new Set(kept).size).toBe(count);
  });

  it("are five incidents and one message that counts the rest", () => {
    expect(top()).toHaveLength(6);
    const storm = top().filter(({ text }) => text.includes("STORM"));
    expect(storm).toHaveLength(1);
    expect(workspace.renderText(storm[0] as never)).toContain("node=karstark");
    expect(workspace.messages("C0PLATFORM")).toEqual([]);
  });

  it("are all named: five have a message, and the others stand in the list", () => {
    const lists = workspace.files().filter(({ name }) => name.startsWith("S-"));
    const [largest = ""] = lists
      .map(({ bytes }) => new TextDecoder().decode(bytes))
      .toSorted((a, b) => b.length - a.length);
    const listed = new Set([...largest.matchAll(/toy-unreachable (s-\d+)\n/g)].map(([, name]) => name));
    const own = new Set(
      top().flatMap((one) =>
        [...workspace.renderText(one).matchAll(/toy-unreachable (s-\d+) · opened/g)].map(([, name]) => name),
      ),
    );
    expect(own.size).toBe(5);
    expect([listed.size, [...own].filter((name) => listed.has(name))]).toEqual([count - 5, []]);
  });

  it("break none of Slack's rules, and do not press against its limits", () => {
    expect(workspace.violations().filter(({ error }) => error !== "ratelimited")).toEqual([]);
    // What was paced arrives together when the machine stalls, and is sent again; without pace hundreds are refused.
    expect(workspace.calls().filter(({ status }) => status === 429).length).toBeLessThan(5);
    expect(workspace.calls("chat.postMessage").length).toBeLessThan(40);
  });
});
