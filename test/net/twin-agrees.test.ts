import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";
import { type Fault, FaultError } from "#shared/fault.ts";
import { probes } from "#shared/probes/all.ts";
import { arpingHabets, arpingIputils } from "#shared/probes/arping.ts";
import { ipAddr } from "#shared/probes/ip-addr.ts";
import { ipRoute } from "#shared/probes/ip-route.ts";
import type { Shell, ShellCommand } from "#shared/probes/shell.ts";
import { tcpdumpArp } from "#shared/probes/tcpdump-arp.ts";
import { until } from "#test/contract/shell.ts";
import {
  type Case,
  fast,
  ofNodes,
  ofTheMachine,
  onTheMachine,
  onTheWire,
  others,
  replies,
} from "./support/agreement-cases.ts";
import {
  announced,
  habetsHosts,
  hostsWith,
  ip,
  lanPrefix,
  objects,
  stranger,
  wlan0,
} from "./support/agreement-site.ts";
import { findHabets, publicHabets } from "./support/habets.ts";
import { inside, pidsIn } from "./support/inside.ts";
import { type Host, type Lab, siteOf, startLab } from "./support/lab-of-topology.ts";
import { masked } from "./support/masks.ts";
import { describeNet, obstacle } from "./support/prerequisites.ts";
import { signalAll } from "./support/processes.ts";
import { buildTopology, portOf, type Topology } from "./support/topology.ts";

const habets = obstacle === undefined ? findHabets() : { missing: obstacle };

/** What the model prints is what these versions print; against others, a difference would say nothing. */
const modelled: readonly Readonly<{ argv: readonly [string, string]; says: string }>[] = [
  { argv: ["ip", "-V"], says: "iproute2-6.1.0" },
  { argv: ["arping", "-V"], says: "iputils 20221126" },
  { argv: ["tcpdump", "--version"], says: "tcpdump version 4.99.3" },
  ...("program" in habets ? [{ argv: [habets.program, "--help"], says: "ARPing 2.23," } as const] : []),
];

function otherVersions(): string | undefined {
  if (obstacle !== undefined) return obstacle;
  const other = modelled.flatMap(({ argv: [program, flag], says }) => {
    const { stdout, stderr } = spawnSync(program, [flag], { encoding: "utf8" });
    const said = `${stdout}${stderr}`.trim();
    return said.includes(says) ? [] : [`${said.split("\n")[0] || program}, the model prints as ${says}`];
  });
  return other.length === 0 ? undefined : other.join("; ");
}

/** Where the second program is missing, what needs it is skipped with the reason, and the rest is compared. */
const lacking = (on: string): string | undefined =>
  "missing" in habets && habetsHosts.includes(on) ? habets.missing : undefined;

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

type Comparison = Pick<Case, "on" | "command"> & Partial<Pick<Case, "shows" | "anyOrder">>;

const sorted = (text: string): string =>
  text
    .split(/\n|\[(?=\{)|(?<=\}),(?=\{)|(?<=\})\](?=\n)/)
    .sort()
    .join("\n");

const inOrder = (said: Outcome): Outcome =>
  "fault" in said ? said : { ...said, stdout: sorted(said.stdout), stderr: sorted(said.stderr) };

