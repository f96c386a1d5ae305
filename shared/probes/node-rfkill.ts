import * as z from "zod";
import { commandFailure, expectSuccess, readJson, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** A radio switch. */
export type RfkillDevice = Readonly<{
  /** `wlan`, `bluetooth`, ... */
  type: string;
  /** `phy0`, `hci0`, ... */
  device: string;
  softBlocked: boolean;
  hardBlocked: boolean;
}>;

/** Radio switches of the node; without radios the kernel has no list, which is an empty one. */
export type Rfkill =
  | Readonly<{ kind: "switches"; switches: readonly RfkillDevice[] }>
  | Readonly<{ kind: "not-installed" }>;

const device = z.object({
  type: z.string(),
  device: z.string(),
  soft: z.enum(["blocked", "unblocked"]),
  hard: z.enum(["blocked", "unblocked"]),
});

/** The list stands under a key that util-linux named only in 2.36: before, it was the empty string. */
const schema = z.record(z.string(), z.array(device));

export const nodeRfkill: Probe<readonly [], Rfkill> = {
  id: "rfkill",
  tool: "rfkill",
  about: "which radios are switched off",
  sample: [],
  argv: () => ({ argv: ["rfkill", "--json"], privileged: false, timeoutMs: 5_000 }),
  read: (output) => {
    // A kernel without any radio has no /dev/rfkill; the program says so, prints an empty list and exits with 1.
    if (!/cannot open \/dev\/rfkill: No such file/.test(output.stderr)) {
      if (commandFailure(output, "rfkill")?.kind === "missing-tool") return { kind: "not-installed" };
      expectSuccess(output, "rfkill");
    }
    const parsed = schema.safeParse(readJson(output, "rfkill"));
    const [list] = parsed.success ? Object.values(parsed.data) : [];
    if (list === undefined) throw unreadable("rfkill", "not a list of radio switches");
    return {
      kind: "switches",
      switches: list.map(({ type, device: name, soft, hard }) => ({
        type,
        device: name,
        softBlocked: soft === "blocked",
        hardBlocked: hard === "blocked",
      })),
    };
  },
};
