import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { fix } from "#bot/commands/nodes-fix.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import {
  addObject,
  calicoUses,
  onMachine,
  onNic,
  patchObject,
  type SiteFault,
  wifiOn,
  withFaults,
} from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
// The handler loads the list when asked; the virtual clock cannot wait for that, so it is here already.
import "#shared/checks/all.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { twinCluster } from "./twin-cluster.ts";

async function ask(spec: SiteSpec, node: string, check: string): Promise<Reply> {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  const { deps } = runInMemory(spec, clock);
  const context = {
    ...twinCluster(spec).context({ node, check }),
    deps,
    cluster: deps.clusters.get("goldentooth"),
  };
  return clock.runUntil(fix.handle(context));
}

const shown = (reply: Reply): readonly string[] =>
  reply.blocks.flatMap((block) => (block.kind === "evidence" ? [`# ${block.title}`, ...block.lines] : []));
const refusals = (reply: Reply) => reply.findings.map(({ text }) => plain(text));

const wifi = wifiOn("dalt", "10.4.1.30/20");
const withWifi = (...more: readonly SiteFault[]) => withFaults(healthy(), wifi, ...more);
const managedBy = (units: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) =>
  withWifi(onMachine("dalt", { units, files }));

describe("Wi-Fi beside the cable", () => {
  it("prints arming, change, proof, calling off and the way back, in this order", async () => {
    const reply = await ask(goldentooth(), "lipps", "wired-and-wifi");
    expect(reply.verdict).toMatchObject({ word: "FIX", outcome: "info" });
    expect(shown(reply)).toEqual([
      "# 1. Arm the way back first: it runs by itself after five minutes",
      "sudo systemd-run --unit=arpeggio-revert-wlan0 --on-active=5m /bin/sh -c '",
      "  rm -f /etc/NetworkManager/conf.d/90-arpeggio-wlan0.conf",
      "  nmcli general reload conf",
      "  nmcli device set wlan0 managed yes",
      "'",
      "# 2. Change it",
      "printf '%s\\n' \\",
      "  '[device-arpeggio-wlan0]' \\",
      "  'match-device=interface-name:wlan0' \\",
      "  'managed=0' |",
      "  sudo tee /etc/NetworkManager/conf.d/90-arpeggio-wlan0.conf",
      "sudo nmcli device set wlan0 managed no",
      "sudo ip link set wlan0 down",
      "# 3. See that it worked",
      "ssh 10.4.0.21 true   # a new session, by cable",
      "kubectl get node lipps   # Ready",
      "arpeggio nodes check lipps --only wired-and-wifi",
      "# 4. Only then call the armed way back off",
      "sudo systemctl stop arpeggio-revert-wlan0.timer",
      "# To go back later",
      "sudo rm -f /etc/NetworkManager/conf.d/90-arpeggio-wlan0.conf",
      "sudo nmcli general reload conf",
      "sudo nmcli device set wlan0 managed yes",
    ]);
    expect(plain(reply.why ?? [])).toMatch(/^Nothing was changed/);
  });

  it("writes its files with lines that an indentation does not spoil", async () => {
    const lines = shown(await ask(goldentooth(), "lipps", "wired-and-wifi"));
    const start = lines.findIndex((line) => line.startsWith("printf"));
    const script = lines
      .slice(start, start + 5)
      .map((line) => `    ${line}`)
      .join("\n")
      .replace("sudo tee /etc/NetworkManager/conf.d/90-arpeggio-wlan0.conf", "cat");
    expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(
      "[device-arpeggio-wlan0]\nmatch-device=interface-name:wlan0\nmanaged=0\n",
    );
  });

  it("takes a finding's code for its check", async () => {
    expect((await ask(goldentooth(), "lipps", "wifi-may-answer")).verdict.word).toBe("FIX");
  });

  it.each([
    [
      "systemd-networkd",
      { "systemd-networkd": "active" },
      { "/etc/systemd/network/20-wlan.network": "[Match]\nName=wl*\n" },
      ["  '[Match]' \\", "  'Name=wlan0' \\", "  'ActivationPolicy=always-down' |", "sudo networkctl reload"],
      ["sudo rm -f /etc/systemd/network/00-arpeggio-wlan0.network", "sudo networkctl reconfigure wlan0"],
    ],
    [
      "netplan",
      { "systemd-networkd": "active" },
      { "/run/systemd/network/10-netplan-wlan0.network": "[Match]\nName=wlan0\n" },
      [
        "  sudo tee /etc/netplan/99-arpeggio-wlan0.yaml",
        `  '      activation-mode: "off"' |`,
        "sudo netplan apply",
      ],
      ["sudo rm -f /etc/netplan/99-arpeggio-wlan0.yaml", "sudo netplan apply"],
    ],
    [
      "ifupdown",
      { networking: "active" },
      { "/etc/network/interfaces": "auto lo eth0\nallow-hotplug wlan0\niface wlan0 inet dhcp\n" },
      ["sudo cp -p /etc/network/interfaces /var/backups/arpeggio-wlan0", "sudo ifdown wlan0"],
      ["sudo cp -p /var/backups/arpeggio-wlan0 /etc/network/interfaces", "sudo ifup wlan0"],
    ],
    [
      "dhcpcd",
      { dhcpcd: "active" },
      { "/etc/dhcpcd.conf": "persistent\n" },
      ["sudo sed -i '1i denyinterfaces wlan0' /etc/dhcpcd.conf", "sudo dhcpcd -x wlan0"],
      ["sudo cp -p /var/backups/arpeggio-wlan0 /etc/dhcpcd.conf", "sudo dhcpcd -n wlan0"],
    ],
    ["connman", { connman: "active" }, {}, ["sudo connmanctl disable wifi"], ["sudo connmanctl enable wifi"]],
    ["nobody", {}, {}, ["sudo rfkill block wifi"], ["sudo rfkill unblock wifi"]],
  ] as const)("by %s", async (_, units, files, change, undo) => {
    const lines = shown(await ask(managedBy(units, files), "dalt", "wired-and-wifi"));
    const back = lines.indexOf("# To go back later");
    expect(lines.slice(0, back)).toEqual(expect.arrayContaining([...change]));
    expect(lines.slice(back)).toEqual(expect.arrayContaining([...undo]));
    // What is armed is the way back itself.
    for (const line of undo) expect(lines).toContain(`  ${line.replace(/^sudo /, "")}`);
  });

  it("offers the firmware's overlay on a Raspberry Pi, in the file that its firmware reads", async () => {
    const site = managedBy(
      { NetworkManager: "active" },
      { "/boot/firmware/config.txt": "arm_64bit=1\n", "/boot/config.txt": "# moved\n" },
    );
    const lines = shown(await ask(site, "dalt", "wired-and-wifi"));
    expect(lines).toContain(
      "printf '\\n[all]\\ndtoverlay=disable-wifi\\n' | sudo tee -a /boot/firmware/config.txt",
    );
    expect(lines).toContain("sudo sed -i '/^dtoverlay=disable-wifi$/d' /boot/firmware/config.txt");
  });

  it("has nothing to fix where Wi-Fi is off", async () => {
    const reply = await ask(healthy(), "dalt", "wired-and-wifi");
    expect(reply.verdict).toMatchObject({ word: "OK", outcome: "ok" });
    expect(exitCode(reply)).toBe(0);
  });
});

