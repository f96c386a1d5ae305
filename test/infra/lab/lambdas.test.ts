import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, expect, it } from "vitest";
import { valuesOf } from "#shared/dns/record-set.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { dangling } from "../../bot/commands/dns-site.ts";
import { labCredentials as credentials } from "./aws/lab-zones.ts";

const start = join(import.meta.dirname, "../../../infra/lab/start.ts");
const zone = goldentooth().dns?.zones.find(({ name }) => name === "hellholt.net")?.id ?? "";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "arpeggio-console-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The console, typed at as by a person. */
function openConsole() {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", start, "--lambdas", "--no-color"],
    {
      env: { PATH: process.env.PATH ?? "", HOME: dir },
      cwd: dir,
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let said = "";
  const hear = (chunk: Buffer): void => {
    said += chunk.toString();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const closed = once(child, "close");
  return {
    /** The lab behind it goes with it. */
    leave: async () => {
      child.kill("SIGKILL");
      await closed;
    },
    type: (line: string) => void child.stdin.write(`${line}\n`),
    hears: async (words: RegExp): Promise<RegExpExecArray> => {
      const until = Date.now() + 20_000;
      for (;;) {
        const found = words.exec(said);
        if (found) return found;
        if (child.exitCode !== null || Date.now() > until) {
          child.kill("SIGKILL");
          throw new Error(`waited for ${words}:\n${said}`);
        }
        await new Promise((done) => setTimeout(done, 50));
      }
    },
  };
}

it("npm start --lambdas: a plan that somebody else approves changes the lab's zone, by the bundled function", async () => {
  const console_ = openConsole();
  console_.type("/arpeggio whoami");
  await console_.hears(/operator/);
  const env = await readFile(join(dir, ".lab/env"), "utf8");
  const endpoint = /AWS_ENDPOINT_URL='([^']+)'/.exec(env)?.[1] ?? "";
  const route53 = new Route53Client({ region: "us-east-1", endpoint, credentials });
  const names = async (): Promise<readonly string[]> =>
    (
      (await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zone }))).ResourceRecordSets ?? []
    ).map(({ Name }) => Name ?? "");
  const [Value = ""] = valuesOf(dangling);
  await route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone,
      ChangeBatch: {
        Changes: [
          {
            Action: "CREATE",
            ResourceRecordSet: {
              Name: `${dangling.name}.`,
              Type: "TXT",
              TTL: 300,
              ResourceRecords: [{ Value }],
            },
          },
        ],
      },
    }),
  );
  console_.type("/dns plan hellholt.net");
  const [id] = await console_.hears(/P-[0-9a-f]{8}/);
  console_.type("/as approver");
  console_.type(`/dns apply ${id}`);
  // The last name server has it 30 s later, and only then is it told as applied.
  await console_.hears(/APPROVED/);
  await expect.poll(names, { timeout: 20_000 }).not.toContain(`${dangling.name}.`);
  await console_.leave();
  route53.destroy();
});
