import type { FixPlan, Lines, NodeCommand } from "../checks/fix.ts";
import type { NonEmpty } from "../finding.ts";
import { type Text, text } from "../text.ts";
import { type Claim, firmwareConfig } from "./managers.ts";
import { bare, pasted } from "./node-command.ts";

/** How long an armed way back waits before it acts by itself. */
export const revertAfter = "5m";

/** Names that stand in a command line as they are. Others exist; no command is printed for those. */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(name);

/** How one manager is told, and told back. */
export type Way = Readonly<{
  change: readonly NodeCommand[];
  undo: readonly NodeCommand[];
  lasts: Text;
  notes?: readonly Text[];
}>;

const run = (...argv: NonEmpty<string>): NodeCommand => ({ run: argv });
const link = (nic: string, state: "up" | "down"): NodeCommand => run("ip", "link", "set", nic, state);
const backups = "/var/backups/arpeggio-";
const backupOf = (nic: string) => `${backups}${nic}`;

/** The same commands with copies of files under the name of a run: the copy of an earlier change is never taken for its own. */
export const keptFor = (name: string, commands: readonly NodeCommand[]): readonly NodeCommand[] =>
  commands.map((command) => {
    if (!("run" in command)) return command;
    const [program, ...words] = command.run;
    return {
      run: [
        program,
        ...words.map((word) =>
          word.startsWith(backups) ? `${backups}${name}-${word.slice(backups.length)}` : word,
        ),
      ],
    };
  });

function byNetworkd(nic: string, source: string): Way {
  if (/\/\d*-?netplan-/.test(source)) {
    const path = `/etc/netplan/99-arpeggio-${nic}.yaml`;
    return {
      change: [
        { write: path, lines: ["network:", "  wifis:", `    ${nic}:`, '      activation-mode: "off"'] },
        run("chmod", "600", path),
        run("netplan", "apply"),
        link(nic, "down"),
      ],
      undo: [run("rm", "-f", path), run("netplan", "apply"), link(nic, "up")],
      lasts: text`netplan writes it to networkd's files at every start (${path})`,
    };
  }
  const path = `/etc/systemd/network/00-arpeggio-${nic}.network`;
  return {
    change: [
      { write: path, lines: ["[Match]", `Name=${nic}`, "", "[Link]", "ActivationPolicy=always-down"] },
      run("networkctl", "reload"),
      link(nic, "down"),
    ],
    undo: [
      run("rm", "-f", path),
      run("networkctl", "reload"),
      link(nic, "up"),
      run("networkctl", "reconfigure", nic),
    ],
    lasts: text`systemd-networkd takes ${path} before ${source} at every start (ActivationPolicy: systemd 248 and newer)`,
  };
}

/** The exact change for the program that manages the interface. */
export function wayOf({ manager, file: source = "" }: Claim, nic: string): Way {
  switch (manager) {
    case "NetworkManager": {
      const path = `/etc/NetworkManager/conf.d/90-arpeggio-${nic}.conf`;
      return {
        change: [
          {
            write: path,
            lines: [`[device-arpeggio-${nic}]`, `match-device=interface-name:${nic}`, "managed=0"],
          },
          run("nmcli", "device", "set", nic, "managed", "no"),
          link(nic, "down"),
        ],
        undo: [
          run("rm", "-f", path),
          run("nmcli", "general", "reload", "conf"),
          run("nmcli", "device", "set", nic, "managed", "yes"),
        ],
        lasts: text`NetworkManager reads ${path} at every start and leaves ${nic} alone; nobody else brings it up`,
      };
    }
    case "systemd-networkd":
      return byNetworkd(nic, source);
    case "ifupdown":
      return {
        change: [
          run("cp", "-p", source, backupOf(nic)),
          run("ifdown", nic),
          run(
            "sed",
            "-i",
            "-E",
            `/^[[:space:]]*(auto|allow-hotplug)[[:space:]]/s/[[:space:]]+${nic}([[:space:]]|$)/\\1/`,
            source,
          ),
          run("sed", "-i", "-E", "/^[[:space:]]*(auto|allow-hotplug)[[:space:]]*$/d", source),
          link(nic, "down"),
        ],
        undo: [run("cp", "-p", backupOf(nic), source), run("ifup", nic)],
        lasts: text`ifupdown no longer names ${nic} under auto or allow-hotplug in ${source}`,
      };
    case "dhcpcd":
      return {
        change: [
          run("cp", "-p", source, backupOf(nic)),
          run("sed", "-i", `1i denyinterfaces ${nic}`, source),
          run("dhcpcd", "-x", nic),
          link(nic, "down"),
        ],
        undo: [run("cp", "-p", backupOf(nic), source), link(nic, "up"), run("dhcpcd", "-n", nic)],
        lasts: text`dhcpcd reads denyinterfaces in ${source} at every start`,
      };
    case "connman":
      return {
        change: [run("connmanctl", "disable", "wifi"), link(nic, "down")],
        undo: [run("connmanctl", "enable", "wifi")],
        lasts: text`ConnMan keeps the switch in its own settings`,
        notes: [text`ConnMan turns off every Wi-Fi interface of the node`],
      };
    case "iwd":
      return byRfkill(nic);
  }
}

