import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The arping by Thomas Habets cannot be installed beside the iputils one, so it is unpacked. Looked for in this order:
 *  - `ARPING_HABETS`: path of the program (or of a wrapper that finds its libraries),
 *  - `.cache/habets` in the checkout: the Debian packages `arping` and `libnet1`, unpacked with `dpkg -x`,
 *  - the same made now with `apt-get download`, where that works.
 */
export type Habets = Readonly<{ program: string }> | Readonly<{ missing: string }>;

const cache = join(import.meta.dirname, "../../../.cache/habets");

function download(): string | undefined {
  try {
    mkdirSync(cache, { recursive: true });
    execFileSync("apt-get", ["download", "-q", "arping", "libnet1"], {
      cwd: cache,
      stdio: "pipe",
      timeout: 40_000,
    });
    for (const name of readdirSync(cache).filter((each) => each.endsWith(".deb")))
      execFileSync("dpkg", ["-x", join(cache, name), cache], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: Buffer };
    return (
      stderr
        ?.toString()
        .split("\n")
        .find((line) => line.startsWith("E:")) ?? message
    );
  }
}

function libraryDirectory(root: string): string | undefined {
  const lib = join(root, "usr/lib");
  if (!existsSync(lib)) return undefined;
  return readdirSync(lib)
    .map((triplet) => join(lib, triplet))
    .find((directory) => existsSync(join(directory, "libnet.so.1")));
}

const starts = (program: string): boolean => {
  const { stdout } = spawnSync(program, ["--help"], { encoding: "utf8" });
  return stdout?.startsWith("ARPing") === true;
};

/** The unpacked program itself, or a wrapper beside it where its library is only unpacked as well. */
function unpacked(root = cache): string | undefined {
  const program = join(root, "usr/sbin/arping");
  if (!existsSync(program)) return undefined;
  if (starts(program)) return program;
  const libraries = libraryDirectory(root);
  if (libraries === undefined) return undefined;
  const wrapper = join(root, "bin/arping");
  mkdirSync(dirname(wrapper), { recursive: true });
  // Under the name that people call it by, because it starts its messages with that.
  const text = `#!/bin/bash\nLD_LIBRARY_PATH='${libraries}' exec -a arping '${program}' "$@"\n`;
  writeFileSync(wrapper, text, { mode: 0o755 });
  return starts(wrapper) ? wrapper : undefined;
}

export function findHabets(): Habets {
  const named = process.env.ARPING_HABETS;
  if (named !== undefined)
    return existsSync(named)
      ? { program: named }
      : { missing: `ARPING_HABETS names ${named}, which is not there` };
  const before = unpacked();
  if (before !== undefined) return { program: before };
  const failure = download();
  const after = unpacked();
  if (after !== undefined) return { program: after };
  return {
    missing: `no arping by Thomas Habets: set ARPING_HABETS, or fill .cache/habets (${failure ?? "unpacked without it"})`,
  };
}

/** The same program where every user can start it, which the checkout need not be. */
export function publicHabets({ program }: Readonly<{ program: string }>, directory: string): string {
  if (!program.startsWith(cache)) return program;
  cpSync(join(cache, "usr"), join(directory, "usr"), { recursive: true, verbatimSymlinks: true });
  return unpacked(directory) ?? program;
}
