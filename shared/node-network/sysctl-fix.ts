import type { FixPlan, NodeCommand } from "../checks/fix.ts";
import type { ArpSetting, ArpSysctls } from "../probes/node-arp-sysctls.ts";
import { text } from "../text.ts";
import { pasted } from "./node-command.ts";

/** Sets kernel settings for all interfaces, in a file of their own; the way back restores what was there. */
export function sysctlPlan(
  given: Readonly<{
    node: string;
    check: string;
    name: string;
    values: Readonly<Partial<Record<ArpSetting, number>>>;
    sysctls: ArpSysctls;
  }>,
): FixPlan {
  const { node, check, name, values, sysctls } = given;
  const path = `/etc/sysctl.d/99-zz-arpeggio-${name}.conf`;
  const before = sysctls.byNic.get("all") ?? {};
  const set = Object.entries(values) as [ArpSetting, number][];
  const change: readonly NodeCommand[] = [
    { write: path, lines: set.map(([setting, value]) => `net.ipv4.conf.all.${setting} = ${value}`) },
    { run: ["sysctl", "-p", path] },
  ];
  const undo: readonly NodeCommand[] = [
    { run: ["rm", "-f", path] },
    ...set.map(
      ([setting]): NodeCommand => ({
        run: ["sysctl", "-w", `net.ipv4.conf.all.${setting}=${before[setting] ?? 0}`],
      }),
    ),
  ];
  return {
    title: text`Set ${set.map(([setting, value]) => `${setting}=${value}`).join(", ")} for all interfaces of ${node}`,
    arm: [],
    change: pasted(change),
    lasts: text`systemd-sysctl reads ${path} after the other files at every start, whichever network manager runs`,
    verify: [
      `sysctl ${set.map(([setting]) => `net.ipv4.conf.all.${setting}`).join(" ")}`,
      `arpeggio nodes check ${node} --only ${check}`,
    ],
    disarm: [],
    undo: pasted(undo),
    instead: [],
    notes: [],
    commands: { change, undo },
  };
}
