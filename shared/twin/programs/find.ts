import { type Entry, type FileType, filesOf, folderOf, isLink } from "./file-tree.ts";
import type { Program } from "./program.ts";

type Question = Readonly<{
  starts: readonly string[];
  least: number;
  most: number;
  /** Any of them fits; empty means that everything does. */
  names: readonly string[];
  types: readonly FileType[];
}>;

const typeLetters: Readonly<Record<string, FileType>> = { f: "file", d: "folder", l: "link" };

/** `[-L] START... [-mindepth N] [-maxdepth N] ( TEST -o TEST ... )` with `-name` and `-type`; undefined for anything else. */
function parse(args: readonly string[]): Question | undefined {
  const words = args.filter((word) => !["-L", "(", ")", "-o", "-print"].includes(word));
  const first = words.findIndex((word) => word.startsWith("-"));
  const starts = words.slice(0, first < 0 ? words.length : first);
  const names: string[] = [];
  const types: FileType[] = [];
  let least = 0;
  let most = Number.POSITIVE_INFINITY;
  for (let i = starts.length; i < words.length; i += 2) {
    const value = words[i + 1];
    const type = typeLetters[value ?? ""];
    if (value === undefined) return undefined;
    if (words[i] === "-mindepth") least = Number(value);
    else if (words[i] === "-maxdepth") most = Number(value);
    else if (words[i] === "-name") names.push(value);
    else if (words[i] === "-type" && type !== undefined) types.push(type);
    else return undefined;
  }
  return { starts, least, most, names, types };
}

const isNamed = (name: string, pattern: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** GNU find as far as the catalogue uses it. Loops under `/sys` are complained of, as the program does with `-L`. */
export const find: Program = (args, context) => {
  const question = parse(args);
  if (question === undefined) {
    context.err("find: the lab's find knows -mindepth, -maxdepth, -name and -type only\n");
    return 1;
  }
  const { starts, least, most, names, types } = question;
  let code = 0;
  const complain = (text: string) => {
    context.err(`find: ${text}\n`);
    code = 1;
  };
  const list = (path: string) => folderOf(context.machine, path, context.installed, names);
  const walk = (path: string, { name, type }: Entry, depth: number) => {
    const fits =
      (names.length === 0 || names.some((each) => isNamed(name, each))) &&
      (types.length === 0 || types.includes(type));
    if (depth >= least && fits) context.out(`${path}\n`);
    if (depth >= most) return;
    for (const entry of list(path) ?? []) walk(`${path}/${entry.name}`, entry, depth + 1);
    if (args.includes("-L") && depth === 1 && path.startsWith("/sys/class/net/"))
      complain(
        `File system loop detected; ‘${path}/subsystem’ is part of the same file system loop as ‘/sys/class/net’.`,
      );
  };
  for (const start of starts) {
    const name = start.slice(start.lastIndexOf("/") + 1);
    if (start === "/dev/null" || Object.hasOwn(filesOf(context.machine), start))
      walk(start, { name, type: "file" }, 0);
    else if (isLink(start)) walk(start, { name, type: "link" }, 0);
    else if (list(start) !== undefined) walk(start, { name, type: "folder" }, 0);
    else complain(`‘${start}’: No such file or directory`);
  }
  return code;
};
