import { describe, expect, it } from "vitest";
import { createOutsideHeartbeat } from "#bot/alerts/outside-heartbeat.ts";
import { createShout } from "#bot/alerts/shout.ts";
import { createWatchdog } from "#bot/alerts/watchdog.ts";
import { callUrl } from "#shared/adapters/call-url.ts";
import { serveHttp } from "#shared/adapters/http-server.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { plain } from "#shared/text.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { alertOf, began, deliveryOf } from "../../shared/alerts/alerts.ts";
import { createTold, verdictOf } from "../incidents/incident-product.ts";

const site = () => {
  const clock = createVirtualClock(began);
  return { clock, ledger: createMemoryLedger({ now: clock.now }) };
};

describe("the alert that always fires", () => {
  const watchdog = { alertname: "Watchdog", withinSeconds: 600 };
  const beat = deliveryOf([alertOf("w", { labels: { alertname: "Watchdog" } }), alertOf("httpbin")]);

  it("is no incident: it is taken out of its delivery, and the others stay", async () => {
    const { clock, ledger } = site();
    const dog = createWatchdog({ ledger, clock, watchdog });
    expect((await dog.hear(beat)).alerts.map(({ fingerprint }) => fingerprint)).toEqual(["f-httpbin"]);
    const other = deliveryOf([alertOf("httpbin")]);
    expect(await dog.hear(other)).toBe(other);
  });

  it("is missed when it was not told for so long, also by a process that never heard it", async () => {
    const { clock, ledger } = site();
    const dog = createWatchdog({ ledger, clock, watchdog });
    await clock.advance(599_000);
    expect(dog.warnings()).toEqual([]);
    await clock.advance(2_000);
    expect(dog.warnings().map(({ code, text }) => `${code}: ${plain(text)}`)).toEqual([
      "alerts-watchdog-missing: Watchdog of Alertmanager was not told since this bot started, so other alerts may not arrive either",
    ]);
    await dog.hear(beat);
    expect(dog.warnings()).toEqual([]);
    await clock.advance(601_000);
    expect(plain(dog.warnings()[0]?.text ?? [])).toMatch(/not told since 2026-11-23 03:22 UTC/);
  });

  it("counts whichever process it was told to, and its end is no sign of life", async () => {
    const { clock, ledger } = site();
    const [one, other] = [
      createWatchdog({ ledger, clock, watchdog }),
      createWatchdog({ ledger, clock, watchdog }),
    ];
    await clock.advance(500_000);
    await one.hear(beat);
    await clock.advance(200_000);
    await other.once();
    expect(other.warnings()).toEqual([]);
    await other.hear(deliveryOf([alertOf("w", { labels: { alertname: "Watchdog" }, status: "resolved" })]));
    await clock.advance(500_000);
    expect(other.warnings()).toHaveLength(1);
  });

  it("writes no more than it has to", async () => {
    const { clock, ledger } = site();
    const dog = createWatchdog({ ledger, clock, watchdog });
    for (let i = 0; i < 30; i++) {
      await dog.hear(beat);
      await clock.advance(10_000);
    }
    expect((await ledger.read("heartbeat/alertmanager")).length).toBe(2);
  });

  it("that cannot be written is not acknowledged", async () => {
    const { clock, ledger } = site();
    const broken = {
      ...ledger,
      append: async () => {
        throw new FaultError({ kind: "unreadable", what: "ledger", detail: "disk full" });
      },
    };
    await expect(createWatchdog({ ledger: broken, clock, watchdog }).hear(beat)).rejects.toThrow(FaultError);
  });
});

