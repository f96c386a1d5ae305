import "../../bot/require-node.ts";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { nearest } from "#shared/nearest.ts";
import { sites } from "#shared/twin/sites/all.ts";
import { bootLab } from "./boot.ts";

const { values } = parseArgs({
  options: {
    scenario: { type: "string", default: "goldentooth" },
    dir: { type: "string", default: ".lab" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

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

if (values.help || values.list) {
  process.stdout.write(
    `Usage: npm run lab -- [--scenario NAME] [--dir .lab]\nScenarios: ${Object.keys(sites).join(", ")}\n`,
  );
} else if (!(values.scenario in sites)) {
  const near = nearest(values.scenario, Object.keys(sites));
  process.stderr.write(
    `There is no scenario "${values.scenario}".${near ? ` Nearest: ${near}.` : ""} Known: ${Object.keys(sites).join(", ")}\n`,
  );
  process.exitCode = 2;
} else {
  const dir = resolve(values.dir);
  const lab = await bootLab({ scenario: values.scenario, dir, botPort: await freePort() });
  process.stdout.write(
    `lab ${values.scenario}: Kubernetes API ${lab.env.LAB_KUBERNETES_URL}, Slack ${lab.env.LAB_SLACK_URL}\n`,
  );
  process.stdout.write(`use it: . ${values.dir}/env\n`);
  process.stdout.write("ready\n");
  let closing = false;
  const stop = async (): Promise<void> => {
    if (closing) return;
    closing = true;
    await rm(lab.files.env, { force: true });
    await lab.close();
    process.exit(0);
  };
  process.on("SIGINT", () => void stop());
  process.on("SIGTERM", () => void stop());
  // A parent that started us over a channel and went away leaves no lab behind.
  process.on("disconnect", () => void stop());
}
