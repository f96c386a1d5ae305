import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { inForce, nodeArpSysctls } from "#shared/probes/node-arp-sysctls.ts";
import { nodeMemberlist } from "#shared/probes/node-memberlist.ts";
import { nodeNeighbours } from "#shared/probes/node-neighbours.ts";
import { nodeNetworkFiles } from "#shared/probes/node-network-files.ts";
import { nodeNetworkSettings } from "#shared/probes/node-network-settings.ts";
import { networkUnits, nodeNetworkUnits } from "#shared/probes/node-network-units.ts";
import { nodeNmcli } from "#shared/probes/node-nmcli.ts";
import { nodeRfkill } from "#shared/probes/node-rfkill.ts";
import { nodeRoutes } from "#shared/probes/node-routes.ts";
import { nodeSshConnection } from "#shared/probes/node-ssh-connection.ts";
import { nodeToolsProbe } from "#shared/probes/node-tools.ts";
import { nodeWireless } from "#shared/probes/node-wireless.ts";
import { renderArgv } from "#shared/probes/render-argv.ts";
import { capturedOutput, shellOutput } from "./captured.ts";

const kindOf = (read: () => unknown): string => {
  try {
    return `evidence ${JSON.stringify(read())}`;
  } catch (error) {
    if (error instanceof FaultError) return error.fault.kind;
    throw error;
  }
};

describe("ip-routes", () => {
  const routes = nodeRoutes.read(capturedOutput("nodes", "routes"));
  it.each([
    [
      "the default route in use",
      { dst: "default", nic: "eth0", gateway: "10.4.0.1", metric: 100, table: "main" },
    ],
    [
      "the one with the higher metric",
      { dst: "default", nic: "wlan0", metric: 600, table: "main", protocol: "dhcp" },
    ],
    ["one of another table", { dst: "default", gateway: "10.4.0.9", table: "100", metric: 0 }],
    ["the first of two next hops", { dst: "192.168.77.0/24", gateway: "10.4.0.2", nic: "eth0" }],
    ["the second", { dst: "192.168.77.0/24", gateway: "10.4.0.3", nic: "eth0" }],
    ["a gateway of the other family", { dst: "172.16.6.0/26", gateway: "fe80::1" }],
    [
      "the connected route",
      { dst: "10.4.0.0/20", nic: "eth0", scope: "link", source: "10.4.0.40", family: 4 },
    ],
    ["IPv6", { dst: "fe80::/64", nic: "eth0", family: 6 }],
  ])("%s", (_, route) => {
    expect(routes).toContainEqual(expect.objectContaining(route));
  });

  it("holds no local route, no blackhole", () => {
    expect(routes.filter(({ table }) => table === "local")).toEqual([]);
    expect(routes.filter(({ dst }) => dst.startsWith("172.16.5."))).toEqual([]);
  });
});

it("ip-neigh: learnt, permanent and unresolved entries", () => {
  expect(nodeNeighbours.read(capturedOutput("nodes", "neighbours"))).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ address: "10.4.0.77", mac: "02:00:00:00:00:77", states: ["PERMANENT"] }),
      expect.objectContaining({
        address: "10.4.0.41",
        nic: "eth0",
        mac: expect.stringMatching(/^[0-9a-f:]{17}$/),
      }),
      { address: "10.4.0.99", nic: "eth0", states: [expect.stringMatching(/INCOMPLETE|FAILED/)] },
    ]),
  );
});

describe("arp-sysctls", () => {
  const sysctls = nodeArpSysctls.read(capturedOutput("nodes", "arp-sysctls"));
  it.each([
    ["eth0", "arp_ignore", 1],
    ["eth0", "arp_announce", 2],
    ["eth0", "rp_filter", 0],
    ["wlan0", "rp_filter", 1],
    ["eth0.20", "arp_filter", 0],
    ["nobody", "arp_filter", undefined],
  ] as const)("in force on %s: %s is %s", (nic, setting, value) => {
    expect(inForce(sysctls, nic, setting)).toBe(value);
  });
});