export function byRfkill(nic: string): Way {
  return {
    change: [run("rfkill", "block", "wifi"), link(nic, "down")],
    undo: [run("rfkill", "unblock", "wifi"), link(nic, "up")],
    lasts: text`systemd-rfkill restores the switch at every start`,
    notes: [text`rfkill turns off every Wi-Fi radio of the node`],
  };
}

/** On a Raspberry Pi the firmware can take the built-in radio away, whoever manages it. */
function overlay(config: string): FixPlan["instead"][number] {
  return {
    title: "Instead, for the built-in radio of a Raspberry Pi: the device goes with the next start",
    lines: [
      `printf '\\n[all]\\ndtoverlay=disable-wifi\\n' | sudo tee -a ${config}`,
      "sudo reboot",
      "# the way back, then restart again:",
      `sudo sed -i '/^dtoverlay=disable-wifi$/d' ${config}`,
    ],
  };
}

/** Runs the way back by itself unless it is called off. The timer does not outlive a restart. */
export const armed = (name: string, undo: Lines): Readonly<{ arm: Lines; disarm: Lines }> => ({
  arm: [
    `sudo systemd-run --unit=arpeggio-revert-${name} --on-active=${revertAfter} /bin/sh -c '`,
    ...undo.map((line) => `  ${line}`),
    "'",
  ],
  disarm: [`sudo systemctl stop arpeggio-revert-${name}.timer`],
});

/** How to turn an interface off for good. `ways` are one for each program that manages it. */
export function disablePlan(
  given: Readonly<{
    node: string;
    nic: string;
    claims: readonly Claim[];
    files: readonly string[];
    /** Where a new SSH session proves that the cable carries on. */
    wiredAddress: string;
    check: string;
  }>,
): FixPlan {
  const { node, nic, claims, files, wiredAddress, check } = given;
  const ways = claims.length === 0 ? [byRfkill(nic)] : claims.map((claim) => wayOf(claim, nic));
  const undo = ways.flatMap((way) => way.undo);
  const change = ways.flatMap((way) => way.change);
  const config = firmwareConfig(files);
  const by =
    claims.length === 0 ? "no network manager claims it" : claims.map(({ manager }) => manager).join(" and ");
  return {
    title: text`Turn ${nic} of ${node} off for good (${by})`,
    ...armed(nic, bare(undo)),
    change: pasted(change),
    lasts: ways.flatMap((way, i) => (i === 0 ? way.lasts : [". ", ...way.lasts])),
    verify: [
      `ssh ${wiredAddress} true   # a new session, by cable`,
      `kubectl get node ${node}   # Ready`,
      `arpeggio nodes check ${node} --only ${check}`,
    ],
    undo: pasted(undo),
    instead: config === undefined ? [] : [overlay(config)],
    notes: ways.flatMap((way) => way.notes ?? []),
    commands: { change, undo },
  };
}
