import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { type StoryName, stories } from "./stories.ts";
import type { BotOrders, Death, LastWords, Life, WorldEnd } from "./world.ts";

export type Died = Readonly<{ call: string; when: "before" | "after"; step: string }>;

/** A world to its end: how its run ended, where its processes died, and what is left. */
export type Lived = WorldEnd &
  Readonly<{
    ended: string;
    died: readonly Died[];
    halts: readonly string[];
    /** Calls of all its processes, by name. */
    calls: Readonly<Record<string, number>>;
    starts: number;
  }>;

export type CrashLab = Readonly<{
  /** Lives one run; `deaths` says where the next process may die, whichever comes first, after those that died. */
  live: (story: StoryName, deaths: (died: readonly Died[]) => readonly Death[]) => Promise<Lived>;
  close: () => Promise<void>;
}>;

const commonJsNames = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** Both programs in one file each: what starts two hundred times should start fast. */
async function bundled(outdir: string): Promise<void> {
  await build({
    absWorkingDir: join(import.meta.dirname, "../../../.."),
    entryPoints: {
      bot: "test/bot/runs/crash/bot-process.ts",
      lab: "test/bot/runs/crash/lab-process.ts",
    },
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    outExtension: { ".js": ".mjs" },
    mainFields: ["module", "main"],
    external: ["cpu-features", "*.node", "bufferutil", "utf-8-validate"],
    banner: { js: commonJsNames },
    legalComments: "none",
    logLevel: "warning",
  });
}

type Env = Readonly<Record<string, string>>;

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((done, fail) => {
    if (child.stdout === null) return fail(new Error("no output"));
    createInterface(child.stdout).once("line", done);
    child.once("exit", (code) => fail(new Error(`the lab ended with ${code}`)));
  });

/** A lab in a process of its own, and one bot process after the other against it. `factor`: how fast its time runs. */
export async function startCrashLab(factor: number): Promise<CrashLab> {
  const dir = await mkdtemp(join(tmpdir(), "arpeggio-crash-"));
  await bundled(join(dir, "programs"));
  const env = { ...process.env, NODE_COMPILE_CACHE: join(dir, "cache") };
  const lab = fork(join(dir, "programs/lab.mjs"), [], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    execArgv: [],
    env,
  });
  const url = (await firstLine(lab)).replace("ready ", "");
  const call = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  let count = 0;

  const oneProcess = async (orders: BotOrders, ofLab: Env): Promise<LastWords> => {
    const bot = spawn(process.execPath, [join(dir, "programs/bot.mjs"), JSON.stringify(orders)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...env, ...ofLab },
    });
    let said = "";
    let complained = "";
    bot.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    bot.stderr.on("data", (chunk: Buffer) => {
      complained += chunk.toString();
    });
    const [code, signal] = await new Promise<[number | null, string | null]>((done) => {
      bot.once("close", (...how) => done(how));
    });
    const line = said.trim().split("\n").at(-1) ?? "";
    if (line === "" || (signal !== "SIGKILL" && code !== 0))
      throw new Error(`the bot ended with ${code ?? signal}: ${complained}`);
    if (process.env.ARPEGGIO_CRASH_LOG) process.stderr.write(complained);
    return JSON.parse(line) as LastWords;
  };

  return {
    live: async (story, deaths) => {
      const name = `world-${++count}`;
      const life: Life = { name, dir: join(dir, name), story, factor, began: Date.now() };
      const ofLab = (await call(`/create?life=${encodeURIComponent(JSON.stringify(life))}`)) as Env;
      const died: Died[] = [];
      const halts: string[] = [];
      const calls: Record<string, number> = {};
      const { first } = stories[story];
      for (let starts = 1; starts < 2_000; starts++) {
        const next = starts === 1 && first !== undefined ? [first] : deaths(died);
        const last = await oneProcess({ life, lab: url, deaths: next }, ofLab);
        for (const [port, times] of Object.entries(last.calls)) calls[port] = (calls[port] ?? 0) + times;
        halts.push(...last.halts);
        if (last.when === "ended") {
          const end = (await call(`/end?world=${name}`)) as WorldEnd;
          return { ...end, ended: last.call, died, halts, calls, starts };
        }
        died.push({ call: last.call, when: last.when, step: last.step });
      }
      throw new Error(`no end after 2000 starts; died last at ${JSON.stringify(died.slice(-5))}`);
    },
    close: async () => {
      const gone = new Promise((done) => lab.once("exit", done));
      if (lab.connected) lab.disconnect();
      await gone;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
