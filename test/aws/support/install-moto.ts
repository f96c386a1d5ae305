import { execFile } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of moto_server, or why there is none. */
    moto: Readonly<{ server: string } | { missing: string }>;
  }
}

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const folder = join(root, ".cache/moto");
const requirements = join(root, "test/aws/requirements.txt");

/** The version that is installed, or `undefined`. */
const installed = async (): Promise<string | undefined> =>
  run(join(folder, "bin/python"), ["-c", "import importlib.metadata as m; print(m.version('moto'))"]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );

async function install(): Promise<Readonly<{ server: string } | { missing: string }>> {
  const server = join(folder, "bin/moto_server");
  const wanted = /^moto\[server\]==(\S+)$/m.exec(await readFile(requirements, "utf8"))?.[1];
  if ((await installed()) === wanted) return { server };
  try {
    await run("python3", ["-m", "venv", folder]);
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { missing: `no Python 3 that can make a virtual environment (${detail})` };
  }
  try {
    await run(join(folder, "bin/pip"), ["install", "--quiet", "-r", requirements], { timeout: 300_000 });
    await access(server);
    return { server };
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    return { missing: `moto could not be installed (${stderr?.trim().split("\n").at(-1) ?? String(error)})` };
  }
}

/** Installs the pinned moto once, under .cache. Without it the tests that need it are skipped, and this says why. */
export default async function setup(project: TestProject): Promise<void> {
  const moto = await install();
  if ("missing" in moto) {
    if (process.env.REQUIRE_MOTO) throw new Error(moto.missing);
    process.stdout.write(`tests against moto are SKIPPED: ${moto.missing}\n`);
  }
  project.provide("moto", moto);
}
