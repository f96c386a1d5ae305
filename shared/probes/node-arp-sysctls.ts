import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

export const arpSettings = ["rp_filter", "arp_ignore", "arp_announce", "arp_filter", "proxy_arp"] as const;

export type ArpSetting = (typeof arpSettings)[number];

export type ArpSysctls = Readonly<{
  /** By interface name as the kernel writes it (dots included), and `all` and `default`. */
  byNic: ReadonlyMap<string, Readonly<Partial<Record<ArpSetting, number>>>>;
}>;

/**
 * What is in force on an interface. For all five the kernel takes the larger of `all` and the interface's own value
 * (Documentation/networking/ip-sysctl.rst: "max value", and "either" for proxy_arp and arp_filter).
 */
export function inForce(sysctls: ArpSysctls, nic: string, setting: ArpSetting): number | undefined {
  const own = sysctls.byNic.get(nic)?.[setting];
  const all = sysctls.byNic.get("all")?.[setting];
  return own === undefined || all === undefined ? undefined : Math.max(own, all);
}

const line = /^\/proc\/sys\/net\/ipv4\/conf\/([^/]+)\/([a-z_]+):(\d+)$/;

/** Read from `/proc/sys` rather than by `sysctl`, whose names cannot tell a dot in an interface's name from a separator. */
export const nodeArpSysctls: Probe<readonly [], ArpSysctls> = {
  id: "arp-sysctls",
  tool: "grep",
  about: "kernel settings for ARP and reverse path filtering, per interface",
  sample: [],
  argv: () => ({
    argv: [
      "grep",
      "-rHs",
      ".",
      ...arpSettings.map((setting) => `--include=${setting}`),
      "/proc/sys/net/ipv4/conf",
    ],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    const byNic = new Map<string, Partial<Record<ArpSetting, number>>>();
    const fault = commandFailure(output, "grep");
    if (fault) throw new FaultError(fault);
    for (const text of wholeLines(output, "kernel settings")) {
      const [, nic, setting, value] = line.exec(text) ?? [];
      if (nic === undefined || setting === undefined)
        throw unreadable("kernel settings", `not a setting: ${firstLine(text)}`);
      const settings = byNic.get(nic) ?? {};
      settings[setting as ArpSetting] = Number(value);
      byNic.set(nic, settings);
    }
    if (!byNic.has("all"))
      throw unreadable("kernel settings", firstLine(output.stderr) || "no net.ipv4.conf.all among them");
    return { byNic };
  },
};
