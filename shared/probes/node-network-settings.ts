import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

/** A line of a configuration file that decides about interfaces at the next start. */
export type SettingLine = Readonly<{ file: string; text: string }>;

export type NetworkSettings = Readonly<{
  lines: readonly SettingLine[];
  /** Files and folders that are there and that only root may read: their lines are not known. */
  closed: readonly string[];
}>;

const witness = "/etc/os-release";

/** What grep says of a place that is not there or not open. */
const complaint = /^grep: (\/[^:]+): (No such file or directory|Permission denied)$/;

/**
 * Lines that switch a radio or an interface off for good, or name a wireless interface: overlays of a Raspberry Pi's
 * firmware, blacklisted drivers, `denyinterfaces` of dhcpcd, `unmanaged-devices` of NetworkManager, stanzas of ifupdown,
 * `Unmanaged=` and `ActivationPolicy=` of networkd beside what its files match, `activation-mode:` of netplan, whose files
 * for networkd are generated under `/run`. The `ID=` line of `/etc/os-release` proves that the search really looked.
 */
export const nodeNetworkSettings: Probe<readonly [], NetworkSettings> = {
  id: "network-settings",
  tool: "grep",
  about: "lines of configuration files that decide which interfaces come up at the next start",
  sample: [],
  argv: () => ({
    argv: [
      "grep",
      "-rHE",
      "^[[:space:]]*(ID=|dtoverlay=|blacklist |install |denyinterfaces|allowinterfaces|unmanaged-devices|match-device|managed=|auto |allow-hotplug |iface |Name=|Type=|MACAddress=|PermanentMACAddress=|Unmanaged=|ActivationPolicy=|activation-mode:|wifis:|interface-name=|autoconnect=|type=wifi)",
      witness,
      "/boot/firmware/config.txt",
      "/boot/config.txt",
      "/etc/modprobe.d",
      "/etc/dhcpcd.conf",
      "/etc/network/interfaces",
      "/etc/network/interfaces.d",
      "/etc/systemd/network",
      "/run/systemd/network",
      "/etc/NetworkManager/conf.d",
      "/etc/NetworkManager/system-connections",
      "/etc/netplan",
    ],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    // Most of the places are missing on any one node.
    const complaints = output.stderr.split("\n");
    const closed = complaints.flatMap((line) => {
      const [, path, why] = complaint.exec(line) ?? [];
      return path !== undefined && why === "Permission denied" ? [path] : [];
    });
    const stderr = complaints.filter((line) => !complaint.test(line)).join("\n");
    const fault = commandFailure({ ...output, stderr }, "grep");
    if (fault) throw new FaultError(fault);
    const lines = wholeLines(output, "configuration lines").map((line): SettingLine => {
      const [, file, said] = /^(\/[^:]+):(.*)$/.exec(line) ?? [];
      if (file === undefined || said === undefined)
        throw unreadable("configuration lines", `not a line of a file: ${firstLine(line)}`);
      return { file, text: said.trim() };
    });
    if (!lines.some(({ file }) => file === witness))
      throw unreadable("configuration lines", firstLine(stderr) || `did not even find ${witness}`);
    return { lines: lines.filter(({ file }) => file !== witness), closed };
  },
};
