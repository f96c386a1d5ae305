import { execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleBot } from "#infra/bundle.ts";
import { bootLab, type Lab } from "#infra/lab/boot.ts";
import { clusterConfigOf } from "#infra/lab/in-memory.ts";
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";
import { readAudit } from "#shared/ledger/audit.ts";
import { utcDay } from "#shared/ledger/stream.ts";
import { sites } from "#shared/twin/sites/all.ts";

const root = join(import.meta.dirname, "..");
let dir: string;
let lab: Lab;

type Ended = Readonly<{ code: number; stdout: string; stderr: string }>;

function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", file, ...args],
      { env: { PATH: process.env.PATH ?? "", HOME: dir, ...env }, cwd: dir, timeout: 60_000 },
      (error, stdout, stderr) =>
        done({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}

/** What differs from run to run: times, durations, ids. */
const masked = (text: string): string =>
  text
    .replaceAll(/\d{2}:\d{2}:\d{2}( UTC)?/g, "TIME")
    .replaceAll(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, "TIME")
    .replaceAll(/\d+(\.\d+)? ?(ms|s)\b/g, "N s")
    .replaceAll(/"(seconds|resolutionMs|ms|at|endedAt|startedAt|upMs)": ?[\d.]+/g, '"$1": N')
    .replaceAll(/q-[0-9a-f]{8}/g, "q-ID");

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "arpeggio-bundle-"));
  await bundleBot(join(dir, "dist"));
  lab = await bootLab({ scenario: "goldentooth-l2", dir: join(dir, "lab"), botPort: 1 });
  await writeFile(join(dir, "bad.yaml"), "clusters: 3\n");
  await writeFile(join(dir, "arping.txt"), "");
});

afterAll(async () => {
  await lab.close();
  await rm(dir, { recursive: true, force: true });
});

describe("pictures of the bundled bin", () => {
  it("are drawn with the fonts that come along, and saved where only their owner reads", async () => {
    const env = { ARPEGGIO_CONFIG: lab.files.config };
    const asked = ["arping", "watch", "httpbin", "--for", "1s", "--json"];
    const { stdout, stderr } = await run(join(dir, "dist/arpeggio.mjs"), asked, env);
    const [picture] = (JSON.parse(stdout || stderr) as { pictures: { file: string; alt: string }[] })
      .pictures;
    expect(picture?.alt).toContain("httpbin 10.4.11.1");
    const file = picture?.file ?? "";
    expect(file).toBe(join(dir, ".cache/arpeggio/pictures/goldentooth-timeline-of-httpbin-10.4.11.1.png"));
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect((await readFile(file)).subarray(1, 4).toString()).toBe("PNG");
  });
});

describe("the bundled bin behaves like the checkout", () => {
  const cases: readonly Readonly<{ args: readonly string[]; code: number; config?: "lab" | "bad" }>[] = [
    { args: ["--help"], code: 0 },
    { args: ["help", "arping"], code: 0 },
    { args: ["schema"], code: 0 },
    { args: ["manifest"], code: 0 },
    { args: ["arpin", "httpbin"], code: 2 },
    { args: ["arping", "httpbin"], code: 3 },
    { args: ["arp", "read", "arping.txt", "--json"], code: 3 },
    { args: ["status"], code: 2, config: "bad" },
    // A broken config does not stop what helps to mend it.
    { args: ["schema"], code: 0, config: "bad" },
    { args: ["whoami", "--json"], code: 0, config: "lab" },
    { args: ["nodes", "impact", "karstark"], code: 0, config: "lab" },
    { args: ["arping", "prometheus", "--json"], code: 1, config: "lab" },
    { args: ["arping", "htpbin"], code: 2, config: "lab" },
  ];

  it.each(cases)("arpeggio $args exits $code", async ({ args, code, config }) => {
    const env: Record<string, string> =
      config === undefined
        ? {}
        : { ARPEGGIO_CONFIG: config === "lab" ? lab.files.config : join(dir, "bad.yaml") };
    // One after the other: two arpings at once from one machine hear each other's replies.
    const bundled = await run(join(dir, "dist/arpeggio.mjs"), args, env);
    const checkout = await run(join(root, "bot/cli.ts"), args, env);
    expect({ ...checkout, stdout: masked(checkout.stdout) }).toMatchObject({ code, stderr: "" });
    expect(masked(bundled.stdout)).toBe(masked(checkout.stdout));
    expect(bundled.code).toBe(checkout.code);
    expect(checkout.stdout).not.toBe("");
  });

  it("help loads no SDK and no adapter", async () => {
    const { stdout } = await run(join(root, "test/build/loaded-modules.ts"), [
      join(root, "bot/cli.ts"),
      "--help",
    ]);
    const loaded: string[] = JSON.parse(stdout.split("\n").at(-2) as string);
    expect(
      loaded.filter((url) =>
        /node_modules\/(@slack|@kubernetes|@aws-sdk|ssh2|undici)|\/shared\/adapters\/(ssh|kubernetes|slack|ledger)/.test(
          url,
        ),
      ),
    ).toEqual([]);
    expect(loaded.some((url) => url.includes("/bot/cli.ts"))).toBe(true);
  });
});

