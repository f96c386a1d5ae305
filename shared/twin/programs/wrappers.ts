import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const durationMs = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (unitMs[match[2] || "s"] ?? 1000);
};

/** GNU coreutils `timeout`: 124 when it had to end the command, else the command's own code. */
export const timeout: Program = async (args, context) => {
  let preserve = false;
  let i = 0;
  for (; args[i]?.startsWith("-") === true; i++) {
    const flag = args[i] ?? "";
    if (flag === "--") {
      i++;
      break;
    }
    if (flag === "--preserve-status" || flag === "-p") preserve = true;
    else if (flag === "-s" || flag === "-k" || flag === "--signal" || flag === "--kill-after") i++;
    else if (!/^(--foreground|-f|--verbose|-v|--signal=.*|--kill-after=.*|-[sk].+)$/.test(flag)) {
      const message = flag.startsWith("--")
        ? `unrecognized option '${flag}'`
        : `invalid option -- '${flag.charAt(1)}'`;
      context.err(`timeout: ${message}\nTry 'timeout --help' for more information.\n`);
      return 125;
    }
  }
  const ms = durationMs(args[i] ?? "");
  const command = args.slice(i + 1);
  if (args[i] === undefined || command.length === 0) {
    context.err("Try 'timeout --help' for more information.\n");
    return 125;
  }
  if (ms === undefined) {
    context.err(`timeout: invalid time interval ‘${args[i]}’\nTry 'timeout --help' for more information.\n`);
    return 125;
  }
  const expired = new AbortController();
  const over = new AbortController();
  const timer = ms === 0 ? undefined : context.clock.sleep(ms, over.signal);
  let late = false;
  void timer?.then(() => {
    if (over.signal.aborted) return;
    late = true;
    expired.abort();
  });
  const code = await context.exec(command, { signal: expired.signal, caller: "timeout" });
  over.abort();
  return late && !preserve ? 124 : code;
};

/** `sudo -n -- COMMAND`: never asks; without the right it says that a password is required. */
export const sudo: Program = (args, context) => {
  let i = 0;
  for (; args[i]?.startsWith("-") === true; i++) {
    if (args[i] === "--") {
      i++;
      break;
    }
    if (args[i] !== "-n") {
      context.err(`sudo: invalid option -- '${args[i]?.slice(1)}'\n`);
      return 1;
    }
  }
  if (!context.machine.privileged) {
    context.err("sudo: a password is required\n");
    return 1;
  }
  if (args[i] === undefined) {
    context.err("usage: sudo -h | -K | -k | -V\n");
    return 1;
  }
  return context.exec(args.slice(i), { privileged: true, caller: "sudo" });
};

export const sleep: Program = async (args, context) => {
  const ms = durationMs(args[0] ?? "");
  if (ms === undefined) {
    context.err(
      args[0] === undefined
        ? "sleep: missing operand\nTry 'sleep --help' for more information.\n"
        : `sleep: invalid time interval ‘${args[0]}’\nTry 'sleep --help' for more information.\n`,
    );
    return 1;
  }
  await context.clock.sleep(ms, context.signal);
  return context.signal.aborted ? 143 : 0;
};

/** `command -v NAME` and `which NAME`. */
export const which: Program = (args, context) => {
  const { operands } = parseOptions(args, "va");
  let code = 0;
  for (const name of operands) {
    if (context.installed(name)) context.out(`/usr/bin/${name}\n`);
    else code = 1;
  }
  return code;
};
