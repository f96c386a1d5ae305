import { FaultError } from "../fault.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** Two unrelated programs are called arping. They share no flags worth relying on. */
export type ArpingProgram = "iputils" | "habets";

export type ArpingIdentity = Readonly<{ program: ArpingProgram; version: string }>;

/**
 * Which arping is installed, asked at run time. One question fits both: `-V` prints the version of the iputils
 * program and makes the one by Thomas Habets (where it wants a VLAN id) print its name with its usage. Asked with
 * the privileges of the probe itself, because root's search path may find the other program.
 */
export const arpingIdentify: Probe<readonly [], ArpingIdentity> = {
  id: "arping-identify",
  tool: "arping",
  about: "which of the two arping programs is installed, and its version",
  sample: [],
  argv: () => ({ argv: ["arping", "-V"], privileged: true, timeoutMs: 5_000 }),
  read: (output) => {
    const said = `${output.stdout}\n${output.stderr}`;
    const iputils = /^arping\b.*\biputils[ -](\S+)/m.exec(said);
    if (iputils?.[1] !== undefined) return { program: "iputils", version: iputils[1] };
    const habets = /^ARPing (\d\S*), by Thomas Habets/m.exec(said);
    if (habets?.[1] !== undefined) return { program: "habets", version: habets[1].replace(/,$/, "") };
    const fault = commandFailure(output, "arping");
    if (fault) throw new FaultError(fault);
    throw unreadable(
      "arping",
      `neither the iputils program nor the one by Thomas Habets: ${firstLine(said) || "printed nothing"}`,
    );
  },
};
