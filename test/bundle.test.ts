import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleBot } from "#infra/bundle.ts";
import { bootLab, type Lab } from "#infra/lab/boot.ts";
import { clusterConfigOf } from "#infra/lab/in-memory.ts";
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
}, 60_000);

afterAll(async () => {
  await lab.close();
  await rm(dir, { recursive: true, force: true });
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

it("the lab's config matches the site it was made from", () => {
  const spec = sites["goldentooth-l2"]?.();
  expect(spec && clusterConfigOf(spec).vantages.length).toBe(3);
});
