import "../bot/require-node.ts";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generatedFiles } from "./generated-files.ts";

const root = join(import.meta.dirname, "..");
for (const { path, make } of generatedFiles) {
  const file = join(root, path);
  const before = await readFile(file, "utf8").catch(() => "");
  const after = await make(before);
  if (after !== before) await writeFile(file, after);
  process.stdout.write(`${after === before ? "current" : "written"}  ${path}\n`);
}
