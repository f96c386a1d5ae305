import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleLambdas, type LambdaBundle, type LambdaName, lambdaNames } from "#infra/bundle.ts";

let dir: string;
let bundles: Readonly<Record<LambdaName, LambdaBundle>>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "arpeggio-lambda-bundles-"));
  bundles = await bundleLambdas(dir);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const run = promisify(execFile);

/** Node as Lambda has it: no flags, no module folders, nothing in the environment but what is given. */
async function invoke(name: LambdaName, event: unknown, env: Readonly<Record<string, string>> = {}) {
  const { directory, file } = bundles[name];
  const code = `const { handler } = await import(${JSON.stringify(file)});
    const context = { awsRequestId: "r-1", getRemainingTimeInMillis: () => 60000 };
    try { await handler(${JSON.stringify(event)}, context); } catch (error) { console.error(error.message); }`;
  return run(process.execPath, ["--input-type=module", "-e", code], {
    cwd: directory,
    env: { LAMBDA_TASK_ROOT: directory, ...env },
  });
}

const environment = {
  AWS_REGION: "eu-central-1",
  LEDGER_TABLE: "table",
  SNAPSHOT_BUCKET: "bucket",
  SLACK_TOKEN_SECRET: "slack",
};

describe.each(lambdaNames)("the bundle of %s", (name) => {
  it("is one file that loads in a bare Node and says all that is not configured at once", async () => {
    expect(await readdir(bundles[name].directory)).toEqual(["handler.mjs"]);
    const { stderr, stdout } = await invoke(name, { plan: "P-00000000" });
    expect(stderr).toContain("the function is not configured:");
    expect(stderr).toContain("environment AWS_REGION");
    expect(stderr).toContain("environment LEDGER_TABLE");
    expect(stderr).toContain("settings.json: ENOENT");
    expect(JSON.parse(stdout)).toMatchObject({ level: "error", function: name, requestId: "r-1" });
  });

  it("names every problem of its settings with its place", async () => {
    const file = join(dir, `${name}.json`);
    await writeFile(
      file,
      JSON.stringify({ cluster: "Not A Name", zones: [{ id: "x", name: "a..b" }], unheard: 1 }),
    );
    const { stderr } = await invoke(name, { plan: "P-00000000" }, { ...environment, SETTINGS_FILE: file });
    for (const place of ["cluster:", "zones.0.id:", "zones.0.name:", 'Unrecognized key: "unheard"'])
      expect(stderr).toContain(place);
  });

  it("holds neither Bolt nor a Kubernetes client nor ssh2, and no more than it needs", () => {
    const packages = new Set(
      bundles[name].inputs.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]),
    );
    expect(
      [...packages].filter((each) => /bolt|kubernetes|ssh2|^express$|socket-mode|undici/.test(each ?? "")),
    ).toEqual([]);
    expect([...packages]).toContain("@aws-sdk/client-route-53");
    expect(
      bundles[name].inputs.filter((file) => file.startsWith("bot/") || file.startsWith("infra/")),
    ).toEqual([]);
    expect(bundles[name].bytes).toBeLessThan(1_200_000);
  });
});

it("only the writer's bundle has what changes a zone by a plan", () => {
  expect(bundles["apply-changes"].inputs).toContain("shared/drift/apply-plan.ts");
  expect(bundles["scan-drift"].inputs).not.toContain("shared/drift/apply-plan.ts");
});
