import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

type Answer = Readonly<{ words: string; ms: number; status: number; body: string }>;

const root = join(import.meta.dirname, "..");
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** What people type, in the proportions of a busy day: mostly questions, one probe a second. */
const mix = [
  "arpeggio help",
  "arpeggio whoami",
  "arpeggio status",
  "nodes help",
  "arping help",
  "arping htpbin --form x",
];

function start(
  file: string,
  env: Record<string, string>,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): ChildProcess {
  return spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", ...flags, join(root, file), ...args],
    {
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
      stdio: ["ignore", "pipe", "inherit"],
      cwd: root,
    },
  );
}

const ready = (child: ChildProcess): Promise<void> =>
  new Promise((done, fail) => {
    let seen = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (/^ready/m.test(seen)) done();
    });
    child.once("exit", (code) => fail(new Error(`ended with ${code} before it was ready`)));
  });

let sequence = 0;
/** Commands that met a closed connection and were sent again; their time counts from the first sending. */
let resent = 0;
/** Why commands had no answer, and how often. */
const losses = new Map<string, number>();

function send(port: number, secret: string, words: string, channel: string): Promise<Answer> {
  const [command = "", ...text] = words.split(" ");
  const body = new URLSearchParams({
    command: `/${command}`,
    text: text.join(" "),
    user_id: "U0OPERATOR",
    user_name: "operator",
    channel_id: channel,
    channel_name: "platform",
    team_id: "T0LAB",
    team_domain: "goldentooth-lab",
    api_app_id: "A0ARPEGGIO",
    is_enterprise_install: "false",
    trigger_id: `bench.${process.pid}.${sequence++}`,
    response_url: "http://127.0.0.1:9/none",
  }).toString();
  const stamp = String(Math.floor(Date.now() / 1_000));
  const signature = `v0=${createHmac("sha256", secret).update(`v0:${stamp}:${body}`).digest("hex")}`;
  const begun = performance.now();
  const exchange = (): Promise<Answer> =>
    new Promise((done, fail) => {
      const call = request(
        {
          host: "127.0.0.1",
          port,
          path: "/slack/events",
          method: "POST",
          agent,
          timeout: 10_000,
          headers: {
            "content-type": "application/x-www-form-urlencoded",
            "content-length": Buffer.byteLength(body),
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature,
          },
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on("end", () =>
            done({ words, ms: performance.now() - begun, status: response.statusCode ?? 0, body: text }),
          );
        },
      );
      call.on("timeout", () => call.destroy(new Error("no answer in 10 s")));
      call.on("error", (error: NodeJS.ErrnoException) => {
        // The server closed a kept connection while this was on its way: every HTTP client sends once more, and so does this.
        if (call.reusedSocket && error.code === "ECONNRESET") {
          resent += 1;
          exchange().then(done, fail);
        } else fail(error);
      });
      call.end(body);
    });
  return exchange();
}

/** Open loop: commands leave on time whether or not earlier ones were answered. */
async function load(
  port: number,
  secret: string,
  seconds: number,
  probes: boolean,
): Promise<Readonly<{ answers: readonly Answer[]; lost: number }>> {
  const pending: Promise<Answer | undefined>[] = [];
  const begun = performance.now();
  for (let i = 0; i < seconds * 50; i++) {
    const due = begun + i * 20;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    const words = probes && i % 50 === 0 ? "arping httpbin" : (mix[i % mix.length] as string);
    pending.push(
      send(port, secret, words, ["C0PLATFORM", "C0ALERTS", "C0DNS"][Math.floor(i / 50) % 3] as string).catch(
        (error: unknown) => {
          losses.set(String(error), (losses.get(String(error)) ?? 0) + 1);
          return undefined;
        },
      ),
    );
  }
  const answers = await Promise.all(pending);
  const good = answers.filter(
    (answer): answer is Answer => answer !== undefined && answer.status === 200 && answer.body !== "",
  );
  return { answers: good, lost: answers.length - good.length };
}

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

const residentMiB = async (child: ChildProcess): Promise<number> => {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1_024;
};

