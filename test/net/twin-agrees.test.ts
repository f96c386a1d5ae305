import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Fault, FaultError } from "#shared/fault.ts";
import { probes } from "#shared/probes/all.ts";
import { arpingHabets, arpingHabetsFast, arpingIputils } from "#shared/probes/arping.ts";
import { arpingIdentify } from "#shared/probes/arping-identify.ts";
import { ipAddr } from "#shared/probes/ip-addr.ts";
import { ipRoute } from "#shared/probes/ip-route.ts";
import type { Shell, ShellCommand } from "#shared/probes/shell.ts";
import { tcpdumpArp } from "#shared/probes/tcpdump-arp.ts";
import { object } from "#shared/twin/sites/stored-object.ts";
import { until } from "#test/contract/shell.ts";
import { findHabets, publicHabets } from "./support/habets.ts";
import { inside, pidsIn } from "./support/inside.ts";
import { type Host, type Lab, siteOf, startLab } from "./support/lab-of-topology.ts";
import { masked } from "./support/masks.ts";
import { describeNet, obstacle } from "./support/prerequisites.ts";
import { signalAll } from "./support/processes.ts";
import { buildTopology, type MachineSpec, type Topology } from "./support/topology.ts";

/** What the model prints is what these versions print; against others, a difference would say nothing. */
const modelled = [
  { argv: ["ip", "-V"], says: "iproute2-6.1.0" },
  { argv: ["arping", "-V"], says: "iputils 20221126" },
  { argv: ["tcpdump", "--version"], says: "tcpdump version 4.99.3" },
] as const;

