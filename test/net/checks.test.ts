import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSshShell } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { checks } from "#shared/checks/all.ts";
import type { Check } from "#shared/checks/check.ts";
import type { Gathered } from "#shared/checks/evidence.ts";
import { type GatherPorts, nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { askingFor, planFix } from "#shared/checks/plan-fix.ts";
import { judgeAll } from "#shared/checks/run.ts";
import type { ReadCluster } from "#shared/kubernetes/read.ts";
import type { Shell } from "#shared/probes/shell.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { addObject, calicoUses, patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import { healthyPlan } from "#shared/twin/sites/healthy.ts";
import { until } from "#test/contract/shell.ts";
import { registered } from "#test/shared/checks/gathered.ts";
import { describeNet } from "./support/prerequisites.ts";
import { buildTopology, type MachineSpec, type Topology } from "./support/topology.ts";

/**
 * What a namespace has not got, and what stands in for it:
 *  - A radio. `/sys/class/net` is the namespace's own, but a virtual cable has no `phy80211` there and nobody can make
 *    one: the `find` of these machines runs the real one and adds that line for `wlan0`. Interface, addresses, flags and
 *    promiscuity of `wlan0` are the kernel's.
 *  - systemd. Nothing runs as process 1, so `systemctl is-active` is answered by a program that says that networkd
 *    runs. networkd's files are real ones, in an `/etc` that the machine alone sees. NetworkManager and radio switches
 *    (`/dev/rfkill`) are not there, which the real programs say themselves.
 *  - A dummy interface, which not every kernel has a driver for: `kube-ipvs0` is a bridge here. Its name is what counts.
 *  - A missing tool. All machines share one `/usr/bin`: the same `find` leaves a tool out.
 * Objects of the cluster come from a list, because no API server runs here.
 */
const standIns = (dir: string): Readonly<Record<string, string>> => {
  const write = (name: string, lines: readonly string[]) => {
    const path = join(dir, name);
    writeFileSync(path, `${["#!/bin/sh", ...lines].join("\n")}\n`, { mode: 0o755 });
    return path;
  };
  return {
    find: write("find", [
      `case "$*" in`,
      `  *" nc "*) if [ -e ${join(dir, "without-nc")} ]; then /usr/bin/find "$@" | grep -v /nc; exit; fi ;;`,
      `  *phy80211*) [ -e /sys/class/net/wlan0 ] && echo /sys/class/net/wlan0/phy80211 ;;`,
      "esac",
      `exec /usr/bin/find "$@"`,
    ]),
    systemctl: write("systemctl", [
      "shift",
      `for unit; do case $unit in systemd-networkd) echo active ;; *) echo inactive ;; esac; done`,
      "exit 3",
    ]),
  };
};

const ips: Readonly<Record<string, string>> = {
  bettley: "10.77.0.11",
  cargyll: "10.77.0.12",
  dalt: "10.77.0.13",
  karstark: "10.77.0.19",
};
const macOf = (name: string) => `02:a6:32:0a:1c:${ips[name]?.split(".")[3]}`;
const wifi: Readonly<Record<string, string>> = { dalt: "10.77.0.113", karstark: "10.77.0.119" };

const machine = (name: string, instead: Readonly<Record<string, string>>): MachineSpec => ({
  name,
  instead,
  nics: [
    { name: "eth0", mac: macOf(name), address: `${ips[name]}/24` },
    ...(wifi[name] === undefined
      ? []
      : [{ name: "wlan0", mac: macOf(name).replace("1c", "1d"), address: `${wifi[name]}/24` } as const]),
  ],
});

const base = buildSite({
  ...healthyPlan,
  lanPrefix: "10.77.0.0/24",
  routerIp: "10.77.0.1",
  nodes: Object.entries(ips).map(([name, ip]) => ({ name, ip, mac: macOf(name) })),
  services: [],
  vantages: [],
  pool: { name: "primary", addresses: ["10.77.0.200-10.77.0.249"] },
  kubeProxy: { mode: "ipvs", strictArp: true },
});

type Scene = Readonly<{
  check: string;
  node: string;
  /** Codes of what is found, in order. */
  finds: readonly string[];
  /** Commands on the node, as lines; `systemd/...=TEXT` writes a file of its /etc. Healed before and after. */
  heal?: readonly string[];
  broken?: readonly string[];
  /** What the cluster says while it is broken, or all the time. */
  says?: SiteFault;
  always?: SiteFault;
}>;

const interfaces = (...names: readonly string[]) =>
  patchObject("l2advertisements", "primary", { spec: { interfaces: names } });
const internalIp = (address: string) =>
  patchObject("nodes", "karstark", { status: { addresses: [{ type: "InternalIP", address }] } });
const wifiUp = ["ip link set wlan0 up", "ip addr replace 10.77.0.119/24 brd + dev wlan0"];
const conf = (nic: string, setting: string, value: number) =>
  `sysctl -qw net.ipv4.conf.${nic}.${setting}=${value}`;

const scenes: readonly Scene[] = [
  {
    check: "wired-and-wifi",
    node: "karstark",
    finds: ["wired-and-wifi"],
    heal: ["ip link set wlan0 down"],
    broken: wifiUp,
  },
  {
    check: "lan-nic",
    node: "bettley",
    finds: ["lan-nic-down", "lan-nic-no-default-route"],
    heal: ["ip link set eth0 up", "ip route replace default via 10.77.0.1 dev eth0"],
    broken: ["ip link set eth0 down"],
  },
  {
    check: "default-route-nic",
    node: "karstark",
    finds: ["default-route-nic"],
    heal: [...wifiUp, "ip route replace default via 10.77.0.1 dev eth0"],
    broken: ["ip route replace default via 10.77.0.1 dev wlan0"],
  },
  {
    check: "nic-managers",
    node: "karstark",
    finds: ["wifi-off-until-restart"],
    heal: [
      "ip link set wlan0 down",
      "systemd/network/20-wlan.network=[Match]\nName=wl*\n[Link]\nActivationPolicy=always-down\n",
    ],
    broken: ["systemd/network/20-wlan.network=[Match]\nName=wl*\n"],
  },
  {
    check: "promiscuous-wireless",
    node: "karstark",
    finds: ["promiscuous-wireless"],
    heal: ["ip link set wlan0 up", "ip link set wlan0 promisc off"],
    broken: ["ip link set wlan0 promisc on"],
  },
  {
    check: "mtu-differs",
    node: "bettley",
    finds: ["mtu-differs"],
    heal: ["ip link set eth0 mtu 1500"],
    broken: ["ip link set eth0 mtu 1400"],
  },
  {
    check: "duplicate-mac",
    node: "dalt",
    finds: ["duplicate-mac", "duplicate-mac"],
    heal: [`ip link set wlan0 address ${macOf("dalt").replace("1c", "1d")}`],
    broken: [`ip link set wlan0 address ${macOf("bettley")}`],
  },
  {
    check: "internal-ip-nic",
    node: "karstark",
    finds: ["internal-ip-nic"],
    heal: wifiUp,
    says: internalIp("10.77.0.119"),
  },
  {
    check: "calico-address-nic",
    node: "karstark",
    finds: ["calico-address-nic"],
    heal: wifiUp,
    says: calicoUses("karstark", "10.77.0.119/24"),
  },
  {
    check: "calico-autodetection",
    node: "karstark",
    finds: ["calico-autodetection"],
    heal: ["ip addr flush dev wlan0"],
    broken: wifiUp,
  },
  {
    check: "lan-nic-not-advertised",
    node: "karstark",
    finds: ["lan-nic-not-advertised"],
    says: interfaces("wlan0"),
  },
  {
    check: "named-nic-missing",
    node: "dalt",
    finds: ["named-nic-missing"],
    heal: ["ip link set eth0 up"],
    broken: ["ip link set eth0 down", "ip link set eth0 name cable0"],
  },
  {
    check: "named-nic-enslaved",
    node: "dalt",
    finds: ["named-nic-enslaved"],
    heal: ["ip link set wlan0 nomaster"],
    broken: ["ip link set wlan0 master br9"],
    always: interfaces("eth0", "wlan0"),
  },
  {
    check: "pool-address-on-nic",
    node: "bettley",
    finds: ["pool-address-on-nic"],
    heal: ["ip addr flush dev eth0 to 10.77.0.201/32"],
    broken: ["ip addr add 10.77.0.201/32 dev eth0"],
  },
  {
    check: "ipvs-strict-arp",
    node: "cargyll",
    finds: ["ipvs-strict-arp-not-applied"],
    heal: [conf("all", "arp_ignore", 1), conf("all", "arp_announce", 2)],
    broken: [conf("all", "arp_ignore", 0)],
  },
  {
    check: "arp-flux",
    node: "karstark",
    finds: ["arp-flux"],
    heal: [...wifiUp, conf("all", "arp_ignore", 1), conf("all", "arp_announce", 2)],
    broken: [conf("all", "arp_ignore", 0), conf("all", "arp_announce", 0)],
  },
  {
    check: "rp-filter",
    node: "karstark",
    finds: ["rp-filter"],
    heal: [...wifiUp, conf("all", "rp_filter", 2)],
    broken: [conf("all", "rp_filter", 1)],
  },
  {
    check: "route-via-gateway",
    node: "bettley",
    finds: ["route-via-gateway"],
    heal: ["ip route flush exact 10.77.0.200/29"],
    broken: ["ip route add 10.77.0.200/29 via 10.77.0.12"],
  },
  {
    check: "calico-bgp-peers",
    node: "bettley",
    finds: ["calico-bgp-peer-gone"],
    heal: ["ip neigh replace 10.77.0.77 lladdr 02:a6:32:0a:1c:77 dev eth0 nud permanent"],
    broken: ["ip neigh replace 10.77.0.77 dev eth0 nud failed"],
    always: addObject(
      "calicobgppeers",
      { name: "router" },
      { spec: { peerIP: "10.77.0.77", asNumber: 64501 } },
    ),
  },
  {
    check: "calico-ebpf",
    node: "bettley",
    finds: ["calico-ebpf-nic"],
    says: addObject(
      "felixconfigurations",
      { name: "default" },
      { spec: { bpfEnabled: true, bpfDataIfacePattern: "^bond" } },
    ),
  },
];

/** Scenes with a shape of their own, below. */
const others = ["ssh-over-wifi", "memberlist-port", "tools-missing", "host-key-changed"];

describeNet("checks of nodes on real kernels", () => {
  let dir: string;
  let topology: Topology;
  const children: ChildProcess[] = [];
  const namespaceOf = (name: string) => topology.access(name).proxyCommand?.[3] ?? "";

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "arpt-checks-"));
    const instead = standIns(dir);
    topology = buildTopology(Object.keys(ips).map((name) => machine(name, instead)));
    for (const name of Object.keys(ips)) {
      for (const folder of ["systemd/network", "sysctl.d"])
        mkdirSync(join("/etc/netns", namespaceOf(name), folder), { recursive: true });
      topology.exec(name, ["ip", "route", "replace", "default", "via", "10.77.0.1", "dev", "eth0"]);
    }
    topology.exec("dalt", ["ip", "link", "add", "br9", "type", "bridge"]);
    topology.exec("cargyll", ["ip", "link", "add", "kube-ipvs0", "type", "bridge"]);
    topology.exec("cargyll", ["ip", "addr", "add", "10.77.0.202/32", "dev", "kube-ipvs0"]);
  });
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    topology?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  let nonces = 0;
  async function gather(
    asked: readonly Check[],
    node: string,
    spec: SiteSpec,
    shell: Shell = topology.shell,
  ): Promise<Gathered> {
    const read = (async (kinds) =>
      Object.fromEntries(
        kinds.map((kind) => [
          kind,
          spec.objects.filter((each) => each.kind === kind).map(({ object }) => object),
        ]),
      )) as ReadCluster;
    const ports: GatherPorts = {
      config: {
        name: "namespaces",
        site: {
          lanPrefix: spec.lanPrefix,
          routerIp: "10.77.0.1",
          staticRoutes: [],
          dhcpRanges: [],
          resolvers: [],
          lanNic: [],
        },
        vantages: [],
        nodes: [],
      },
      read,
      shell,
      clock: systemClock,
      newNonce: () => `n${process.pid}-${++nonces}`,
    };
    const lists = await readLists(ports, asked);
    return visitNodes(ports, lists, nodeSource(lists.nodes, ports.config), {
      checks: asked,
      ...(asked.every(({ about }) => about === "node") ? { only: [node] } : {}),
    });
  }

  /** Gathers and judges as `/nodes check` does: `passed`, codes of what is found, or why not. */
  async function verdict(
    check: Check,
    node: string,
    spec: SiteSpec,
    shell?: Shell,
  ): Promise<readonly string[]> {
    return judgeAll([check], await gather([check], node, spec, shell)).flatMap((result) => {
      if (result.outcome === "failed") return result.findings.map(({ code }) => code);
      if (result.outcome === "unknown") return [`unknown: ${result.fault.what}: ${result.fault.detail}`];
      return [result.outcome === "skipped" ? `skipped: ${result.because}` : "passed"];
    });
  }

  const apply = (node: string, lines: readonly string[] = []) => {
    for (const line of lines) {
      const [, path, text] = /^(systemd\/[^=]+)=([\s\S]*)$/.exec(line) ?? [];
      if (path !== undefined && text !== undefined)
        writeFileSync(join("/etc/netns", namespaceOf(node), path), text);
      else topology.exec(node, line.split(" "));
    }
  };

  it("has a scene for every check that looks at nodes", () => {
    const looking = checks.filter(({ needs, id }) => needs.length > 0 || id === "host-key-changed");
    expect([...scenes.map(({ check }) => check), ...others].sort()).toEqual(
      looking.map(({ id }) => id).sort(),
    );
  });

  it.each(scenes)("$check on $node", async ({ check, node, finds, heal, broken, says, always }) => {
    const asked = registered(check);
    const usual = always === undefined ? base : always(base);
    apply(node, heal);
    expect(await verdict(asked, node, usual)).toEqual(["passed"]);
    apply(node, broken);
    const told = await verdict(asked, node, says === undefined ? usual : says(usual));
    if (broken?.some((line) => line.endsWith("name cable0")))
      topology.exec(node, ["ip", "link", "set", "cable0", "name", "eth0"]);
    apply(node, heal);
    expect(told).toEqual(finds);
    expect(await verdict(asked, node, usual)).toEqual(["passed"]);
  });

  // The others need a network manager, which no namespace has.
  it.each([
    "arp-flux",
    "rp-filter",
  ])("what is printed as the fix of %s cures it, and its way back brings it back", async (id) => {
    const scene = scenes.find(({ check }) => check === id) as Scene;
    const check = registered(id);
    const { fix } = check;
    if (fix === undefined) throw new Error(`${id} has no fix`);
    const paste = (lines: readonly string[]) =>
      topology.exec(scene.node, ["sh", "-c", lines.join("\n").replaceAll("sudo ", "")]);
    apply(scene.node, scene.heal);
    apply(scene.node, scene.broken);
    const answer = planFix(check, fix, await gather([check, askingFor(check, fix)], scene.node, base));
    const [plan] = answer.kind === "plan" ? answer.plans : [];
    if (plan === undefined) throw new Error(`${answer.kind} instead of a plan`);
    paste(plan.change);
    expect(await verdict(check, scene.node, base)).toEqual(["passed"]);
    paste(plan.undo);
    expect(await verdict(check, scene.node, base)).toEqual(scene.finds);
    apply(scene.node, scene.heal);
  });

  describe("memberlist-port", () => {
    const listen = async (name: string): Promise<ChildProcess> => {
      const child = spawn("ip", ["netns", "exec", namespaceOf(name), "nc", "-lk", "7946"], {
        stdio: "ignore",
      });
      children.push(child);
      await until(() => topology.exec(name, ["ss", "-Hltn"]).includes(":7946"));
      return child;
    };

    it("opens a connection to every neighbour, refused by one whose speaker is gone", async () => {
      const check = registered("memberlist-port");
      const listeners = new Map<string, ChildProcess>();
      for (const name of Object.keys(ips)) listeners.set(name, await listen(name));
      expect(await verdict(check, "bettley", base)).toEqual(["passed"]);
      listeners.get("dalt")?.kill("SIGKILL");
      await until(() => !topology.exec("dalt", ["ss", "-Hltn"]).includes(":7946"));
      expect(await verdict(check, "bettley", base)).toEqual(["memberlist-refused"]);
      await listen("dalt");
      expect(await verdict(check, "bettley", base)).toEqual(["passed"]);
    });
  });

  it("tools-missing", async () => {
    const check = registered("tools-missing");
    expect(await verdict(check, "bettley", base)).toEqual(["passed"]);
    writeFileSync(join(dir, "without-nc"), "");
    expect(await verdict(check, "bettley", base)).toEqual(["tools-missing"]);
    rmSync(join(dir, "without-nc"));
    expect(await verdict(check, "bettley", base)).toEqual(["passed"]);
  });

  it("ssh-over-wifi, through a jump host to either address", async () => {
    apply("karstark", wifiUp);
    const { proxyCommand } = topology.access("karstark");
    const sshd = (proxyCommand ?? []).slice(1).filter((word) => word !== "-i");
    children.push(spawn("ip", [...sshd, "-D", "-p", "2222"], { stdio: "ignore" }));
    await until(() => topology.exec("karstark", ["ss", "-Hltn"]).includes(":2222"));
    const check = registered("ssh-over-wifi");
    for (const [host, outcome] of [
      ["10.77.0.19", "passed"],
      ["10.77.0.119", "ssh-over-wifi"],
    ] as const) {
      const ssh = createSshShell({
        access: ({ name }) => {
          const { proxyCommand: _, ...access } = topology.access(name);
          return { ...access, host, port: 2222, hostKeyAlias: name, jumpHost: "bettley" };
        },
        jump: (name) => topology.access(name),
        connectTimeoutMs: 10_000,
        maxConcurrent: 4,
        clock: systemClock,
      });
      expect(await verdict(check, "karstark", base, ssh.shell)).toEqual([outcome]);
      ssh.close();
    }
  });

  // The last one: after it nobody gets in any more.
  it("host-key-changed", async () => {
    const check = registered("host-key-changed");
    expect(await verdict(check, "cargyll", base)).toEqual(["passed"]);
    topology.changeHostKey("cargyll");
    const ssh = createSshShell({
      access: ({ name }) => topology.access(name),
      connectTimeoutMs: 10_000,
      maxConcurrent: 4,
      clock: systemClock,
    });
    expect(await verdict(check, "cargyll", base, ssh.shell)).toEqual(["host-key-changed"]);
    ssh.close();
  });
});
