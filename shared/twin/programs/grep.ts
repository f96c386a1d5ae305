import type { Machine } from "../machine.ts";
import { sysctl } from "../machine.ts";
import { filesOf, folderOf } from "./file-tree.ts";
import type { Program } from "./program.ts";

const confFolder = "/proc/sys/net/ipv4/conf";
const settings = ["arp_announce", "arp_filter", "arp_ignore", "proxy_arp", "rp_filter"];

/** Files under a path with their text. */
function textsUnder(machine: Machine, path: string): readonly (readonly [string, string])[] {
  if (path !== confFolder)
    return Object.entries(filesOf(machine)).filter(([file]) => file === path || file.startsWith(`${path}/`));
  return ["all", "default", "lo", ...machine.nics.map(({ name }) => name)].flatMap((nic) =>
    settings.flatMap((setting): (readonly [string, string])[] => {
      const value = sysctl(machine, `net.ipv4.conf.${nic}.${setting}`);
      return value === undefined ? [] : [[`${confFolder}/${nic}/${setting}`, `${value}\n`]];
    }),
  );
}

/** GNU grep with `-rH[s][E] PATTERN [--include=NAME...] PATH...`: 0 with a match, 1 without, 2 when a path was not there. */
export const grep: Program = (args, context) => {
  const flags = args.filter((arg) => /^-[a-zA-Z]+$/.test(arg)).join("");
  const included = args.filter((arg) => arg.startsWith("--include=")).map((arg) => arg.slice(10));
  const [pattern, ...paths] = args.filter((arg) => !arg.startsWith("-"));
  if (pattern === undefined || paths.length === 0 || !/^[-rHsE]*$/.test(flags)) {
    context.err("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n");
    return 2;
  }
  const wanted = new RegExp(pattern.replaceAll("[[:space:]]", "\\s"));
  let matched = false;
  let missing = false;
  for (const path of paths) {
    const texts = textsUnder(context.machine, path);
    if (texts.length === 0 && folderOf(context.machine, path, context.installed, []) === undefined) {
      missing = true;
      if (!flags.includes("s")) context.err(`grep: ${path}: No such file or directory\n`);
    }
    for (const [file, text] of texts) {
      if (included.length > 0 && !included.includes(file.slice(file.lastIndexOf("/") + 1))) continue;
      for (const line of text.split("\n").slice(0, -1)) {
        if (!wanted.test(line)) continue;
        matched = true;
        context.out(`${file}:${line}\n`);
      }
    }
  }
  return missing ? 2 : matched ? 0 : 1;
};