function otherVersions(): string | undefined {
  if (obstacle !== undefined) return obstacle;
  const other = modelled.flatMap(({ argv: [program, flag], says }) => {
    const said = execFileSync(program, [flag], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return said.includes(says) ? [] : [`${said.split("\n")[0]}, the model prints as ${says}`];
  });
  return other.length === 0 ? undefined : other.join("; ");
}

const habets = obstacle === undefined ? findHabets() : { missing: obstacle };
const withHabets = "program" in habets ? { instead: { arping: habets.program } } : {};

const ip = {
  one: "10.77.0.201",
  twoNics: "10.77.0.202",
  twoNodes: "10.77.0.203",
  nobody: "10.77.0.204",
  ofCargyll: "10.77.0.205",
  moving: "10.77.0.206",
} as const;
const lanPrefix = "10.77.0.0/24";

const eth0 = (address: string, mac: string) => ({ name: "eth0", address: `${address}/24`, mac }) as const;
const vantage = (name: string, address: string, mac: string): Host => ({
  name,
  role: "vantage",
  nics: [eth0(address, mac)],
});

/** Plugged in in this order on both sides, because a bridge floods, and so answers come, in the order of its ports. */
const hosts = (plain: Readonly<{ iputils: string; habets: string }>): readonly Host[] => [
  {
    name: "karstark",
    role: "node",
    nics: [
      eth0("10.77.0.19", "02:a6:32:0a:1b:0b"),
      { name: "wlan0", address: "10.77.0.119/24", mac: "02:a6:32:0a:1b:0c" },
    ],
  },
  { name: "bettley", role: "node", nics: [eth0("10.77.0.11", "02:a6:32:0a:1b:11")] },
  {
    name: "cargyll",
    role: "node",
    nics: [eth0("10.77.0.12", "02:a6:32:0a:1b:12")],
    ...withHabets,
    model: { arping: "habets" },
  },
  {
    ...vantage("ops-host", "10.77.0.5", "02:a6:32:0a:1b:05"),
    model: { routes: [{ dst: "default", gateway: "10.77.0.1", dev: "eth0" }] },
  },
  {
    ...vantage("ops-habets", "10.77.0.6", "02:a6:32:0a:1b:06"),
    ...withHabets,
    model: { arping: "habets" },
  },
  {
    ...vantage("bare", "10.77.0.7", "02:a6:32:0a:1b:07"),
    programs: ["timeout"],
    model: { missingTools: ["ip", "arping", "tcpdump"] },
  },
  {
    ...vantage("barest", "10.77.0.8", "02:a6:32:0a:1b:08"),
    programs: [],
    model: { missingTools: ["timeout"] },
  },
  // Nobody is connected to it before its host key changes: a kept connection would not notice.
  vantage("rekeyed", "10.77.0.13", "02:a6:32:0a:1b:13"),
  {
    // With a file capability the program is not started at all without the right; the model has it without one.
    ...vantage("powerless", "10.77.0.9", "02:a6:32:0a:1b:09"),
    instead: { arping: plain.iputils },
    withoutRawSockets: true,
    user: { name: "operator", shell: "/bin/bash" },
  },
  {
    ...vantage("powerless-habets", "10.77.0.10", "02:a6:32:0a:1b:0a"),
    instead: { arping: plain.habets },
    withoutRawSockets: true,
    user: { name: "operator", shell: "/bin/bash" },
    model: { arping: "habets" },
  },
];

/** Answers for everything while it is told to. The model has such a device plugged in last, and no way to log in to it. */
const stranger = {
  name: "stranger",
  nics: [
    eth0("10.77.0.31", "02:a6:32:0a:1b:66"),
    { name: "wlan0", address: "10.77.0.131/24", mac: "02:a6:32:0a:1b:67" },
  ],
} as const satisfies MachineSpec;

type Outcome =
  | Readonly<{ exitCode: number | null; stdout: string; stderr: string }>
  | Readonly<{ fault: Fault }>;

async function outcome(shell: Shell, machine: string, command: ShellCommand): Promise<Outcome> {
  try {
    const { exitCode, stdout, stderr } = await shell({ kind: "vantage", name: machine }, command);
    return { exitCode, stdout: masked(stdout), stderr: masked(stderr) };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { fault: { ...error.fault, detail: masked(error.fault.detail) } };
  }
}

const typed = (line: string): ShellCommand => {
  const [program = "", ...args] = line.split(" ");
  return { argv: [program, ...args], privileged: true, timeoutMs: 5_000 };
};

type Case = Readonly<{
  title: string;
  probe: string;
  on: string;
  command: ShellCommand;
  /** What must be in the real output, so that two machines that both say nothing do not pass for agreement. */
  shows: RegExp;
}>;

type Comparison = Pick<Case, "on" | "command"> & Partial<Pick<Case, "shows">>;

const count = 2;
const lookWith = (program: "iputils" | "habets") => {
  const probe = program === "iputils" ? arpingIputils : arpingHabets;
  const from = program === "iputils" ? "ops-host" : "ops-habets";
  const row = (title: string, on: string, address: string, shows: RegExp, nic = "eth0"): Case => ({
    title: `${probe.id}, ${title}`,
    probe: probe.id,
    on,
    command: probe.argv(nic, address, count),
    shows,
  });
  return { from, row };
};

const replies = (n: number) => new RegExp(`Received ${n} response|, ${n} packets received`);

const onTheWire = (["iputils", "habets"] as const).flatMap((program): readonly Case[] => {
  const { from, row } = lookWith(program);
  return [
    row("one answerer", from, ip.one, replies(count)),
    row("two NICs of one node", from, ip.twoNics, replies(2 * count)),
    row("two nodes", from, ip.twoNodes, replies(2 * count)),
    row("silence", from, ip.nobody, replies(0)),
  ];
});
const fast: Case = {
  title: "arping-habets-fast, two nodes, ten times a second",
  probe: arpingHabetsFast.id,
  on: "ops-habets",
  command: arpingHabetsFast.argv("eth0", ip.twoNodes, 10),
  shows: replies(20),
};

const onTheMachine = (["iputils", "habets"] as const).flatMap((program): readonly Case[] => {
  const { from, row } = lookWith(program);
  const powerless = program === "iputils" ? "powerless" : "powerless-habets";
  return [
    row("own address", from, from === "ops-host" ? "10.77.0.5" : "10.77.0.6", replies(0)),
    row(
      "own address, announced",
      program === "iputils" ? "karstark" : "cargyll",
      program === "iputils" ? ip.twoNics : ip.ofCargyll,
      replies(0),
    ),
    row("no such interface", from, ip.one, /eth9/, "eth9"),
    row("missing tool", "bare", ip.one, /^bash: line 1: arping: command not found$/m),
    row("missing privilege", powerless, ip.one, /not permitted|CAP_NET_RAW/),
  ];
});

const identify = (on: string, shows: RegExp): Case => ({
  title: `arping-identify on ${on}`,
  probe: arpingIdentify.id,
  on,
  command: arpingIdentify.argv(),
  shows,
});
const record = (title: string, on: string, shows: RegExp, nic = "eth0"): Case => ({
  title: `tcpdump-arp, ${title}`,
  probe: tcpdumpArp.id,
  on,
  command: tcpdumpArp.argv(nic, 1),
  shows,
});
const routeOf = (title: string, on: string, address: string, shows: RegExp): Case => ({
  title: `ip-route-get, ${title}`,
  probe: ipRoute.id,
  on,
  command: ipRoute.argv(address),
  shows,
});
const addresses = (title: string, on: string, shows: RegExp): Case => ({
  title: `ip-addr, ${title}`,
  probe: ipAddr.id,
  on,
  command: ipAddr.argv(),
  shows,
});

const others: readonly Case[] = [
  identify("ops-host", /iputils/),
  identify("ops-habets", /Habets/),
  identify("bare", /command not found/),
  identify("powerless", /iputils/),
  identify("powerless-habets", /Habets/),
  record("nothing to see", "ops-host", /^0 packets captured$/m),
  record("no such interface", "ops-host", /eth9/, "eth9"),
  record("missing tool", "bare", /^timeout: failed to run command/m),
  record("missing timeout", "barest", /^bash: line 1: timeout: command not found$/m),
  record("missing privilege", "powerless", /permission/),
  routeOf("on-link", "ops-host", ip.one, /"dev":"eth0"/),
  routeOf("via a gateway", "ops-host", "192.0.2.9", /"gateway":"10.77.0.1"/),
  routeOf("unreachable", "ops-habets", "192.0.2.9", /RTNETLINK answers: Network is unreachable/),
  routeOf("own address", "ops-host", "10.77.0.5", /"type":"local"/),
  routeOf("own address, announced", "bettley", ip.one, /"type":"local"/),
  routeOf("two NICs to choose from", "karstark", ip.one, /"dev":"eth0"/),
  routeOf("asked by a user without rights", "powerless", ip.one, /"uid"/),
  routeOf("missing tool", "bare", ip.one, /^bash: line 1: ip: command not found$/m),
  addresses("a vantage", "ops-host", /"fe80::/),
  addresses("a node that announces on two NICs", "karstark", /"10\.77\.0\.202"/),
  addresses("a node that announces several addresses", "bettley", /"10\.77\.0\.203"/),
  addresses("asked by a user without rights", "powerless", /"eth0"/),
  addresses("missing tool", "bare", /^bash: line 1: ip: command not found$/m),
];

const cases = [...onTheWire, fast, ...onTheMachine, ...others];

const announced: readonly (readonly [machine: string, address: string])[] = [
  ["bettley", ip.one],
  ["karstark", ip.twoNics],
  ["bettley", ip.twoNodes],
  ["cargyll", ip.twoNodes],
  ["cargyll", ip.ofCargyll],
  ["bettley", ip.moving],
];

/** MetalLB announces from a node with an endpoint; with the member list torn apart, from every such node. */
const service = (name: string, address: string, on: readonly string[]) => [
  object(
    "services",
    { name, namespace: "default" },
    {
      spec: { type: "LoadBalancer", externalTrafficPolicy: "Local" },
      status: { loadBalancer: { ingress: [{ ip: address }] } },
    },
  ),
  object(
    "endpointslices",
    { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    {
      addressType: "IPv4",
      endpoints: on.map((nodeName, i) => ({
        addresses: [`172.16.0.${i + 1}`],
        conditions: { ready: true },
        nodeName,
      })),
    },
  ),
];

const objects = [
  ...["karstark", "bettley", "cargyll"].map((name) =>
    object("nodes", { name, labels: { "kubernetes.io/hostname": name } }),
  ),
  object(
    "ipaddresspools",
    { name: "primary", namespace: "metallb" },
    { spec: { addresses: ["10.77.0.200-10.77.0.249"] } },
  ),
  object("l2advertisements", { name: "primary", namespace: "metallb" }),
  ...service("one", ip.one, ["bettley"]),
  ...service("two-nics", ip.twoNics, ["karstark"]),
  ...service("two-nodes", ip.twoNodes, ["bettley", "cargyll"]),
];

const further = otherVersions() ?? ("missing" in habets ? habets.missing : undefined);

describeNet(
  "the lab prints what the programs print on real kernels",
  () => {
    let topology: Topology;
    /** The kernels of the model answer, as those of the topology do. */
    let lab: Lab;
    /** The same wiring, where speakers answer in the place of kernels. */
    let speakers: Lab;
    let machines: readonly Host[];
    let dir: string;

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), "arpt-plain-"));
      const iputils = join(dir, "arping");
      copyFileSync(execFileSync("sh", ["-c", "command -v arping"], { encoding: "utf8" }).trim(), iputils);
      execFileSync("chmod", ["755", dir, iputils]);
      machines = hosts({ iputils, habets: "program" in habets ? publicHabets(habets, dir) : "" });
      topology = buildTopology([...machines, stranger]);
      lab = await startLab(siteOf(machines, lanPrefix, []));
      speakers = await startLab(siteOf(machines, lanPrefix, objects));
      speakers.twin.partition([["bettley"], ["cargyll"]]);
      for (const { name } of machines.filter(({ withoutRawSockets }) => withoutRawSockets))
        lab.twin.dropPrivilege(name);
      topology.exec("ops-host", ["ip", "route", "add", "default", "via", "10.77.0.1", "dev", "eth0"]);
      for (const [machine, address] of announced)
        await both(machine, ["ip", "addr", "add", `${address}/32`, "dev", "lo"]);
      for (const { name } of machines)
        topology.exec(name, ["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=0"]);
      for (const { name } of machines) await settled(name);
    });
    afterAll(async () => {
      topology?.close();
      await lab?.close();
      await speakers?.close();
      rmSync(dir, { recursive: true, force: true });
    });

    /** Until every NIC has the IPv6 address of its own, known to be nobody else's: the model does not wait for that. */
    const settled = (machine: string) =>
      until(() => {
        const said = topology.exec(machine, ["ip", "-6", "-o", "addr", "show", "scope", "link"]);
        const nics = machines.find(({ name }) => name === machine)?.nics ?? [];
        return nics.every(({ name }) => said.includes(` ${name} `)) && !said.includes("tentative");
      });

    /** Changes both worlds by the same command. */
    const both = async (machine: string, argv: readonly string[]) => {
      await Promise.all([inside(topology, machine, argv), lab.exec(machine, argv)]);
    };

    const compare = async ({ on, command, shows }: Comparison, against: readonly Lab[] = [lab]) => {
      const [real, ...models] = await Promise.all([
        outcome(topology.shell, on, command),
        ...against.map((model) => outcome(model.shell, on, command)),
      ]);
      if (shows) expect("fault" in real ? real.fault.detail : `${real.stdout}${real.stderr}`).toMatch(shows);
      for (const model of models) expect(model).toEqual(real);
    };

    it("every probe is compared", () => {
      expect(new Set(cases.map(({ probe }) => probe))).toEqual(new Set(probes.map(({ id }) => id)));
    });

    it.each(onTheWire)("$title", async (row) => compare(row, [lab, speakers]));
    // A busy machine may take longer than a tenth of a second to answer, and then the real program says Timeout.
    it.each([fast])("$title", { retry: 3 }, async (row) => compare(row, [lab, speakers]));
    it.each([...onTheMachine, ...others])("$title", async (row) => compare(row));

    it("tcpdump-arp, a take-over", async () => {
      const wlan0 = (ignore: number) =>
        both("karstark", ["sysctl", "-qw", `net.ipv4.conf.wlan0.arp_ignore=${ignore}`]);
      await wlan0(8);
      const ask = ["arping", "-q", "-b", "-c", "1", "-I", "eth0", ip.moving] as const;
      const story: readonly (readonly [machine: string, argv: readonly string[]])[] = [
        ["ops-host", ask],
        ["bettley", ["ip", "addr", "del", `${ip.moving}/32`, "dev", "lo"]],
        ["karstark", ["ip", "addr", "add", `${ip.moving}/32`, "dev", "lo"]],
        ["karstark", ["arping", "-q", "-U", "-c", "1", "-I", "eth0", ip.moving]],
        ["karstark", ["arping", "-q", "-A", "-c", "1", "-I", "eth0", ip.moving]],
        ["ops-host", ask],
        // Leaves the target's MAC empty, where the other program writes the broadcast address.
        ["ops-habets", ["arping", "-q", "-c", "1", "-i", "eth0", ip.moving]],
      ];
      const recorded = async (
        shell: Shell,
        exec: (machine: string, argv: readonly string[]) => Promise<unknown>,
      ) => {
        let told: Promise<void> | undefined;
        const output = await shell({ kind: "vantage", name: "ops-host" }, tcpdumpArp.argv("eth0", 8), {
          onLine: ({ text }) => {
            if (!/listening on/.test(text) || told !== undefined) return;
            told = (async () => {
              for (const [machine, argv] of story) await exec(machine, argv);
            })();
          },
        });
        await told;
        return output;
      };
      const [real, model] = await Promise.all([
        recorded(topology.shell, (machine, [program = "", ...args]) => {
          const other = machine === "ops-habets" && program === "arping" && "program" in habets;
          return inside(topology, machine, [other ? habets.program : program, ...args]);
        }),
        recorded(lab.shell, lab.exec),
      ]);
      await wlan0(0);
      const frames = tcpdumpArp.read(real);
      expect(frames.map(({ op, gratuitous }) => [op, gratuitous])).toEqual([
        ["request", false],
        ["reply", false],
        ["request", true],
        ["reply", true],
        ["request", false],
        ["reply", false],
        ["request", false],
      ]);
      const shown = ({ exitCode, stdout, stderr }: typeof real) => ({
        exitCode,
        stdout: masked(stdout),
        stderr: masked(stderr),
      });
      expect(shown(model)).toEqual(shown(real));
    });

    it.each([
      "ops-host",
      "ops-habets",
    ] as const)("one answerer, by its other NIC, asked by %s", async (on) => {
      const ignore = (value: number) =>
        both("karstark", ["sysctl", "-qw", `net.ipv4.conf.eth0.arp_ignore=${value}`]);
      const { argv } = on === "ops-host" ? arpingIputils : arpingHabets;
      const ask = (address: string) =>
        compare({ on, command: argv("eth0", address, 1), shows: /02:a6:32:0a:1b:0c/i });
      await ignore(8);
      await ask(ip.twoNics);
      await ask("10.77.0.19");
      await ignore(1);
      await ask(ip.twoNics);
      await ignore(0);
    });

    it("a device that answers for everything", async () => {
      const route = ["route", "add", `${ip.nobody}/32`, "dev", "wlan0"];
      topology.exec("stranger", ["ip", ...route]);
      const proxy = (on: 0 | 1) => {
        topology.exec("stranger", ["sysctl", "-qw", `net.ipv4.conf.eth0.proxy_arp=${on}`]);
        lab.twin.setProxyArp(on === 1, stranger.nics[0].mac);
      };
      topology.exec("stranger", ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
      proxy(1);
      await compare({
        on: "ops-host",
        command: arpingIputils.argv("eth0", ip.nobody, 1),
        shows: /02:a6:32:0a:1b:66/i,
      });
      await compare({
        on: "ops-habets",
        command: arpingHabets.argv("eth0", ip.nobody, 1),
        shows: /02:a6:32:0a:1b:66/i,
      });
      proxy(0);
    });

    it.each([
      `ip addr add ${ip.one}/32 dev lo`,
      `ip addr replace ${ip.one}/32 dev lo`,
      `ip addr del ${ip.nobody}/32 dev lo`,
      `ip addr add ${ip.nobody}/32 dev eth9`,
      `ip addr add ${ip.nobody}/32`,
      "ip addr add nonsense dev lo",
      "sysctl -w net.ipv4.conf.eth0.arp_filter=0",
      "sysctl -qw net.ipv4.conf.eth0.arp_filter=0",
      "sysctl -w net.ipv4.conf.eth0.no_such=0",
    ])("what the scenes are set with: %s", async (line) => compare({ on: "bettley", command: typed(line) }));

    it.each([
      `ip addr add ${ip.nobody}/32 dev lo`,
      "sysctl -w net.ipv4.conf.eth0.arp_filter=0",
    ])("what the scenes are set with, without rights: %s", async (line) =>
      compare({ on: "powerless", command: typed(line), shows: /permi/ }));

    it("an interface that is down", async () => {
      await both("karstark", ["ip", "link", "set", "wlan0", "down"]);
      await compare({ on: "karstark", command: ipAddr.argv(), shows: /"operstate":"DOWN"/ });
      await compare({ on: "karstark", command: arpingIputils.argv("wlan0", ip.one, 1), shows: /is down/ });
      await compare({ on: "karstark", command: tcpdumpArp.argv("wlan0", 1), shows: /not up/ });
      await compare({
        on: "ops-host",
        command: arpingIputils.argv("eth0", ip.twoNics, 1),
        shows: replies(1),
      });
      await both("karstark", ["ip", "link", "set", "wlan0", "up"]);
      await settled("karstark");
    });

    it("an interface without a carrier", async () => {
      const port = "p320a1b0c";
      topology.exec("switch", ["ip", "link", "set", port, "down"]);
      lab.twin.setLink("karstark", "wlan0", { carrier: false });
      await compare({ on: "karstark", command: ipAddr.argv(), shows: /NO-CARRIER/ });
      await compare({ on: "karstark", command: ipRoute.argv(ip.one), shows: /eth0/ });
      topology.exec("switch", ["ip", "link", "set", port, "up"]);
      lab.twin.setLink("karstark", "wlan0", { carrier: true });
    });

    it("a node that hangs", async () => {
      const patient = ipRoute.argv(ip.nobody);
      await compare({ on: "cargyll", command: patient, shows: /eth0/ });
      const pids = await pidsIn(topology, "cargyll");
      expect(pids.length).toBeGreaterThan(0);
      signalAll(pids, "SIGSTOP");
      lab.faults.hang("cargyll");
      await compare({ on: "cargyll", command: { ...patient, timeoutMs: 700 }, shows: /0\.7 s/ });
      signalAll(pids, "SIGCONT");
      await lab.faults.heal("cargyll");
      await compare({ on: "cargyll", command: patient, shows: /eth0/ });
    });

    it("a host key that changed", async () => {
      topology.changeHostKey("rekeyed");
      lab.faults.changeHostKey("rekeyed");
      await compare({ on: "rekeyed", command: ipAddr.argv(), shows: /the host shows/ });
    });
  },
  further,
);