const containers = (arg: string) => ({ spec: { containers: [{ name: "etcd", command: ["etcd", arg] }] } });

describe("what the interface carries", () => {
  it.each([
    [
      "InternalIP",
      patchObject("nodes", "dalt", { status: { addresses: [{ type: "InternalIP", address: "10.4.1.30" }] } }),
      "InternalIP 10.4.1.30 is on wlan0",
    ],
    [
      "Calico's address",
      calicoUses("dalt", "10.4.1.30/20"),
      "Calico's address 10.4.1.30 is on wlan0 (projectcalico.org/IPv4Address)",
    ],
    [
      "the default route",
      onMachine("dalt", { routes: [{ dst: "default", gateway: "10.4.0.1", dev: "wlan0" }] }),
      "the default route leaves by wlan0",
    ],
    [
      "the SSH session",
      onMachine("dalt", { env: { SSH_CONNECTION: "10.4.0.5 52144 10.4.1.30 22" } }),
      "our SSH session arrives at 10.4.1.30 on wlan0",
    ],
    [
      "an etcd URL",
      addObject(
        "pods",
        { name: "etcd-dalt", namespace: "kube-system" },
        containers("--listen-client-urls=https://127.0.0.1:2379,https://10.4.1.30:2379"),
      ),
      "pod kube-system/etcd-dalt names 10.4.1.30 in a URL or flag",
    ],
    [
      "an API server's address",
      addObject(
        "endpointslices",
        {
          name: "kubernetes",
          namespace: "default",
          labels: { "kubernetes.io/service-name": "kubernetes" },
        },
        { addressType: "IPv4", endpoints: [{ addresses: ["10.4.1.30"], conditions: { ready: true } }] },
      ),
      "the API server is published at 10.4.1.30 (Service default/kubernetes)",
    ],
  ] as const)("refuses for %s, and prints no command", async (_, fault, why) => {
    const reply = await ask(withWifi(fault), "dalt", "wired-and-wifi");
    expect(reply.verdict).toMatchObject({ word: "REFUSED", outcome: "failed" });
    expect(refusals(reply)).toEqual([why]);
    expect(reply.findings[0]?.remedy && plain(reply.findings[0].remedy)).toMatch(/ first\b/);
    expect(shown(reply)).toEqual([]);
  });

  it("does not take another node's longer address for this one", async () => {
    const other = addObject(
      "pods",
      { name: "etcd-x", namespace: "kube-system" },
      containers("--listen-client-urls=https://10.4.1.301:2379,https://110.4.1.30:2379"),
    );
    expect((await ask(withWifi(other), "dalt", "wired-and-wifi")).verdict.word).toBe("FIX");
  });

  it("names everything at once", async () => {
    const reply = await ask(
      withWifi(
        calicoUses("dalt", "10.4.1.30/20"),
        onMachine("dalt", { env: { SSH_CONNECTION: "10.4.0.5 52144 10.4.1.30 22" } }),
      ),
      "dalt",
      "wired-and-wifi",
    );
    expect(refusals(reply).length).toBe(2);
  });

  it("refuses on the story's node, where Calico chose Wi-Fi", async () => {
    const reply = await ask(goldentooth(), "karstark", "wired-and-wifi");
    expect(refusals(reply)).toEqual([
      "Calico's address 10.4.1.20 is on wlan0 (projectcalico.org/IPv4Address)",
    ]);
    expect(exitCode(reply)).toBe(1);
  });

  it("does not know, and prints no command, where the session's way cannot be told", async () => {
    const reply = await ask(
      withWifi(onMachine("dalt", { env: { SSH_CONNECTION: "127.0.0.1 52144 127.0.0.1 22" } })),
      "dalt",
      "wired-and-wifi",
    );
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(shown(reply)).toEqual([]);
  });
});

