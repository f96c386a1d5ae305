import type { FixPlan } from "../checks/fix.ts";
import type { ArpSetting, ArpSysctls } from "../probes/node-arp-sysctls.ts";
import { text } from "../text.ts";
import { writeFile } from "./write-file.ts";

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
  return {
    title: text`Set ${set.map(([setting, value]) => `${setting}=${value}`).join(", ")} for all interfaces of ${node}`,
    arm: [],
    change: [
      ...writeFile(
        path,
        set.map(([setting, value]) => `net.ipv4.conf.all.${setting} = ${value}`),
      ),
      `sudo sysctl -p ${path}`,
    ],
    lasts: text`systemd-sysctl reads ${path} after the other files at every start, whichever network manager runs`,
    verify: [
      `sysctl ${set.map(([setting]) => `net.ipv4.conf.all.${setting}`).join(" ")}`,
      `arpeggio nodes check ${node} --only ${check}`,
    ],
    disarm: [],
    undo: [
      `sudo rm -f ${path}`,
      ...set.map(([setting]) => `sudo sysctl -w net.ipv4.conf.all.${setting}=${before[setting] ?? 0}`),
    ],
    instead: [],
    notes: [],
  };
}
