import "../bot/require-node.ts";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

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
  return Object.keys(built.metafile.outputs);
}

if (import.meta.main) {
  const outdir = join(import.meta.dirname, "../dist");
  const files = await bundleBot(outdir);
  process.stdout.write(`${files.length} files in dist; run it: node dist/arpeggio.mjs --help\n`);
}