describe("other fixes", () => {
  it("does not call a failure fine that it has no command for", async () => {
    const ignored = withFaults(
      healthy(),
      onMachine("dalt", {
        units: {},
        files: { "/boot/firmware/config.txt": "", "/boot/config.txt": "dtoverlay=disable-wifi\n" },
      }),
    );
    const reply = await ask(ignored, "dalt", "nic-managers");
    expect(reply.verdict.word).toBe("BY HAND");
    expect(plain(reply.verdict.text)).toMatch(
      /stands in \/boot\/config.txt, which this firmware does not read/,
    );
  });

  it("prints nothing for settings that are right already", async () => {
    const right = { "net.ipv4.conf.all.arp_ignore": "1", "net.ipv4.conf.all.arp_announce": "2" };
    const reply = await ask(withWifi(onMachine("dalt", { sysctls: right })), "dalt", "arp-flux");
    expect(reply.verdict.word).toBe("OK");
    expect(shown(reply)).toEqual([]);
  });

  it("makes a Wi-Fi last that somebody turned off by hand", async () => {
    const byHand = withFaults(healthy(), onNic("dalt", "wlan0", { up: true, carrier: false }));
    const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
    const { twin, deps } = runInMemory(byHand, clock);
    twin.setLink("dalt", "wlan0", { up: false });
    const context = {
      ...twinCluster(byHand).context({ node: "dalt", check: "nic-managers" }),
      deps,
      cluster: deps.clusters.get("goldentooth"),
    };
    const reply = await clock.runUntil(fix.handle(context));
    expect(shown(reply)).toContain("sudo nmcli device set wlan0 managed no");
  });

  it("restores the settings that were there", async () => {
    const site = withWifi(onMachine("dalt", { sysctls: { "net.ipv4.conf.all.arp_announce": "1" } }));
    const lines = shown(await ask(site, "dalt", "arp-flux"));
    expect(lines).toEqual(
      expect.arrayContaining([
        "  'net.ipv4.conf.all.arp_ignore = 1' \\",
        "  'net.ipv4.conf.all.arp_announce = 2' |",
        "sudo sysctl -w net.ipv4.conf.all.arp_ignore=0",
        "sudo sysctl -w net.ipv4.conf.all.arp_announce=1",
      ]),
    );
    const strict = withWifi(onMachine("dalt", { sysctls: { "net.ipv4.conf.all.rp_filter": "1" } }));
    expect(shown(await ask(strict, "dalt", "rp-filter"))).toEqual(
      expect.arrayContaining([
        "  'net.ipv4.conf.all.rp_filter = 2' |",
        "sudo sysctl -w net.ipv4.conf.all.rp_filter=1",
      ]),
    );
  });

  const detour = {
    routes: [
      { dst: "default", gateway: "10.4.0.1", dev: "eth0" },
      { dst: "10.4.11.0/24", gateway: "10.4.0.12", dev: "eth0", protocol: "static" },
    ],
  };

  it("removes a route now and from the profile it comes from", async () => {
    const reply = await ask(withFaults(healthy(), onMachine("dalt", detour)), "dalt", "route-via-gateway");
    expect(shown(reply)).toEqual(
      expect.arrayContaining([
        "sudo ip route del 10.4.11.0/24 via 10.4.0.12 dev eth0 proto static",
        "sudo nmcli connection modify 'Wired connection 1' -ipv4.routes '10.4.11.0/24 10.4.0.12'",
        "  ip route add 10.4.11.0/24 via 10.4.0.12 dev eth0 proto static",
        "sudo nmcli connection modify 'Wired connection 1' +ipv4.routes '10.4.11.0/24 10.4.0.12'",
      ]),
    );
  });

  it("says that nobody but a person makes that change, and that --apply makes others", async () => {
    const route = await ask(withFaults(healthy(), onMachine("dalt", detour)), "dalt", "route-via-gateway");
    const prose = route.blocks.flatMap((block) => (block.kind === "prose" ? [plain(block.text)] : []));
    expect(prose.join("\n")).toMatch(
      /--apply cannot make this change: .* Paste the lines above on dalt yourself.*\/nodes check dalt --only route-via-gateway/,
    );
    expect((route.next ?? []).map(plain).join()).not.toContain("--apply");
    expect(route.data).toMatchObject({ applies: false });
    const wifi = await ask(withWifi(), "dalt", "wired-and-wifi");
    expect((wifi.next ?? []).map(plain)[0]).toContain("/nodes fix dalt wired-and-wifi --apply");
    expect(JSON.stringify(wifi.blocks)).not.toContain("cannot make this change");
    expect(wifi.data).toMatchObject({ applies: true });
  });

  it("keeps a route by which our own answers leave", async () => {
    const env = { SSH_CONNECTION: "10.4.11.9 52144 10.4.0.13 22" };
    const site = withFaults(healthy(), onMachine("dalt", { ...detour, env }));
    expect(refusals(await ask(site, "dalt", "route-via-gateway"))).toEqual([
      "answers to our SSH session (10.4.11.9) leave by this route",
    ]);
  });

  it("says so where no command cures it, and what to read", async () => {
    const reply = await ask(healthy(), "dalt", "lan-nic");
    expect(reply.verdict.word).toBe("BY HAND");
    expect((reply.next ?? []).map(plain)).toEqual(["Why and how to fix it by hand: /nodes explain lan-nic"]);
  });
});

it("names what is near to a wrong word", async () => {
  const check = await ask(healthy(), "dalt", "wired-and-wlan");
  expect(plain(check.verdict.text)).toBe("No check wired-and-wlan on goldentooth. Nearest: wired-and-wifi.");
  const node = await ask(healthy(), "dalf", "wired-and-wifi");
  expect(plain(node.verdict.text)).toBe("No node dalf on goldentooth. Nearest: dalt.");
  expect(exitCode(node)).toBe(2);
});