/** A bot process at the lab: what it answers to signed commands, and how it ends. */
async function bot(file: string) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file], {
    env: { PATH: process.env.PATH ?? "", HOME: dir, ...lab.env, PORT: "0" },
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const url = await new Promise<string>((done, fail) => {
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      const ready = /^ready: (\S+),/m.exec(stdout)?.[1];
      if (ready !== undefined) done(ready);
    });
    void exited.then(() => fail(new Error(stderr)));
  });
  return {
    ask: async (command: string, text: string): Promise<string> => {
      const body = new URLSearchParams({
        command,
        text,
        user_id: "U0OPERATOR",
        team_id: "T0LAB",
        channel_id: "C0PLATFORM",
        trigger_id: crypto.randomUUID(),
        response_url: "http://127.0.0.1:9/none",
      }).toString();
      const stamp = String(Math.floor(Date.now() / 1_000));
      const signature = createHmac("sha256", lab.env.SLACK_SIGNING_SECRET as string)
        .update(`v0:${stamp}:${body}`)
        .digest("hex");
      const response = await fetch(url, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          "x-slack-request-timestamp": stamp,
          "x-slack-signature": `v0=${signature}`,
        },
      });
      return ((await response.json()) as { text: string }).text;
    },
    stop: async () => {
      child.kill("SIGTERM");
      const [code] = await exited;
      return { code: code as number | null, stderr };
    },
  };
}

describe("the bot and its threads, from source and bundled", () => {
  it.each([
    ["source", () => join(root, "bot/main.ts")],
    ["bundle", () => join(dir, "dist/bot.mjs")],
  ])("%s: looks at the cluster, keeps the record, ends in order", async (_, file) => {
    const ledgerFile = join(dir, "lab/ledger.sqlite");
    const running = await bot(file());
    const before = Date.now();
    expect(await running.ask("/arpeggio", "whoami")).toContain("operator");
    expect(await running.ask("/nodes", "impact bettley")).toMatch(/bettley/);
    expect(await running.stop()).toEqual({ code: 0, stderr: "" });
    const ledger = await openSqliteLedger({ file: ledgerFile, now: Date.now });
    const days = [...new Set([utcDay(before), utcDay(Date.now())])];
    const entries = (await Promise.all(days.map((day) => readAudit(ledger, day))))
      .flat()
      .filter(({ at }) => at >= before);
    expect(entries.map(({ words }) => words)).toEqual(["arpeggio whoami", "nodes impact bettley"]);
    await ledger.close();
  });
});

it("the lab's config matches the site it was made from", () => {
  const spec = sites["goldentooth-l2"]?.();
  expect(spec && clusterConfigOf(spec).vantages.length).toBe(3);
});
