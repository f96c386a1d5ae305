import "../../bot/require-node.ts";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { scanEveryMs } from "#bot/dns/watch-zones.ts";
import { parseRelease } from "#shared/dns/release.ts";
import { nearest } from "#shared/nearest.ts";
import { bootLab } from "./boot.ts";
import { labIn, occupy, vacate } from "./lock.ts";
import { labScenarios } from "./scenarios.ts";

const usage = `Usage: npm run lab -- [--scenario NAME] [--external-dns RELEASE] [--lambdas] [--dir .lab]\nScenarios: ${Object.keys(labScenarios).join(", ")}\n`;

const readArguments = () =>
  parseArgs({
    options: {
      scenario: { type: "string", default: "goldentooth" },
      "external-dns": { type: "string" },
      lambdas: { type: "boolean", default: false },
      dir: { type: "string", default: ".lab" },
      help: { type: "boolean", default: false },
    },
  }).values;

let values: ReturnType<typeof readArguments>;
try {
  values = readArguments();
} catch (error) {
  process.stderr.write(`${(error as Error).message.split(". ")[0]}.\n${usage}`);
  process.exit(2);
}

/** A port for the bot that nobody uses now; the bot listens on it when it starts. */
const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address ? done(address.port) : fail(new Error("no port")),
      );
    });
  });

const dir = resolve(values.dir);
const occupant = labIn(dir);
const release = values["external-dns"];
if (values.help) {
  process.stdout.write(usage);
} else if (!(values.scenario in labScenarios)) {
  const near = nearest(values.scenario, Object.keys(labScenarios));
  process.stderr.write(
    `There is no scenario "${values.scenario}".${near ? ` Nearest: ${near}.` : ""} Known: ${Object.keys(labScenarios).join(", ")}\n`,
  );
  process.exitCode = 2;
} else if (release !== undefined && parseRelease(release) === undefined) {
  process.stderr.write(
    `--external-dns takes a release such as 0.22.0, not ${JSON.stringify(release)}. Modelled: 0.14 to 0.22.\n`,
  );
  process.exitCode = 2;
} else if (occupant !== undefined) {
  process.stderr.write(
    `A lab is running in ${dir} already (process ${occupant}). Stop it, or choose another --dir.\n`,
  );
  process.exitCode = 1;
} else {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  occupy(dir);
  // This site begins anew: runs of another one would go on about objects that are gone.
  for (const end of ["", "-wal", "-shm"]) await rm(join(dir, `ledger.sqlite${end}`), { force: true });
  const lab = await bootLab({
    scenario: values.scenario,
    dir,
    botPort: await freePort(),
    httpPort: await freePort(),
    ...(release === undefined ? {} : { externalDns: release.replace(/^v/, "") }),
    // A console in front scans by itself and tells what it finds; in front of nobody the function does, in Slack.
    ...(values.lambdas && {
      lambdas:
        process.send === undefined
          ? (["scan-drift", "apply-changes"] as const)
          : (["apply-changes"] as const),
    }),
  });
  const scan = lab.functions.get("scan-drift");
  const schedule =
    scan &&
    setInterval(() => {
      // What failed is in the function's answer on Lambda as well, which nobody waits for.
      void scan({ source: "aws.scheduler" }, { awsRequestId: crypto.randomUUID() }).catch(() => {});
    }, scanEveryMs);
  process.stdout.write(
    `lab ${values.scenario}: Kubernetes API ${lab.env.LAB_KUBERNETES_URL}, Slack ${lab.env.LAB_SLACK_URL}\n`,
  );
  process.stdout.write(`use it: . ${values.dir}/env\n`);
  // A console in front uses the same AWS: what it asks must not reach the real one.
  process.send?.({ env: lab.env });
  process.stdout.write("ready\n");
  let closing = false;
  const stop = async (): Promise<void> => {
    if (closing) return;
    closing = true;
    clearInterval(schedule);
    await rm(lab.files.env, { force: true });
    await vacate(dir);
    await lab.close();
    process.exit(0);
  };
  process.on("SIGINT", () => void stop());
  process.on("SIGTERM", () => void stop());
  // A parent that started us over a channel and went away leaves no lab behind.
  process.on("disconnect", () => void stop());
}
