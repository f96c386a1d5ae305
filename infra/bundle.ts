import "../bot/require-node.ts";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/**
 * Makes what is installed: one directory of ESM chunks in which adapters stay apart, so that `--help` never loads an
 * SDK. CommonJS packages in the bundle (ssh2, Bolt) still call `require`, which an ESM file has to make for itself.
 */
export async function bundleBot(outdir: string): Promise<readonly string[]> {
  await rm(outdir, { recursive: true, force: true });
  const built = await build({
    absWorkingDir: join(import.meta.dirname, ".."),
    entryPoints: { arpeggio: "bot/cli.ts", bot: "bot/main.ts" },
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
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module";\nconst require = __createRequire(import.meta.url);',
    },
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
