import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootLab, type Lab } from "#infra/lab/boot.ts";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";

// The bot in a process of its own, in front of the lab; it is killed by SIGKILL after it acknowledged an alert.

const main = join(import.meta.dirname, "../../bot/main.ts");

const freePort = (): Promise<number> =>
  new Promise((done, failed) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? done(address.port) : failed(new Error("no port")),
      );
    });
  });

const payload = (name: string, labels: Readonly<Record<string, string>>) =>
  JSON.stringify({
    version: "4",
    groupKey: `{}:{name="${name}"}`,
    receiver: "arpeggio",
    status: "firing",
    truncatedAlerts: 0,
    alerts: [
      {
        status: "firing",
        labels,
        annotations: {},
        startsAt: new Date().toISOString(),
        endsAt: "0001-01-01T00:00:00Z",
        generatorURL: "",
        fingerprint: `f-${name}`,
      },
    ],
  });

describe.each([
  "HTTP",
  "Socket Mode",
])("a bot that is killed after it acknowledged alerts, over %s", (transport) => {
  let dir: string;
  let lab: Lab;
  let bot: ChildProcess | undefined;
  let url: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "alerts-killed-"));
    const [botPort, httpPort] = await Promise.all([freePort(), freePort()]);
    lab = await bootLab({ scenario: "healthy", dir: join(dir, "lab"), botPort, httpPort });
    url = lab.env.LAB_HTTP_URL ?? "";
  });
  afterAll(async () => {
    bot?.kill("SIGKILL");
    await lab.close();
    await rm(dir, { recursive: true });
  });

  const start = async (): Promise<ChildProcess> => {
    const token = transport === "HTTP" ? {} : { SLACK_APP_TOKEN: lab.env.LAB_SLACK_APP_TOKEN ?? "" };
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
      env: { PATH: process.env.PATH ?? "", HOME: dir, ...lab.env, ...token },
      cwd: dir,
      stdio: ["ignore", "ignore", "inherit"],
    });
    bot = child;
    return child;
  };

  /** As Alertmanager: again and again until it is acknowledged. */
  const deliver = async (body: string): Promise<void> => {
    for (;;) {
      try {
        const response = await fetch(`${url}/alerts`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${lab.env.LAB_ALERTS_TOKEN}`,
            "content-type": "application/json",
          },
          body,
        });
        await response.body?.cancel();
        if (response.status === 200) return;
        expect(response.status).toBeGreaterThanOrEqual(500);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      await sleep(100);
    }
  };

  it("tells each in exactly one message when it runs again", async () => {
    // The moment of death, milliseconds after the answer: before the tender's round, and within what it does.
    const deaths = [0, 5, 50, 300, 1_000, 1_800, 2_300, 2_600];
    const services: string[] = [];
    for (const [i, ms] of deaths.entries()) {
      const child = await start();
      const service = `missing-${i}`;
      services.push(service);
      await deliver(payload(service, { alertname: "ServiceDown", service, severity: "critical" }));
      await sleep(ms);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await start();
    const top = () =>
      lab.slack
        .messages("C0ALERTS")
        .filter(({ threadTs, ts }) => threadTs === undefined || threadTs === ts)
        .map((message) => lab.slack.renderText(message));
    const told = (service: string): number =>
      top().filter((text) => text.includes(`service-unreachable ${service}`)).length;
    await lab.slack.waitFor(
      () => services.every((service) => told(service) >= 1),
      90_000,
      `messages about ${services.join(", ")}; there is ${JSON.stringify(top(), null, 1)}`,
    );
    await sleep(5_000);
    // Of more than five within a minute the rest are lines of one storm.
    const own = top().filter((text) => /I-\d+ · service-unreachable/.test(text));
    const storms = top().filter((text) => text.includes("STORM"));
    expect(own.length + (storms.length === 0 ? 0 : services.length - own.length)).toBe(services.length);
    for (const service of services) expect(told(service), service).toBe(1);
    expect(storms.length).toBeLessThanOrEqual(1);
    bot?.kill("SIGTERM");
    await once(bot as ChildProcess, "exit");
    const ledger = await openSqliteLedger({ file: join(dir, "lab/ledger.sqlite"), now: Date.now });
    const events = (
      await Promise.all((await ledger.list("alert")).map((stream) => ledger.read(stream)))
    ).flat();
    await ledger.close();
    const kept = events.flatMap(({ type, data }) =>
      type === "received"
        ? (data as unknown as { alerts: { alert: { fingerprint: string } }[] }).alerts.map(
            ({ alert }) => alert.fingerprint,
          )
        : [],
    );
    expect(kept.toSorted()).toEqual(services.map((service) => `f-${service}`).toSorted());
    expect(lab.slack.violations()).toEqual([]);
  }, 240_000);
});
