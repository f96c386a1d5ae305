import { expect, it } from "vitest";
import type { EvidenceOf } from "#shared/checks/node-probes.ts";
import type { UnitStates } from "#shared/probes/node-network-units.ts";
import type { NmDevices } from "#shared/probes/node-nmcli.ts";
import { onNic, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { down, judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";
import { onTwin } from "./on-twin.ts";

const check = registered("nic-managers");
const eth0 = nic("eth0", ["10.4.0.20/20"]);
const idle = nic("wlan0", [], down);

const units = (...active: readonly (keyof UnitStates)[]): UnitStates => {
  const all = [
    "NetworkManager",
    "systemd-networkd",
    "networking",
    "dhcpcd",
    "wpa_supplicant",
    "iwd",
    "connman",
  ];
  return Object.fromEntries(
    all.map((unit) => [unit, (active as readonly string[]).includes(unit) ? "active" : "inactive"]),
  ) as UnitStates;
};
const noNm: NmDevices = { kind: "not-installed" };
const nm = (wlan: string, eth = "connected"): NmDevices => ({
  kind: "devices",
  devices: [
    { nic: "eth0", type: "ethernet", state: eth, connection: "Wired connection 1" },
    { nic: "wlan0", type: "wifi", state: wlan },
  ],
});
const blocked = (softBlocked: boolean): EvidenceOf<"rfkill"> => ({
  kind: "switches",
  switches: [
    { type: "bluetooth", device: "hci0", softBlocked: false, hardBlocked: false },
    { type: "wlan", device: "phy0", softBlocked, hardBlocked: false },
  ],
});

type Given = Readonly<{
  units: UnitStates;
  nm?: NmDevices;
  wlan?: ReturnType<typeof nic>;
  rfkill?: EvidenceOf<"rfkill">;
  lines?: readonly (readonly [file: string, text: string])[];
  files?: readonly string[];
  closed?: readonly string[];
}>;

const on = ({ wlan = idle, lines = [], ...given }: Given) =>
  told(
    judgedBy(check, {
      nodes: [
        visited("karstark", {
          "ip-addr": [eth0, wlan],
          "wireless-nics": ["wlan0"],
          "network-units": given.units,
          "nm-devices": given.nm ?? noNm,
          rfkill: given.rfkill ?? blocked(false),
          "network-settings": {
            lines: lines.map(([file, text]) => ({ file, text })),
            closed: given.closed ?? [],
          },
          "network-files": { files: given.files ?? lines.map(([file]) => file), closed: [] },
        }),
      ],
    }),
  );

const untilRestart = ["wifi-off-until-restart karstark/wlan0"];
const networkd = "/etc/systemd/network/20-wlan.network";
const firmware = "/boot/firmware/config.txt";

const rows: readonly (readonly [string, Given, readonly string[]])[] = [
  ["NetworkManager manages it", { units: units("NetworkManager"), nm: nm("unavailable") }, untilRestart],
  ["NetworkManager leaves it alone", { units: units("NetworkManager"), nm: nm("unmanaged") }, []],
  [
    "its radio is blocked",
    { units: units("NetworkManager"), nm: nm("unavailable"), rfkill: blocked(true) },
    [],
  ],
  [
    "nothing tells of radios",
    { units: units("NetworkManager"), nm: nm("unavailable"), rfkill: { kind: "not-installed" } },
    untilRestart,
  ],
  [
    "the overlay takes it away",
    { units: units("NetworkManager"), nm: nm("unavailable"), lines: [[firmware, "dtoverlay=disable-wifi"]] },
    [],
  ],
  [
    "another overlay",
    { units: units("NetworkManager"), nm: nm("unavailable"), lines: [[firmware, "dtoverlay=disable-bt"]] },
    untilRestart,
  ],
  [
    "the overlay stands where nothing reads it",
    {
      units: units("NetworkManager"),
      nm: nm("unmanaged"),
      lines: [["/boot/config.txt", "dtoverlay=disable-wifi"]],
      files: [firmware, "/boot/config.txt"],
    },
    ["wifi-off-not-read karstark"],
  ],
  [
    "its driver is never loaded",
    { units: units("dhcpcd"), lines: [["/etc/modprobe.d/no-wifi.conf", "blacklist brcmfmac"]] },
    [],
  ],
  ["dhcpcd takes everything", { units: units("dhcpcd") }, untilRestart],
  [
    "dhcpcd is told to leave it",
    { units: units("dhcpcd"), lines: [["/etc/dhcpcd.conf", "denyinterfaces wl*"]] },
    [],
  ],
  [
    "dhcpcd is given the cable only",
    { units: units("dhcpcd"), lines: [["/etc/dhcpcd.conf", "allowinterfaces eth0"]] },
    [],
  ],
  [
    "networkd matches by name",
    { units: units("systemd-networkd"), lines: [[networkd, "Name=wlan*"]] },
    untilRestart,
  ],
  [
    "networkd matches by type",
    { units: units("systemd-networkd"), lines: [[networkd, "Type=wlan"]] },
    untilRestart,
  ],
  ["networkd matches another", { units: units("systemd-networkd"), lines: [[networkd, "Name=eth0"]] }, []],
  [
    "networkd keeps it down",
    {
      units: units("systemd-networkd"),
      lines: [
        [networkd, "Name=wlan0"],
        [networkd, "ActivationPolicy=always-down"],
      ],
    },
    [],
  ],
  [
    "networkd takes the first file",
    {
      units: units("systemd-networkd"),
      lines: [
        [networkd, "Name=wlan0"],
        ["/etc/systemd/network/05-off.network", "Name=wlan0"],
        ["/etc/systemd/network/05-off.network", "Unmanaged=yes"],
      ],
    },
    [],
  ],
  [
    "netplan made a file for networkd",
    {
      units: units("systemd-networkd"),
      lines: [["/run/systemd/network/10-netplan-wlan0.network", "Name=wlan0"]],
    },
    untilRestart,
  ],
  [
    "ifupdown brings it up",
    { units: units("networking"), lines: [["/etc/network/interfaces", "auto lo wlan0"]] },
    untilRestart,
  ],
  [
    "ifupdown only knows it",
    { units: units("networking"), lines: [["/etc/network/interfaces", "iface wlan0 inet dhcp"]] },
    [],
  ],
  ["iwd alone", { units: units("iwd") }, untilRestart],
  ["nobody manages it", { units: units() }, []],
  [
    "files that only root may read",
    { units: units("systemd-networkd"), closed: ["/etc/systemd/network/20-wlan.network"] },
    ["unknown missing-privilege"],
  ],
  ["closed files of a manager that does not run", { units: units(), closed: ["/etc/systemd/network"] }, []],
  [
    "the cable has two managers",
    {
      units: units("NetworkManager", "dhcpcd"),
      nm: nm("unmanaged"),
      lines: [["/etc/dhcpcd.conf", "denyinterfaces wlan0"]],
    },
    ["nic-two-managers karstark/eth0"],
  ],
  [
    "two managers run, each with its own interface",
    {
      units: units("NetworkManager", "systemd-networkd"),
      nm: nm("unmanaged"),
      lines: [[networkd, "Name=en*"]],
    },
    [],
  ],
  [
    "still up until the next start",
    {
      units: units("NetworkManager"),
      nm: nm("connected"),
      wlan: nic("wlan0", []),
      lines: [[firmware, "dtoverlay=disable-wifi"]],
    },
    ["wifi-off-after-restart karstark/wlan0"],
  ],
];

it.each(rows)("%s", (_, given, findings) => {
  expect(on(given)).toEqual(findings);
});

it("is unknown where systemctl could not be asked", () => {
  const nodes = [
    visited("karstark", { "ip-addr": [eth0], "wireless-nics": [], "network-units": { fault: timedOut } }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out"]);
});

it("reads the same from the programs of a machine", async () => {
  expect(told(await onTwin(healthy()).run([check]))).toEqual([]);
  // On since the start; then somebody takes it down by hand, which NetworkManager undoes one day.
  const { twin, run } = onTwin(withFaults(healthy(), onNic("dalt", "wlan0", { up: true })));
  twin.setLink("dalt", "wlan0", { up: false });
  expect(told(await run([check]))).toEqual(["wifi-off-until-restart dalt/wlan0"]);
});
