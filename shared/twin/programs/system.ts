import type { Machine } from "../machine.ts";
import { sysctl as settingOf } from "../machine.ts";
import { filesOf } from "./file-tree.ts";
import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";

export const hostname: Program = (_args, context) => {
  context.out(`${context.machine.name}\n`);
  return 0;
};

/** With a name: its value, or nothing and exit code 1. */
export const printenv: Program = (args, context) => {
  const env = context.machine.spec.env ?? {};
  const names = args.length === 0 ? Object.keys(env) : args;
  for (const name of names)
    if (env[name] !== undefined) context.out(args.length === 0 ? `${name}=${env[name]}\n` : `${env[name]}\n`);
  return names.every((name) => env[name] !== undefined) ? 0 : 1;
};

export const succeed: Program = () => 0;

const kernelRelease = (machine: Machine): string => machine.spec.kernelRelease ?? "6.1.0-rpi8-rpi-v8";

export const uname: Program = (args, context) => {
  const { values, fault } = parseOptions(args, "asnrvmpio");
  if (fault !== undefined) {
    context.err(`uname: ${fault}\nTry 'uname --help' for more information.\n`);
    return 1;
  }
  const parts: readonly (readonly [string, string])[] = [
    ["s", "Linux"],
    ["n", context.machine.name],
    ["r", kernelRelease(context.machine)],
    ["v", "#1 SMP PREEMPT Debian"],
    ["m", "aarch64"],
    ["o", "GNU/Linux"],
  ];
  const wanted = values.size === 0 ? ["s"] : [...values.keys()];
  const shown = parts.filter(([letter]) => wanted.includes("a") || wanted.includes(letter));
  context.out(`${shown.map(([, value]) => value).join(" ")}\n`);
  return 0;
};

/** The text of a file under /proc/sys or /sys/class/net, undefined when there is none. */
export function fileText(machine: Machine, path: string): string | undefined {
  const setting = /^\/proc\/sys\/(.+)$/.exec(path);
  if (setting?.[1] !== undefined) {
    const value = settingOf(machine, setting[1].replaceAll("/", "."));
    return value === undefined ? undefined : `${value}\n`;
  }
  if (path === "/etc/hostname" || path === "/proc/sys/kernel/hostname") return `${machine.name}\n`;
  const attribute = /^\/sys\/class\/net\/([^/]+)\/([a-z_]+)$/.exec(path);
  const nic = machine.nics.find((each) => each.name === attribute?.[1]);
  if (nic === undefined) return undefined;
  const working = nic.up && nic.carrier;
  switch (attribute?.[2]) {
    case "address":
      return `${nic.mac}\n`;
    case "carrier":
      return `${nic.carrier ? 1 : 0}\n`;
    case "operstate":
      return `${working ? "up" : "down"}\n`;
    case "mtu":
      return `${nic.spec.mtu ?? 1500}\n`;
    case "ifindex":
      return `${nic.ifindex}\n`;
    case "type":
      return "1\n";
    case "uevent":
      return `${nic.spec.wireless === true ? "DEVTYPE=wlan\n" : ""}INTERFACE=${nic.name}\nIFINDEX=${nic.ifindex}\n`;
    default:
      return undefined;
  }
}

export const cat: Program = (args, context) => {
  let code = 0;
  for (const path of args.filter((arg) => arg !== "--")) {
    const nic = /^\/sys\/class\/net\/([^/]+)\/(wireless|phy80211|carrier)$/.exec(path);
    const found = context.machine.nics.find((each) => each.name === nic?.[1]);
    const text = fileText(context.machine, path);
    if (found !== undefined && nic?.[2] !== "carrier" && found.spec.wireless === true) {
      context.err(`cat: ${path}: Is a directory\n`);
      code = 1;
    } else if (found !== undefined && nic?.[2] === "carrier" && !found.up) {
      // The kernel refuses to tell the carrier of an interface that is down.
      context.err(`cat: ${path}: Invalid argument\n`);
      code = 1;
    } else if (text === undefined) {
      context.err(`cat: ${path}: No such file or directory\n`);
      code = 1;
    } else context.out(text);
  }
  return code;
};

export const sysctl: Program = (args, context) => {
  const { values, operands, fault } = parseOptions(args, "neqwp");
  if (fault !== undefined) {
    context.err(`sysctl: ${fault}\n`);
    return 1;
  }
  if (operands.length === 0) {
    context.err("sysctl: no variables specified\nTry `sysctl --help' for more information.\n");
    return 1;
  }
  const file = values.has("p") ? filesOf(context.machine)[operands[0] ?? ""] : undefined;
  if (values.has("p") && file === undefined) {
    context.err(`sysctl: cannot open "${operands[0] ?? ""}": No such file or directory\n`);
    return 1;
  }
  const settings = file
    ?.split("\n")
    .flatMap((line) => (line.trim() === "" ? [] : [line.replace(" = ", "=")]));
  let code = 0;
  for (const operand of settings ?? operands) {
    const [key = "", assigned] = operand.split("=");
    if (assigned !== undefined && settingOf(context.machine, key) !== undefined) {
      if (!context.privileged) {
        context.err(`sysctl: permission denied on key "${key}"\n`);
        code = 1;
        continue;
      }
      context.machine.sysctls.set(key, assigned);
      if (values.has("q")) continue;
    }
    const value = settingOf(context.machine, key);
    if (value !== undefined) context.out(values.has("n") ? `${value}\n` : `${key} = ${value}\n`);
    else if (!values.has("e")) {
      context.err(`sysctl: cannot stat /proc/sys/${key.replaceAll(".", "/")}: No such file or directory\n`);
      code = 1;
    }
  }
  return code;
};
