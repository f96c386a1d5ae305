import "../../bot/require-node.ts";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { nearest } from "#shared/nearest.ts";
import { sites } from "#shared/twin/sites/all.ts";
import { bootLab } from "./boot.ts";
import { labIn, occupy, vacate } from "./lock.ts";

const usage = `Usage: npm run lab -- [--scenario NAME] [--dir .lab]\nScenarios: ${Object.keys(sites).join(", ")}\n`;

const readArguments = () =>
  parseArgs({
    options: {
      scenario: { type: "string", default: "goldentooth" },
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
if (values.help) {
  process.stdout.write(usage);
} else if (!(values.scenario in sites)) {
  const near = nearest(values.scenario, Object.keys(sites));
  process.stderr.write(
    `There is no scenario "${values.scenario}".${near ? ` Nearest: ${near}.` : ""} Known: ${Object.keys(sites).join(", ")}\n`,
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
  const lab = await bootLab({ scenario: values.scenario, dir, botPort: await freePort() });
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
