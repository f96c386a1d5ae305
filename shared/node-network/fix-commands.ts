import type { NodeCommand } from "../checks/fix.ts";
import type { ShellCommand } from "../probes/shell.ts";
import { confirmed, type Timer } from "./commit-confirmed.ts";
import { byRfkill, keptFor, wayOf } from "./disable-nic.ts";
import type { Claim } from "./managers.ts";
import { sysctlPlan } from "./sysctl-fix.ts";

/** Words that stand for what differs from node to node, and what may stand there; sudoers takes POSIX extended regular expressions. */
export const placeholders: Readonly<Record<string, string>> = {
  RUNRUN: "R-[0-9]+",
  NICNIC: "[A-Za-z0-9][A-Za-z0-9._-]{0,14}",
  FILEFILE: "/etc/[A-Za-z0-9_][A-Za-z0-9_./-]*",
  "86399": "[0-9]{1,4}",
  "77777": "[0-9]",
};

type Ways = readonly Readonly<{ change: readonly NodeCommand[]; undo: readonly NodeCommand[] }>[];

const claims: readonly Claim[] = [
  { manager: "NetworkManager" },
  { manager: "systemd-networkd", file: "FILEFILE" },
  { manager: "systemd-networkd", file: "/run/systemd/network/10-netplan-NICNIC.network" },
  { manager: "ifupdown", file: "FILEFILE" },
  { manager: "dhcpcd", file: "FILEFILE" },
  { manager: "connman" },
] as readonly Claim[];

const sysctls = {
  byNic: new Map([["all", { arp_ignore: 77777, arp_announce: 77777, rp_filter: 77777 }]]),
} as unknown as Parameters<typeof sysctlPlan>[0]["sysctls"];

const sysctlWay = (name: string, values: Parameters<typeof sysctlPlan>[0]["values"]): Ways => {
  const { commands } = sysctlPlan({ node: "node", check: name, name, values, sysctls });
  return commands === undefined ? [] : [commands];
};

/** Every change that a fix may make, with placeholders. Several managers of one interface are a change of its own. */
const ways = (): Ways => [
  ...claims.map((claim) => wayOf(claim, "NICNIC")),
  byRfkill("NICNIC"),
  ...sysctlWay("arp", { arp_ignore: 1, arp_announce: 2 }),
  ...sysctlWay("rp-filter", { rp_filter: 2 }),
  {
    change: [{ run: ["ip", "link", "set", "NICNIC", "promisc", "off"] }],
    undo: [{ run: ["ip", "link", "set", "NICNIC", "promisc", "on"] }],
  },
];

/** Everything that changes of nodes run as root, with placeholders where nodes differ. */
export function fixCommands(): readonly ShellCommand[] {
  const timers: readonly Timer[] = ["systemd-run", "setsid"];
  const all = ways().flatMap(({ change, undo }) =>
    timers.flatMap((timer) => {
      const does = confirmed({
        run: "RUNRUN",
        timer,
        revertSeconds: 86_399,
        change: keptFor("RUNRUN", change),
        undo: keptFor("RUNRUN", undo),
      });
      return [does.mark, does.arm, does.change, does.confirm, does.takeBack];
    }),
  );
  return [...new Map(all.map((command) => [JSON.stringify(command.argv), command])).values()];
}