describe("what does not come any more", () => {
  const silent = (code: string): Finding => ({
    code,
    severity: "warning",
    subject: { kind: "config", name: "aws.scanFunction" },
    facts: {},
    text: [`${code} is silent`],
  });

  function shouting(started = site()) {
    const { clock, ledger } = started;
    const { told, board } = createTold();
    const findings: Finding[] = [];
    const shout = createShout({
      ledger,
      board,
      clock,
      clusters: ["toy"],
      findings: () => findings,
      sureAfterMs: 1_000_000,
      log: () => {},
    });
    const look = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 30_000) {
        await shout.once();
        await clock.advance(30_000);
      }
      await shout.once();
    };
    const message = () => told.standing.get("heartbeats/bot");
    return { ...started, told, findings, look, message };
  }

  it("is told in one message after two minutes, and edited when it is back, with how long it was away", async () => {
    const { findings, look, message, told } = shouting();
    findings.push(silent("dns-scan-silent"), silent("arp-frames"));
    await look(90_000);
    expect(message()).toBeUndefined();
    await look(60_000);
    const said = message();
    expect(said && verdictOf(said)).toBe("SILENT 1 thing that should come by itself does not come any more");
    expect(said?.findings.map(({ code }) => code)).toEqual(["dns-scan-silent"]);
    expect(said?.cluster).toBe("toy");
    findings.push(silent("alerts-watchdog-missing"));
    await look(150_000);
    expect(verdictOf(message() as never)).toMatch(/^SILENT 2 things/);
    findings.splice(0);
    await look(30_000);
    expect(verdictOf(message() as never)).toMatch(/^BACK everything .* after \d:\d\d/);
    expect(told.puts).toHaveLength(3);
  });

  it("is not told as back by a process that has just begun, only by one that would have missed it again", async () => {
    const first = shouting();
    first.findings.push(silent("alerts-watchdog-missing"));
    await first.look(150_000);
    const second = shouting({ clock: first.clock, ledger: first.ledger });
    await second.look(600_000);
    expect(second.message()).toBeUndefined();
    await second.look(500_000);
    expect(verdictOf(second.message() as never)).toMatch(/^BACK/);
  });
});

describe("the heartbeat to outside", () => {
  it("is sent on its interval, withheld while the bot could tell nobody, and told when it fails again and again", async () => {
    const { clock } = site();
    const results: string[] = [];
    let broken = false;
    let unfit: string | undefined;
    const stopping = new AbortController();
    const heart = createOutsideHeartbeat({
      clock,
      everySeconds: 60,
      call: async () => {
        if (broken) throw new FaultError({ kind: "refused", what: "switch", detail: "it answered 500" });
      },
      unfit: async () => unfit,
      counted: (result) => results.push(result),
      log: () => {},
    });
    const running = heart.run(stopping.signal);
    await clock.advance(125_000);
    expect(results).toEqual(["sent", "sent", "sent"]);
    unfit = "slack: not connected";
    await clock.advance(60_000);
    unfit = undefined;
    broken = true;
    await clock.advance(180_000);
    expect(results.slice(3)).toEqual(["withheld", "failed", "failed", "failed"]);
    expect(heart.warnings().map(({ code, text }) => `${code} ${plain(text)}`)).toEqual([
      expect.stringMatching(/^heartbeat-outside-failing .*it answered 500$/),
    ]);
    broken = false;
    await clock.advance(60_000);
    expect(heart.warnings()).toEqual([]);
    stopping.abort();
    await running;
  });

  it("calls the URL, and a failure never says which", async () => {
    const asked: string[] = [];
    let status = 200;
    const server = await serveHttp({
      host: "127.0.0.1",
      port: 0,
      log: () => {},
      handle: async ({ method, path }) => {
        asked.push(`${method} ${path}`);
        return { status, type: "text/plain", body: "" };
      },
    });
    const signal = new AbortController().signal;
    const url = `${server.url}/ping/a-secret-path`;
    await callUrl(url, "GET", signal);
    await callUrl(url, "POST", signal);
    expect(asked).toEqual(["GET /ping/a-secret-path", "POST /ping/a-secret-path"]);
    status = 500;
    const refused = await callUrl(url, "GET", signal).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FaultError);
    expect(JSON.stringify([(refused as FaultError).fault, String(refused)])).not.toContain("secret");
    await server.close();
    const gone = await callUrl(url, "GET", signal).catch((error: unknown) => error);
    expect((gone as FaultError).fault.kind).toBe("unreachable");
    expect(String(gone)).not.toContain("secret");
  });
});
