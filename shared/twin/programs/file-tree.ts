import type { Machine } from "../machine.ts";
import { writtenOn } from "./written-files.ts";

export type FileType = "file" | "folder" | "link";

/** What lies in a folder of a machine, as far as it is modelled; undefined when there is no such folder. */
export type Entry = Readonly<{ name: string; type: FileType }>;

const osRelease = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n';

const emptyFolders = [
  "/etc/NetworkManager/conf.d",
  "/etc/modprobe.d",
  "/run",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/usr/sbin",
  "/var/lib",
];

/** Configuration files of a machine. */
export const filesOf = (machine: Machine): Readonly<Record<string, string>> => {
  const files: Record<string, string> = { "/etc/os-release": osRelease, ...machine.spec.files };
  for (const [path, text] of writtenOn(machine)) {
    if (text === null) delete files[path];
    else files[path] = text;
  }
  return files;
};

const sysNic = /^\/sys\/class\/net\/([^/]+)$/;

/** Entries of a folder; undefined when the path is no folder. */
export function folderOf(
  machine: Machine,
  path: string,
  installed: (name: string) => boolean,
  wanted: readonly string[],
): readonly Entry[] | undefined {
  // Merged /usr: these are links, and nothing follows them here.
  if (path === "/bin" || path === "/sbin") return undefined;
  if (path === "/usr/bin") return wanted.filter(installed).map((name) => ({ name, type: "file" as const }));
  // systemd runs on every node of the lab.
  if (path === "/run/systemd") return [{ name: "system", type: "folder" }];
  if (path === "/sys/class/net")
    return ["lo", ...machine.nics.map(({ name }) => name)].map((name) => ({ name, type: "folder" as const }));
  const nicName = sysNic.exec(path)?.[1];
  if (nicName !== undefined) {
    const nic = machine.nics.find(({ name }) => name === nicName);
    if (nic === undefined && nicName !== "lo") return undefined;
    const names = ["queues", "statistics", ...(nic?.spec.wireless === true ? ["phy80211", "wireless"] : [])];
    return names.map((name) => ({ name, type: "folder" as const }));
  }
  const inside = Object.keys(filesOf(machine)).filter((file) => file.startsWith(`${path}/`));
  if (inside.length === 0) return emptyFolders.includes(path) ? [] : undefined;
  const names = new Set(inside.map((file) => file.slice(path.length + 1).split("/")[0] as string));
  return [...names].map((name) => ({
    name,
    type: inside.includes(`${path}/${name}`) ? ("file" as const) : ("folder" as const),
  }));
}

export const isLink = (path: string): boolean => path === "/bin" || path === "/sbin";
