import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { bootLab } from "#infra/lab/boot.ts";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";

const root = join(import.meta.dirname, "..");
const agent = new Agent({ keepAlive: true });

const freePort = (): Promise<number> =>
  new Promise((done, failed) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? done(address.port) : failed(new Error("no port")),
      );
    });
  });

const payload = (i: number, startsAt: string): string =>
  JSON.stringify({
    version: "4",
    groupKey: `{}:{service="s-${i}"}`,
    receiver: "arpeggio",
    status: "firing",
    truncatedAlerts: 0,
    alerts: [
      {
        status: "firing",
        labels: { alertname: "ServiceDown", service: `s-${i}`, node: "karstark", severity: "critical" },
        annotations: { summary: `s-${i} does not answer`, description: "3 probes in a row failed." },
        startsAt,
        endsAt: "0001-01-01T00:00:00Z",
        generatorURL: "",
        fingerprint: `f-${i}`,
      },
    ],
  });

function post(url: string, token: string, body: string): Promise<number> {
  return new Promise((done) => {
    const call = request(
      `${url}/alerts`,
      {
        method: "POST",
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        },
      },
      (response) => {
        response.resume();
        response.on("end", () => done(response.statusCode ?? 0));
      },
    );
    call.on("error", () => done(0));
    call.end(body);
  });
}

const ready = (child: ChildProcess): Promise<void> =>
  new Promise((done, failed) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      if (/^ready/m.test(chunk.toString())) done();
    });
    child.once("exit", (code) => failed(new Error(`ended with ${code} before it was ready`)));
  });

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

/** Alerts by HTTP to a bot in a process of its own, its ledger in SQLite, in front of the lab's strict Slack. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { count: { type: "string", default: "1000" }, seconds: { type: "string", default: "10" } },
  });
  const count = Number(values.count);
  const seconds = Number(values.seconds);
  const dir = await mkdtemp(join(tmpdir(), "bench-alerts-"));
  const [botPort, httpPort] = await Promise.all([freePort(), freePort()]);
  const lab = await bootLab({ scenario: "healthy", dir: join(dir, "lab"), botPort, httpPort });
  const bot = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(root, "bot/main.ts")], {
    env: { PATH: process.env.PATH ?? "", HOME: dir, ...lab.env },
    stdio: ["ignore", "pipe", "ignore"],
    cwd: dir,
  });
  await ready(bot);
  const url = lab.env.LAB_HTTP_URL ?? "";
  const token = lab.env.LAB_ALERTS_TOKEN ?? "";
  const loadBefore = loadavg()[0] ?? 0;

  const began = Date.now();
  const startsAt = new Date(began).toISOString();
  const times: number[] = [];
  let refused = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await sleep((i * seconds * 1_000) / count);
      const sent = performance.now();
      // As Alertmanager: again until it is acknowledged; the time counts from the first sending.
      while ((await post(url, token, payload(i, startsAt))) !== 200) {
        refused += 1;
        await sleep(200);
      }
      times.push(performance.now() - sent);
    }),
  );
  const sentMs = Date.now() - began;
  const channel = () => lab.slack.messages("C0ALERTS");
  const top = () => channel().filter(({ threadTs, ts }) => threadTs === undefined || threadTs === ts);
  await lab.slack.waitFor(
    () => top().some(({ text }) => text.includes(`${count - 5} things fire of ${count - 5}`)),
    120_000,
    "the storm",
  );
  const stormMs = Date.now() - began;
  for (let quiet = 0; quiet < 20; ) {
    await sleep(1_000);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    quiet = /^arpeggio_slack_messages_waiting 0$/m.test(metrics) ? quiet + 10 : 0;
  }
  const settledMs = Date.now() - began;
  const status = await readFile(`/proc/${bot.pid}/status`, "utf8").catch(() => "");
  const peakMiB = Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
  const calls = lab.slack.calls();
  const called = (method: string): number => calls.filter((call) => call.method === method).length;
  bot.kill("SIGTERM");
  await new Promise((done) => bot.once("exit", done));

  const ledger = await openSqliteLedger({ file: join(dir, "lab/ledger.sqlite"), now: Date.now });
  const events = (
    await Promise.all((await ledger.list("alert")).map((stream) => ledger.read(stream)))
  ).flat();
  const received = events.filter(({ type }) => type === "received");
  const kept = received.flatMap(({ data }) =>
    (data as unknown as { alerts: { alert: { fingerprint: string } }[] }).alerts.map(
      ({ alert }) => alert.fingerprint,
    ),
  );
  await ledger.close();
  const sorted = times.toSorted((a, b) => a - b);
  const lines = [
    `${count} alerts, each a POST of its own, in ${seconds} s; load average ${loadBefore.toFixed(1)} before`,
    `acknowledged: ${times.length} within ${(sentMs / 1_000).toFixed(1)} s of the first; p50 ${quantile(sorted, 0.5).toFixed(1)} ms, p99 ${quantile(sorted, 0.99).toFixed(1)} ms, longest ${quantile(sorted, 1).toFixed(1)} ms; sent again ${refused}`,
    `in the ledger: ${kept.length}, ${new Set(kept).size} different, in ${received.length} events`,
    `in the channel: ${top().length} messages, ${top().filter(({ text }) => text.includes("STORM")).length} of them the storm; complete ${(stormMs / 1_000).toFixed(1)} s after the first alert, nothing waiting after ${(settledMs / 1_000).toFixed(1)} s`,
    `calls of Slack: ${called("chat.postMessage")} posts, ${called("chat.update")} edits, ${calls.filter((call) => call.status === 429).length} refused with 429, ${lab.slack.violations().length} rules broken`,
    `most memory of the bot: ${peakMiB} MiB`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  await lab.close();
  agent.destroy();
  await rm(dir, { recursive: true });
}