/**
 * 50 signed commands a second for `--seconds` (20) against the bot and against a bare Bolt ack, both at once; then, with `--minutes N`, the bot's resident memory after one and after N minutes of the same load.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "20" },
      rounds: { type: "string", default: "2" },
      minutes: { type: "string", default: "0" },
      /** Directory for a CPU profile of the bot. */
      profile: { type: "string" },
    },
  });
  const dir = await mkdtemp(join(tmpdir(), "arpeggio-bench-"));
  const lab = start("infra/lab/main.ts", {}, ["--scenario", "goldentooth-l2", "--dir", dir]);
  const children = [lab];
  try {
    await ready(lab);
    const env = Object.fromEntries(
      [...(await readFile(join(dir, "env"), "utf8")).matchAll(/^export (\w+)='(.*)'$/gm)].map((m) => [
        m[1] as string,
        m[2] as string,
      ]),
    );
    const secret = env.SLACK_SIGNING_SECRET as string;
    const port = Number(env.PORT);
    const bot = start(
      "bot/main.ts",
      env,
      [],
      values.profile ? ["--cpu-prof", `--cpu-prof-dir=${values.profile}`] : [],
    );
    const bare = start("bench/bare-bolt.ts", { ...env, PORT: String(port + 1) });
    children.push(bot, bare);
    await Promise.all([ready(bot), ready(bare)]);
    await load(port, secret, 3, true);
    await load(port + 1, secret, 3, false);
    const measured: { bare: number[]; bot: number[]; lost: number; slowest: Answer[] } = {
      bare: [],
      bot: [],
      lost: 0,
      slowest: [],
    };
    for (let round = 0; round < Number(values.rounds); round++) {
      // Both at once: what the lab, the load and the probes take of the machine, they take from both.
      const [baseline, product] = await Promise.all([
        load(port + 1, secret, Number(values.seconds), false),
        load(port, secret, Number(values.seconds), true),
      ]);
      measured.bare.push(...baseline.answers.map((a) => a.ms));
      measured.bot.push(...product.answers.map((a) => a.ms));
      measured.lost += product.lost;
      measured.slowest.push(...product.answers.toSorted((a, b) => b.ms - a.ms).slice(0, 5));
    }
    const row = (name: string, ms: readonly number[]): string =>
      `${name.padEnd(10)} n=${String(ms.length).padStart(5)}  p50 ${quantile(ms, 0.5).toFixed(1)} ms  p99 ${quantile(ms, 0.99).toFixed(1)} ms`;
    process.stdout.write(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}\n`);
    process.stdout.write(`${row("bare Bolt", measured.bare)}\n${row("arpeggio", measured.bot)}\n`);
    for (const { words, ms } of measured.slowest)
      process.stdout.write(`  slowest: ${ms.toFixed(1)} ms  ${words}\n`);
    const ratio = quantile(measured.bot, 0.99) / quantile(measured.bare, 0.99);
    process.stdout.write(
      `p99 ratio ${ratio.toFixed(2)} (limit 1.5), lost ${measured.lost} of ${measured.bot.length + measured.lost}\n`,
    );
    if (resent > 0) process.stdout.write(`  sent again over a new connection: ${resent}\n`);
    for (const [why, times] of losses) process.stdout.write(`  lost ${times}: ${why}\n`);
    process.stdout.write(
      `load average ${loadavg()
        .map((n) => n.toFixed(1))
        .join(", ")}\n`,
    );
    const minutes = Number(values.minutes);
    if (minutes > 1) {
      const begun = performance.now();
      let early = 0;
      for (let minute = 1; minute <= minutes; minute++) {
        const { lost } = await load(port, secret, 60, true);
        const now = await residentMiB(bot);
        if (minute === 1) early = now;
        process.stdout.write(
          `minute ${minute}: ${now.toFixed(0)} MiB, lost ${lost}, ${((performance.now() - begun) / 1_000).toFixed(0)} s\n`,
        );
        if (minute === minutes)
          process.stdout.write(`memory ratio ${(now / early).toFixed(2)} (limit 1.15)\n`);
      }
    }
    if (ratio > 1.5 || measured.lost > 0) process.exitCode = 1;
  } finally {
    for (const child of children) child.kill("SIGTERM");
    agent.destroy();
    await rm(dir, { recursive: true, force: true });
  }
}
