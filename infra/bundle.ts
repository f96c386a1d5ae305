import "../bot/require-node.ts";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { pictureAssets } from "#shared/adapters/render-png.ts";

/** What CommonJS packages (ssh2, Bolt) expect to find in their scope, and an ESM file has to make for itself. */
const commonJsNames = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/**
 * Makes what is installed: one directory of ESM chunks in which adapters stay apart, so that `--help` never loads an
 * SDK.
 */
export async function bundleBot(outdir: string): Promise<readonly string[]> {
  await rm(outdir, { recursive: true, force: true });
  const built = await build({
    absWorkingDir: join(import.meta.dirname, ".."),
    // Entries of threads keep their names, so that the chunks beside them find them.
    entryPoints: {
      arpeggio: "bot/cli.ts",
      bot: "bot/main.ts",
      "ledger-worker": "shared/adapters/ledger-worker.ts",
      "cluster-worker": "shared/adapters/cluster-worker.ts",
    },
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    outExtension: { ".js": ".mjs" },
    mainFields: ["module", "main"],
    // Optional native speed-ups of ssh2 and ws: without them their JavaScript does the same.
    external: ["cpu-features", "*.node", "bufferutil", "utf-8-validate"],
    banner: { js: commonJsNames },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  await mkdir(join(outdir, "assets"), { recursive: true });
  const here = createRequire(import.meta.url);
  await Promise.all(
    pictureAssets.map(({ name, module }) => copyFile(here.resolve(module), join(outdir, "assets", name))),
  );
  return Object.keys(built.metafile.outputs);
}

/** The functions of `lambdas/`, each a folder with its handler. */
export const lambdaNames = ["scan-drift", "apply-changes"] as const;
export type LambdaName = (typeof lambdaNames)[number];

export type LambdaBundle = Readonly<{
  /** What is deployed: `handler.mjs` and whatever its settings are. */
  directory: string;
  file: string;
  bytes: number;
  /** Every source and package file in it, as paths from the root of the checkout. */
  inputs: readonly string[];
}>;

/**
 * Makes what runs on Lambda: one ESM file each, for a bare Node 24. The SDK goes along, so that what was tested is what
 * runs; taken from its CommonJS files it would die at load.
 */
export async function bundleLambdas(outdir: string): Promise<Readonly<Record<LambdaName, LambdaBundle>>> {
  await rm(outdir, { recursive: true, force: true });
  const made = await Promise.all(
    lambdaNames.map(async (name): Promise<readonly [LambdaName, LambdaBundle]> => {
      const directory = join(outdir, name);
      const file = join(directory, "handler.mjs");
      const built = await build({
        absWorkingDir: join(import.meta.dirname, ".."),
        entryPoints: [`lambdas/${name}/handler.ts`],
        outfile: file,
        bundle: true,
        minify: true,
        format: "esm",
        platform: "node",
        target: "node24",
        mainFields: ["module", "main"],
        banner: { js: commonJsNames },
        legalComments: "none",
        metafile: true,
        logLevel: "warning",
      });
      const [output] = Object.values(built.metafile.outputs);
      if (output === undefined) throw new Error(`esbuild made nothing of lambdas/${name}`);
      return [name, { directory, file, bytes: output.bytes, inputs: Object.keys(output.inputs) }];
    }),
  );
  return Object.fromEntries(made) as Record<LambdaName, LambdaBundle>;
}

if (import.meta.main) {
  const outdir = join(import.meta.dirname, "../dist");
  const files = await bundleBot(outdir);
  const lambdas = await bundleLambdas(join(outdir, "lambdas"));
  for (const [name, { bytes }] of Object.entries(lambdas))
    process.stdout.write(`dist/lambdas/${name}/handler.mjs: ${Math.round(bytes / 1024)} kB\n`);
  process.stdout.write(`${files.length} files in dist; run it: node dist/arpeggio.mjs --help\n`);
}
