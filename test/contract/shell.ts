import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultError, type FaultKind } from "#shared/fault.ts";
import type { NonEmpty } from "#shared/finding.ts";
import type { OutputLine, Shell, ShellCommand, Target } from "#shared/probes/shell.ts";

export type ShellUnderTest = Readonly<{
  shell: Shell;
  target: Target;
  /** Prints the line "first" at once, then stays for minutes without a word. */
  linger: NonEmpty<string>;
  /** How many of those are alive where commands run. */
  lingering: () => Promise<number>;
  close: () => Promise<void>;
}>;

const command = (argv: NonEmpty<string>, timeoutMs = 20_000): ShellCommand => ({
  argv,
  privileged: false,
  timeoutMs,
});

export async function faultKindOf(promise: Promise<unknown>): Promise<FaultKind | "no fault"> {
  try {
    await promise;
    return "no fault";
  } catch (error) {
    if (error instanceof FaultError) return error.fault.kind;
    throw error;
  }
}

/** Waits until something is true; the test's own time-out is the only limit. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const hostile: readonly string[] = [
  "",
  " ",
  "a b",
  "'",
  "''",
  '"',
  "\\",
  "\\\\n",
  "$HOME",
  "$(id)",
  "`id`",
  "; id",
  "&& id",
  "| id",
  "> /dev/null",
  "*",
  "?",
  "[a-z]",
  "{a,b}",
  "~",
  "~root",
  "#",
  "!",
  "!!",
  "-n",
  "--",
  "A=b",
  "%s",
  "ärger 漢字 🛰",
  'it\'s "quoted" $and `more`',
];

/** What every Shell promises (shared/probes/shell.ts), whatever it runs commands with. */
export function shellContract(name: string, start: () => Promise<ShellUnderTest>): void {
  describe(`shell contract: ${name}`, () => {
    let under: ShellUnderTest;
    beforeAll(async () => {
      under = await start();
    });
    afterAll(() => under?.close());

    const run = (argv: NonEmpty<string>, timeoutMs?: number) =>
      under.shell(under.target, command(argv, timeoutMs));

    it("gives standard output and exit code 0", async () => {
      const output = await run(["printf", "%s\\n", "one", "two"]);
      expect(output).toMatchObject({ exitCode: 0, stdout: "one\ntwo\n", stderr: "" });
    });

    it("gives each line with its stream and a time between start and end", async () => {
      const seen: OutputLine[] = [];
      const output = await under.shell(under.target, command(["printf", "%s\\n", "one", "", "three"]), {
        onLine: (line) => seen.push(line),
      });
      expect(output.lines.map(({ stream, text }) => [stream, text])).toEqual([
        ["stdout", "one"],
        ["stdout", ""],
        ["stdout", "three"],
      ]);
      expect(seen).toEqual(output.lines);
      const times = [output.startedAt, ...output.lines.map((line) => line.at), output.endedAt];
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });

    it("keeps a last line that has no newline", async () => {
      const output = await run(["printf", "%s", "half"]);
      expect(output.stdout).toBe("half");
      expect(output.lines.map((line) => line.text)).toEqual(["half"]);
    });

    it("gives an exit code that is not 0 as a value", async () => {
      expect(await run(["false"])).toMatchObject({ exitCode: 1, stdout: "", stderr: "" });
    });

    it("keeps standard error apart", async () => {
      const output = await run(["expr", "1", "+"]);
      expect(output.exitCode).toBe(2);
      expect(output.stdout).toBe("");
      expect(output.stderr).toMatch(/expr/);
      expect(output.lines.map((line) => line.stream)).toContain("stderr");
    });

    it("gives 127 for a program that is not there", async () => {
      const output = await run(["no-such-program-at-all", "--version"]);
      expect(output.exitCode).toBe(127);
      expect(output.stderr).toMatch(/not found/);
    });

    it("closes standard input, so that a program that reads it ends", async () => {
      expect(await run(["cat"])).toMatchObject({ exitCode: 0, stdout: "" });
    });

    it.each(hostile)("passes the argument %j on byte for byte", async (argument) => {
      const output = await run(["printf", "%s\\n", argument, "end"]);
      expect(output).toMatchObject({ exitCode: 0, stdout: `${argument}\nend\n`, stderr: "" });
    });

    it("passes any printable arguments on byte for byte", async () => {
      const argument = fc
        .string({ unit: "grapheme", maxLength: 40 })
        .filter((text) => text.isWellFormed() && !/[\0-\x1f\x7f]/.test(text));
      await fc.assert(
        fc.asyncProperty(fc.array(argument, { minLength: 1, maxLength: 20 }), async (args) => {
          const output = await run(["printf", "%s\\n", ...args]);
          expect(output.stdout).toBe(args.map((arg) => `${arg}\n`).join(""));
        }),
        { numRuns: 8 },
      );
    });

    it("gives big output whole", async () => {
      const output = await run(["seq", "1", "300000"]);
      expect(output.exitCode).toBe(0);
      expect(output.lines).toHaveLength(300_000);
      expect(output.lines.at(-1)?.text).toBe("300000");
      expect(output.stdout.length).toBe(1_988_895);
    });

    it("says truncated beyond 4 MiB instead of giving a part as the whole", async () => {
      expect(await faultKindOf(run(["seq", "1", "1000000"]))).toBe("truncated");
    });

    it("shows lines while the command runs, and ends it on abort with what came so far", async () => {
      const abort = new AbortController();
      const output = await under.shell(under.target, command(under.linger), {
        signal: abort.signal,
        onLine: () => abort.abort(),
      });
      expect(output).toMatchObject({ exitCode: null, stdout: "first\n" });
      await until(async () => (await under.lingering()) === 0);
    });

    it("says timed-out when the time is over, and ends the command", async () => {
      expect(await faultKindOf(run(under.linger, 400))).toBe("timed-out");
      await until(async () => (await under.lingering()) === 0);
    });

    it("says cancelled when the signal was aborted before the start", async () => {
      const running = under.shell(under.target, command(under.linger), { signal: AbortSignal.abort() });
      expect(await faultKindOf(running)).toBe("cancelled");
      expect(await under.lingering()).toBe(0);
    });

    it("keeps many commands at once apart", async () => {
      const numbers = Array.from({ length: 24 }, (_, i) => String(i));
      const outputs = await Promise.all(numbers.map((n) => run(["printf", "%s\\n", n])));
      expect(outputs.map((output) => output.stdout)).toEqual(numbers.map((n) => `${n}\n`));
    });

    it("still works after time-outs, aborts and truncation", async () => {
      expect(await run(["printf", "%s", "well"])).toMatchObject({ exitCode: 0, stdout: "well" });
    });
  });
}
