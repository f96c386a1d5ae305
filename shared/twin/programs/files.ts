import type { Machine } from "../machine.ts";
import { filesOf } from "./file-tree.ts";
import type { Program, ProgramContext } from "./program.ts";
import { writtenOn } from "./written-files.ts";

const isThere = (machine: Machine, path: string): boolean => Object.hasOwn(filesOf(machine), path);

/** Says no where only root may write, as every program here does first. */
const mayWrite = (context: ProgramContext, path: string): boolean => {
  if (context.privileged) return true;
  context.err(`${context.name}: cannot touch '${path}': Permission denied\n`);
  return false;
};

export const touch: Program = ([path = ""], context) => {
  if (!mayWrite(context, path)) return 1;
  if (!isThere(context.machine, path)) writtenOn(context.machine).set(path, "");
  return 0;
};

export const mkdir: Program = ([path = ""], context) => {
  if (!mayWrite(context, path)) return 1;
  if (isThere(context.machine, path)) {
    context.err(`mkdir: cannot create directory '${path}': File exists\n`);
    return 1;
  }
  writtenOn(context.machine).set(path, "");
  return 0;
};

export const mv: Program = ([from = "", to = ""], context) => {
  if (!mayWrite(context, to)) return 1;
  const text = filesOf(context.machine)[from];
  if (text === undefined) {
    context.err(`mv: cannot stat '${from}': No such file or directory\n`);
    return 1;
  }
  writtenOn(context.machine).set(to, text).set(from, null);
  return 0;
};

export const rm: Program = (args, context) => {
  const [path = ""] = args.filter((arg) => arg !== "-f");
  if (!mayWrite(context, path)) return 1;
  writtenOn(context.machine).set(path, null);
  return 0;
};

/** `test -e PATH` and `test -d PATH`; folders and files are not told apart. */
export const test: Program = ([flag = "", path = ""], context) =>
  flag === "-e" || flag === "-d" ? (isThere(context.machine, path) ? 0 : 1) : 2;

/** `printf '%s\n' WORD...`. */
export const printf: Program = ([format, ...words], context) => {
  if (format !== "%s\\n") {
    context.err(`printf: the lab's printf knows %s\\n only\n`);
    return 1;
  }
  context.out(words.map((word) => `${word}\n`).join(""));
  return 0;
};

/** Goes on by itself, past the end of the session that started it. */
export const setsid: Program = (args, context) => {
  const words = args.filter((arg) => arg !== "-f");
  void context.exec(words, { caller: "shell", detached: true, write: () => {} });
  return 0;
};

/** `systemd-run --quiet --unit=U --on-active=SECONDS COMMAND...`: a transient timer, whose file goes when it has come. */
export const systemdRun: Program = (args, context) => {
  const at = args.findIndex((arg) => !arg.startsWith("--"));
  const option = (name: string) =>
    args
      .slice(0, at)
      .find((arg) => arg.startsWith(`--${name}=`))
      ?.slice(name.length + 3);
  const seconds = Number(option("on-active"));
  const unit = option("unit");
  if (unit === undefined || !Number.isFinite(seconds) || at < 0) {
    context.err("systemd-run: the lab's knows --unit and --on-active in seconds only\n");
    return 1;
  }
  if (!context.privileged) {
    context.err("Failed to start transient timer unit: Access denied\n");
    return 1;
  }
  const file = `/run/systemd/transient/${unit}.timer`;
  if (isThere(context.machine, file)) {
    context.err(`Failed to start transient timer unit: Unit ${unit}.timer was already loaded.\n`);
    return 1;
  }
  const files = writtenOn(context.machine).set(file, "");
  const words = args.slice(at);
  void context.clock.sleep(seconds * 1_000).then(async () => {
    files.set(file, null);
    if (context.machine.powered)
      await context.exec(words, { caller: "shell", detached: true, write: () => {} });
  });
  return 0;
};
