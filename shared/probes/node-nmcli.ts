import { commandFailure, expectSuccess, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

export type NmDevice = Readonly<{
  nic: string;
  /** `ethernet`, `wifi`, `bridge`, ... */
  type: string;
  /** `connected`, `disconnected`, `unavailable`, `unmanaged`, `connected (externally)`, ... */
  state: string;
  /** The profile in use. */
  connection?: string;
}>;

/** What NetworkManager says of the interfaces. Not installed and not running are answers too. */
export type NmDevices =
  | Readonly<{ kind: "devices"; devices: readonly NmDevice[] }>
  | Readonly<{ kind: "not-installed" }>
  | Readonly<{ kind: "not-running" }>;

/** Terse output separates by colons and escapes those inside values (nmcli(1), `--escape`). */
const fieldsOf = (line: string): readonly string[] =>
  (line.match(/(?:\\.|[^:\\])*(?::|$)/g) ?? [])
    .slice(0, 4)
    .map((field) => field.replace(/:$/, "").replace(/\\(.)/g, "$1"));

/** Without a message bus nothing can be asked, and NetworkManager does not run without one. */
const noBus = /Could not create NMClient object: Could not connect: No such file or directory/;

/** nmcli exits with 8 when NetworkManager is not running (nmcli(1)). */
export const nodeNmcli: Probe<readonly [], NmDevices> = {
  id: "nm-devices",
  tool: "nmcli",
  about: "which interfaces NetworkManager manages, and with what profile",
  sample: [],
  argv: () => ({
    argv: ["nmcli", "-t", "-f", "DEVICE,TYPE,STATE,CONNECTION", "device", "status"],
    privileged: false,
    timeoutMs: 5_000,
  }),
  read: (output) => {
    if (commandFailure(output, "nmcli")?.kind === "missing-tool") return { kind: "not-installed" };
    if (output.exitCode === 8 || noBus.test(output.stderr)) return { kind: "not-running" };
    expectSuccess(output, "nmcli");
    const devices = wholeLines(output, "nmcli").map((line): NmDevice => {
      const [nic, type, state, connection] = fieldsOf(line);
      if (!nic || !type || !state || connection === undefined)
        throw unreadable("nmcli", `not a device: ${firstLine(line)}`);
      return { nic, type, state, ...(connection === "" ? {} : { connection }) };
    });
    if (devices.length === 0) throw unreadable("nmcli", "names no device, not even lo");
    return { kind: "devices", devices };
  },
};
