import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

/** Everything that may bring interfaces up on a node, by its systemd unit. */
export const networkUnits = [
  "NetworkManager",
  "systemd-networkd",
  "networking",
  "dhcpcd",
  "wpa_supplicant",
  "iwd",
  "connman",
] as const;

export type NetworkUnit = (typeof networkUnits)[number];

/** `active`, `inactive`, `failed`, `activating`, ...; a unit that is not installed is `inactive`. */
export type UnitStates = Readonly<Record<NetworkUnit, string>>;

/**
 * `systemctl is-active` prints one line a unit, in the order asked, and exits with 0 only when they are all active
 * (systemctl(1): 3 or 4 otherwise).
 */
export const nodeNetworkUnits: Probe<readonly [], UnitStates> = {
  id: "network-units",
  tool: "systemctl",
  about: "which network managers run",
  sample: [],
  argv: () => ({
    argv: ["systemctl", "is-active", ...networkUnits],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    const fault = commandFailure(output, "systemctl");
    if (fault) throw new FaultError(fault);
    const lines = wholeLines(output, "systemctl");
    if (lines.length !== networkUnits.length || !lines.every((line) => /^[a-z-]+$/.test(line)))
      throw unreadable(
        "systemctl",
        firstLine(output.stderr) || `${lines.length} states for ${networkUnits.length} units`,
      );
    return Object.fromEntries(networkUnits.map((unit, i) => [unit, lines[i]])) as UnitStates;
  },
};