describe("wireless-nics", () => {
  it("none where the kernel says so of none, whatever it is called", () => {
    expect(nodeWireless.read(capturedOutput("nodes", "wireless-none"))).toEqual([]);
  });

  it("by either of the two marks (composed: a namespace has no radio)", () => {
    const path = (nic: string, what: string) => `/sys/class/net/${nic}/${what}\n`;
    const stdout = `${path("lo", "queues")}${path("wlan0", "phy80211")}${path("wlan0", "wireless")}${path("lan1", "phy80211")}`;
    expect(nodeWireless.read(shellOutput({ stdout, exitCode: 1 }))).toEqual(["lan1", "wlan0"]);
  });
});

describe("ssh-connection", () => {
  it("reads both ends", () => {
    expect(nodeSshConnection.read(capturedOutput("nodes", "ssh-connection"))).toEqual({
      client: "10.4.0.5",
      clientPort: 52_144,
      server: "10.4.0.40",
      serverPort: 22,
    });
  });

  it("is a fault where sshd does not set it", () => {
    expect(kindOf(() => nodeSshConnection.read(capturedOutput("nodes", "ssh-connection-unset")))).toBe(
      "unreadable",
    );
  });
});

describe("tools", () => {
  it("names each by the first place it was found in", () => {
    const tools = nodeToolsProbe.read(capturedOutput("nodes", "tools"));
    expect(tools.get("ip")).toBe("/usr/sbin/ip");
    expect(tools.get("arping")).toBe("/usr/bin/arping");
    expect([...tools.keys()].sort()).toEqual(["arping", "find", "ip", "nc", "tcpdump", "timeout"]);
  });
});

describe("memberlist-tcp", () => {
  it.each([
    ["nc-open", 'evidence "open"'],
    ["nc-refused", 'evidence "refused"'],
    ["nc-silence", 'evidence "unreachable"'],
    ["nc-no-route", 'evidence "unreachable"'],
    ["nc-busybox", "unreadable"],
  ] as const)("%s: %s", (name, said) => {
    expect(kindOf(() => nodeMemberlist.read(capturedOutput("nodes", name)))).toBe(said);
  });

  it.each([
    ["netcat-traditional", "(UNKNOWN) [10.4.0.41] 7946 (?) open\n", 0, 'evidence "open"'],
    [
      "netcat-traditional",
      "(UNKNOWN) [10.4.0.41] 7946 (?) : Connection timed out\n",
      1,
      'evidence "filtered"',
    ],
    ["ncat", "Ncat: Version 7.93\nNcat: Connected to 10.4.0.41:7946.\n", 0, 'evidence "open"'],
    ["ncat", "Ncat: TIMEOUT.\n", 1, 'evidence "filtered"'],
    ["a program that says nothing", "", 0, "unreadable"],
    ["one that is ended", "", 124, "timed-out"],
  ] as const)("%s (composed): %s", (_, stderr, exitCode, said) => {
    expect(kindOf(() => nodeMemberlist.read(shellOutput({ stderr, exitCode })))).toBe(said);
  });

  it("asks for an address only", () => {
    expect(kindOf(() => nodeMemberlist.argv("-h"))).toBe("unreadable");
    expect(renderArgv(nodeMemberlist.argv("10.4.0.11").argv)).toBe("nc -z -v -w 2 10.4.0.11 7946");
  });
});

