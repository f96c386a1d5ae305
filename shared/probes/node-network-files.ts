import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

/** Where the network managers of the usual distributions keep what has to survive a restart. */
const places = [
  "/etc/netplan",
  "/etc/network/interfaces",
  "/etc/network/interfaces.d",
  "/etc/systemd/network",
  "/etc/NetworkManager/system-connections",
  "/etc/NetworkManager/conf.d",
  "/etc/dhcpcd.conf",
  "/etc/wpa_supplicant",
  "/etc/modprobe.d",
  "/boot/firmware/config.txt",
  "/boot/config.txt",
];

export type NetworkFiles = Readonly<{
  /** Paths of files that are there. */
  files: readonly string[];
  /** Folders that only root may look into. */
  closed: readonly string[];
}>;

/** `/etc/os-release`, which every distribution has, proves that the search really looked. */
const witness = "/etc/os-release";

export const nodeNetworkFiles: Probe<readonly [], NetworkFiles> = {
  id: "network-files",
  tool: "find",
  about: "which configuration files of network managers exist",
  sample: [],
  argv: () => ({
    argv: ["find", ...places, witness, "-maxdepth", "1", "(", "-type", "f", "-o", "-type", "l", ")"],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    const closed = [...output.stderr.matchAll(/^find: .?(\/[^\s'"‘’“”:?]+).?: Permission denied$/gm)].map(
      ([, folder]) => folder as string,
    );
    const rest = output.stderr
      .split("\n")
      .filter((line) => !/Permission denied$/.test(line))
      .join("\n");
    const fault = commandFailure({ ...output, stderr: rest }, "find");
    if (fault) throw new FaultError(fault);
    const files = wholeLines(output, "configuration files");
    const stray = files.find((path) => path !== witness && !places.some((place) => path.startsWith(place)));
    if (stray !== undefined)
      throw unreadable("configuration files", `not a path that was asked for: ${firstLine(stray)}`);
    if (!files.includes(witness))
      throw unreadable("configuration files", firstLine(rest) || `did not even find ${witness}`);
    return { files: files.filter((path) => path !== witness), closed };
  },
};
