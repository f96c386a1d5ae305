import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createLocalShell } from "#shared/adapters/local-shell.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { shellContract, until } from "#test/contract/shell.ts";

const commandLines = (): readonly string[] =>
  existsSync("/proc/self/cmdline")
    ? readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
          } catch {
            return "ended meanwhile";
          }
        })
    : execFileSync("ps", ["-axo", "args="], { encoding: "utf8" }).split("\n");

/** Processes with exactly this command line. */
const count = async (wanted: string): Promise<number> =>
  commandLines().filter((line) => line === wanted).length;

const shell = createLocalShell({ clock: systemClock, sudo: false });
const target = { kind: "vantage", name: "here" } as const;
const stay = `sleep 7${process.pid}`;

shellContract("local processes", async () => ({
  shell,
  target,
  linger: ["sh", "-c", `echo first; exec ${stay}`],
  lingering: () => count(stay),
  close: async () => {},
}));

describe("local shell", () => {
  const run = (argv: readonly [string, ...string[]], privileged = false, sudo = false) =>
    createLocalShell({ clock: systemClock, sudo })(target, { argv, privileged, timeoutMs: 10_000 });

  it("passes none of our environment on", async () => {
    process.env.ARPEGGIO_TEST_SECRET = "hush";
    const output = await run(["env"]);
    delete process.env.ARPEGGIO_TEST_SECRET;
    expect(output.stdout).not.toContain("hush");
    expect(output.stdout.trim().split("\n").sort()).toEqual([
      "HOME=/",
      "LC_ALL=C",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
  });

  it("gives 126 for a file that may not be executed", async () => {
    const output = await run(["/etc/passwd"]);
    expect(output.exitCode).toBe(126);
    expect(output.stderr).toContain("EACCES");
  });

  it("gives null when a signal ended the command", async () => {
    expect(await run(["sh", "-c", "kill -9 $$"])).toMatchObject({ exitCode: null });
  });

  it("puts sudo -n -- in front of privileged commands only where told to", async () => {
    // Without sudo installed, the message names what was started; with it, id tells.
    const withSudo = await run(["id", "-u"], true, true);
    expect(`${withSudo.stdout}${withSudo.stderr}`).toMatch(/^0\n$|sudo/);
    expect((await run(["printf", "%s", "plain"], true, false)).stdout).toBe("plain");
    expect((await run(["printf", "%s", "plain"], false, true)).stdout).toBe("plain");
  });

  it("kills what ignores SIGTERM, children included", async () => {
    const stubborn = `sleep 8${process.pid}`;
    const script = `trap '' TERM; echo first; ${stubborn}; ${stubborn}`;
    const abort = new AbortController();
    let alive = 0;
    const output = await shell(
      target,
      { argv: ["sh", "-c", script], privileged: false, timeoutMs: 30_000 },
      {
        signal: abort.signal,
        onLine: () =>
          void until(async () => {
            alive = await count(stubborn);
            return alive > 0;
          }).then(() => abort.abort()),
      },
    );
    expect(alive).toBe(1);
    expect(output).toMatchObject({ exitCode: null, stdout: "first\n" });
    await until(async () => (await count(stubborn)) === 0);
  });
});