describe("nm-devices", () => {
  it("reads what NetworkManager prints", () => {
    expect(nodeNmcli.read(capturedOutput("nodes", "nm-devices"))).toMatchObject({
      kind: "devices",
      devices: expect.arrayContaining([{ nic: "eth0", type: "ethernet", state: "unmanaged" }]),
    });
  });

  it("takes escaped colons for part of a name (composed)", () => {
    const stdout = "eth0:ethernet:connected:Home\\: wired\nwlan0:wifi:unavailable:\nlo:loopback:unmanaged:\n";
    expect(nodeNmcli.read(shellOutput({ stdout }))).toEqual({
      kind: "devices",
      devices: [
        { nic: "eth0", type: "ethernet", state: "connected", connection: "Home: wired" },
        { nic: "wlan0", type: "wifi", state: "unavailable" },
        { nic: "lo", type: "loopback", state: "unmanaged" },
      ],
    });
  });

  it.each([
    ["not running", () => capturedOutput("nodes", "nm-not-running"), 'evidence {"kind":"not-running"}'],
    [
      "not installed",
      () =>
        shellOutput({
          exitCode: 127,
          stderr: "timeout: failed to run command 'nmcli': No such file or directory\n",
        }),
      'evidence {"kind":"not-installed"}',
    ],
    ["no device at all", () => shellOutput({}), "unreadable"],
    ["a line that is no device", () => shellOutput({ stdout: "Error\n" }), "unreadable"],
  ])("%s", (_, output, said) => {
    expect(kindOf(() => nodeNmcli.read(output()))).toBe(said);
  });
});

describe("rfkill", () => {
  it("no radio is an empty list", () => {
    expect(nodeRfkill.read(capturedOutput("nodes", "rfkill-none"))).toEqual({
      kind: "switches",
      switches: [],
    });
  });

  it.each(["rfkilldevices", ""])("reads switches under the key %j (composed)", (key) => {
    const entry = {
      id: 0,
      type: "wlan",
      "type-desc": "Wireless LAN",
      device: "phy0",
      soft: "blocked",
      hard: "unblocked",
    };
    expect(nodeRfkill.read(shellOutput({ stdout: `${JSON.stringify({ [key]: [entry] })}\n` }))).toEqual({
      kind: "switches",
      switches: [{ type: "wlan", device: "phy0", softBlocked: true, hardBlocked: false }],
    });
  });

  it("not installed is told apart from no radio", () => {
    const stderr = "timeout: failed to run command 'rfkill': No such file or directory\n";
    expect(nodeRfkill.read(shellOutput({ stderr, exitCode: 127 }))).toEqual({ kind: "not-installed" });
  });
});

describe("network-units", () => {
  it("is a fault without systemd", () => {
    expect(kindOf(() => nodeNetworkUnits.read(capturedOutput("nodes", "units-no-systemd")))).toBe(
      "unreadable",
    );
  });

  it("reads a state for each unit, whatever the exit code (composed)", () => {
    const stdout = networkUnits.map((_, i) => (i === 0 ? "active\n" : "inactive\n")).join("");
    expect(nodeNetworkUnits.read(shellOutput({ stdout, exitCode: 3 }))).toMatchObject({
      NetworkManager: "active",
      dhcpcd: "inactive",
    });
    expect(kindOf(() => nodeNetworkUnits.read(shellOutput({ stdout: "active\n", exitCode: 3 })))).toBe(
      "unreadable",
    );
  });
});

describe("configuration files", () => {
  const missing = "find: '/boot/config.txt': No such file or directory\n";
  it("lists what is there, and folders that only root may open", () => {
    const stderr = `${missing}find: '/etc/NetworkManager/system-connections': Permission denied\n`;
    const stdout = "/etc/netplan/50-cloud-init.yaml\n/etc/os-release\n";
    expect(nodeNetworkFiles.read(shellOutput({ stdout, stderr, exitCode: 1 }))).toEqual({
      files: ["/etc/netplan/50-cloud-init.yaml"],
      closed: ["/etc/NetworkManager/system-connections"],
    });
  });

  it("finding nothing, not even what every system has, is a fault", () => {
    expect(kindOf(() => nodeNetworkFiles.read(shellOutput({ stderr: missing, exitCode: 1 })))).toBe(
      "unreadable",
    );
    expect(kindOf(() => nodeNetworkSettings.read(shellOutput({ exitCode: 2 })))).toBe("unreadable");
  });

  it("reads the lines that decide", () => {
    const stdout = "/etc/os-release:ID=debian\n/boot/firmware/config.txt:dtoverlay=disable-wifi\n";
    expect(nodeNetworkSettings.read(shellOutput({ stdout, exitCode: 2 }))).toMatchObject({
      lines: [{ file: "/boot/firmware/config.txt", text: "dtoverlay=disable-wifi" }],
    });
  });
});
