import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { createLedgerTable } from "#infra/lab/aws/create-ledger-table.ts";
import { bootLab, type Lab } from "#infra/lab/boot.ts";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import { readAudit } from "#shared/ledger/audit.ts";
import { utcDay } from "#shared/ledger/stream.ts";

const main = join(import.meta.dirname, "../../bot/main.ts");

describe("a bot whose config has ledger.dynamodb", () => {
  let dir: string;
  let lab: Lab;
  let original: Record<string, unknown>;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "dynamo-bot-"));
    lab = await bootLab({ scenario: "healthy", dir: join(dir, "lab"), botPort: 0 });
    original = parse(await readFile(lab.files.config, "utf8")) as Record<string, unknown>;
  });
  afterAll(async () => {
    await lab.close();
    await rm(dir, { recursive: true });
  });

  /** Starts it with a config; `url` settles when it is ready, `end` when it has gone. */
  async function start(change: Record<string, unknown>) {
    const { aws, ...rest } = original;
    await writeFile(lab.files.config, stringify({ ...rest, aws, ...change }));
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
      env: { PATH: process.env.PATH ?? "", HOME: dir, ...lab.env, PORT: "0" },
      cwd: dir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const end = once(child, "close").then(([code]) => ({ code: code as number | null, stderr }));
    const url = new Promise<string>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
        const ready = /^ready: (\S+),/m.exec(stdout)?.[1];
        if (ready !== undefined) resolve(ready);
      });
      void end.then(() => reject(new Error(stderr)));
    });
    url.catch(() => {});
    return { child, url, end };
  }

  const signed = (text: string) => {
    const body = new URLSearchParams({
      command: "/arpeggio",
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
    return {
      method: "POST",
      body,
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": `v0=${signature}`,
      },
    };
  };

  it("keeps its record there", async () => {
    const at = { endpoint: lab.aws.url, region: "eu-central-1", table: "arpeggio-ledger" };
    await createLedgerTable(at);
    const before = Date.now();
    const { child, url, end } = await start({ ledger: { dynamodb: { table: at.table } } });
    const response = await fetch(await url, signed("whoami"));
    expect(((await response.json()) as { text: string }).text).toContain("operator");
    child.kill("SIGTERM");
    expect(await end).toEqual({ code: 0, stderr: "" });
    const ledger = openDynamoLedger({
      ...at,
      credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
      now: Date.now,
    });
    const days = [...new Set([utcDay(before), utcDay(Date.now())])];
    const entries = (await Promise.all(days.map((day) => readAudit(ledger, day)))).flat();
    expect(entries.map(({ words }) => words)).toEqual(["arpeggio whoami"]);
    await ledger.close();
  });

  it("does not start when the table is not there, and says which", async () => {
    const { end } = await start({ ledger: { dynamodb: { table: "no-such-table" } } });
    const { code, stderr } = await end;
    expect(code).toBe(2);
    expect(stderr).toContain("ledger.dynamodb.table is no-such-table, aws.region is eu-central-1");
    expect(stderr).toContain("ResourceNotFoundException");
  });

  it("does not start without a region", async () => {
    const { end } = await start({ ledger: { dynamodb: { table: "arpeggio-ledger" } }, aws: undefined });
    const { code, stderr } = await end;
    expect(code).toBe(2);
    expect(stderr).toContain("expected aws: { region } beside ledger:");
  });
});