const cases = [...onTheWire, fast, ...onTheMachine, ...others, ...ofNodes];

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
      machines = hostsWith(habets, {
        iputils,
        habets: "program" in habets ? publicHabets(habets, dir) : iputils,
      });
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

    const compare = async ({ on, command, shows, anyOrder }: Comparison, against: readonly Lab[] = [lab]) => {
      const [real, ...models] = await Promise.all([
        outcome(topology.shell, on, command),
        ...against.map((model) => outcome(model.shell, on, command)),
      ]);
      if (shows) expect("fault" in real ? real.fault.detail : `${real.stdout}${real.stderr}`).toMatch(shows);
      for (const model of models)
        if (anyOrder) expect(inOrder(model)).toEqual(inOrder(real));
        else expect(model).toEqual(real);
    };

    it("every probe is compared, or is said to ask about something else than the network", () => {
      const named = [...cases.map(({ probe }) => probe), ...Object.keys(ofTheMachine)];
      expect(new Set(named)).toEqual(new Set(probes.map(({ id }) => id)));
    });

    const compareAll =
      (against: () => readonly Lab[]) =>
      async (row: Case, { skip }: TestContext) => {
        const reason = lacking(row.on);
        skip(reason !== undefined, reason);
        await compare(row, against());
      };
    it.for(onTheWire)(
      "$title",
      compareAll(() => [lab, speakers]),
    );
    // A busy machine may take longer than a tenth of a second to answer, and then the real program says Timeout.
    it.for([fast])(
      "$title",
      { retry: 3 },
      compareAll(() => [lab, speakers]),
    );
    it.for([...onTheMachine, ...others, ...ofNodes])(
      "$title",
      compareAll(() => [lab]),
    );

    /** Sets a scene, and takes it down whatever happened in it: the next one starts from the same. */
    const during = async (
      set: () => Promise<unknown>,
      act: () => Promise<void>,
      back: () => Promise<unknown>,
    ) => {
      await set();
      try {
        await act();
      } finally {
        await back();
      }
    };
    const arpIgnore = (nic: string, value: number) => () =>
      both("karstark", ["sysctl", "-qw", `net.ipv4.conf.${nic}.arp_ignore=${value}`]);

    it("tcpdump-arp, a take-over", async () => {
      const ask = ["arping", "-q", "-b", "-c", "1", "-I", "eth0", ip.moving] as const;
      type Move = readonly [machine: string, argv: readonly string[]];
      const last: Move = ["ops-habets", ["arping", "-q", "-c", "1", "-i", "eth0", ip.moving]];
      const story: readonly Move[] = [
        ["ops-host", ask],
        ["bettley", ["ip", "addr", "del", `${ip.moving}/32`, "dev", "lo"]],
        ["karstark", ["ip", "addr", "add", `${ip.moving}/32`, "dev", "lo"]],
        ["karstark", ["arping", "-q", "-U", "-c", "1", "-I", "eth0", ip.moving]],
        ["karstark", ["arping", "-q", "-A", "-c", "1", "-I", "eth0", ip.moving]],
        ["ops-host", ask],
        // Leaves the target's MAC empty, where the other program writes the broadcast address.
        ...("program" in habets ? [last] : []),
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
      const record = () =>
        Promise.all([
          recorded(topology.shell, (machine, [program = "", ...args]) => {
            const other = machine === "ops-habets" && program === "arping" && "program" in habets;
            return inside(topology, machine, [other ? habets.program : program, ...args]);
          }),
          recorded(lab.shell, lab.exec),
        ]);
      await arpIgnore("wlan0", 8)();
      const [real, model] = await record().finally(arpIgnore("wlan0", 0));
      const frames = tcpdumpArp.read(real);
      expect(frames.slice(0, 6).map(({ op, gratuitous }) => [op, gratuitous])).toEqual([
        ["request", false],
        ["reply", false],
        ["request", true],
        ["reply", true],
        ["request", false],
        ["reply", false],
      ]);
      expect(frames).toHaveLength("program" in habets ? 7 : 6);
      const shown = ({ exitCode, stdout, stderr }: typeof real) => ({
        exitCode,
        stdout: masked(stdout),
        stderr: masked(stderr),
      });
      expect(shown(model)).toEqual(shown(real));
    });

    const askers = [
      { on: "ops-host", probe: arpingIputils },
      { on: "ops-habets", probe: arpingHabets },
    ] as const;

    it.for(askers)("one answerer, by its other NIC, asked by $on", async ({ on, probe }, { skip }) => {
      const reason = lacking(on);
      skip(reason !== undefined, reason);
      const ask = (address: string) =>
        compare({ on, command: probe.argv("eth0", address, 1), shows: /02:a6:32:0a:1b:0c/i });
      await during(
        arpIgnore("eth0", 8),
        async () => {
          await ask(ip.twoNics);
          await ask("10.77.0.19");
          await arpIgnore("eth0", 1)();
          await ask(ip.twoNics);
        },
        arpIgnore("eth0", 0),
      );
    });

    it.for(askers)("a device that answers for everything, asked by $on", async ({ on, probe }, { skip }) => {
      const reason = lacking(on);
      skip(reason !== undefined, reason);
      topology.exec("stranger", ["ip", "route", "replace", `${ip.nobody}/32`, "dev", "wlan0"]);
      topology.exec("stranger", ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
      const proxy = (on: 0 | 1) => async () => {
        topology.exec("stranger", ["sysctl", "-qw", `net.ipv4.conf.eth0.proxy_arp=${on}`]);
        lab.twin.setProxyArp(on === 1, stranger.nics[0].mac);
      };
      const command = probe.argv("eth0", ip.nobody, 1);
      await during(proxy(1), () => compare({ on, command, shows: /02:a6:32:0a:1b:66/i }), proxy(0));
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
      const command = arpingIputils.argv("eth0", ip.twoNics, 1);
      await during(
        () => both("karstark", ["ip", "link", "set", "wlan0", "down"]),
        async () => {
          await compare({ on: "karstark", command: ipAddr.argv(), shows: /"operstate":"DOWN"/ });
          await compare({
            on: "karstark",
            command: arpingIputils.argv("wlan0", ip.one, 1),
            shows: /is down/,
          });
          await compare({ on: "karstark", command: tcpdumpArp.argv("wlan0", 1), shows: /not up/ });
          await compare({ on: "ops-host", command, shows: replies(1) });
        },
        async () => {
          await both("karstark", ["ip", "link", "set", "wlan0", "up"]);
          await settled("karstark");
        },
      );
    });

    it("an interface without a carrier", async () => {
      const plugged = (carrier: boolean) => async () => {
        topology.exec("switch", ["ip", "link", "set", portOf(wlan0), carrier ? "up" : "down"]);
        lab.twin.setLink("karstark", "wlan0", { carrier });
      };
      await during(
        plugged(false),
        async () => {
          await compare({ on: "karstark", command: ipAddr.argv(), shows: /NO-CARRIER/ });
          await compare({ on: "karstark", command: ipRoute.argv(ip.one), shows: /eth0/ });
        },
        plugged(true),
      );
    });

    it("a node that hangs", async () => {
      const command = ipRoute.argv(ip.nobody);
      await compare({ on: "cargyll", command, shows: /eth0/ });
      const pids = await pidsIn(topology, "cargyll");
      expect(pids.length).toBeGreaterThan(0);
      await during(
        async () => {
          signalAll(pids, "SIGSTOP");
          lab.faults.hang("cargyll");
        },
        () => compare({ on: "cargyll", command: { ...command, timeoutMs: 700 }, shows: /0\.7 s/ }),
        async () => {
          signalAll(pids, "SIGCONT");
          await lab.faults.heal("cargyll");
        },
      );
      await compare({ on: "cargyll", command, shows: /eth0/ });
    });

    it("a host key that changed", async () => {
      topology.changeHostKey("rekeyed");
      lab.faults.changeHostKey("rekeyed");
      await compare({ on: "rekeyed", command: ipAddr.argv(), shows: /the host shows/ });
    });
  },
  otherVersions(),
);
