import { mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SnapshotStore } from "../dns/snapshot.ts";
import { FaultError } from "../fault.ts";
import { createSnapshotStore } from "./snapshots.ts";

/** Older snapshots of a cluster than its newest so many are deleted. */
const kept = 100;

const faultOf = (path: string, error: unknown): FaultError => {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const kind = code === "EACCES" || code === "EPERM" || code === "EROFS" ? "denied" : "unreadable";
  return new FaultError({ kind, what: `snapshot ${path}`, detail: code }, { cause: error });
};

async function prune(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".json.gz"));
  if (names.length <= kept) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(directory, name))).mtimeMs })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(kept);
  await Promise.all(old.map(({ name }) => unlink(join(directory, name))));
}

/** Snapshots in a directory, for a bot without AWS: a folder a cluster, readable by the bot's account only. */
export function openSnapshotDirectory(options: Readonly<{ directory: string }>): SnapshotStore {
  const { directory } = options;
  let written = 0;
  return createSnapshotStore({
    place: (key) => join(directory, key),
    get: async (key) => {
      const path = join(directory, key);
      try {
        return await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw faultOf(path, error);
      }
    },
    put: async (key, bytes) => {
      const path = join(directory, key);
      written += 1;
      const draft = `${path}.${process.pid}-${written}.draft`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(draft, "w", 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
        await prune(dirname(path));
      } catch (error) {
        throw faultOf(path, error);
      }
    },
  });
}
