import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { createFrameBudget } from "#shared/arp/frame-budget.ts";
import { investigate } from "#shared/arp/investigate.ts";
import { macTable, type NodeNics } from "#shared/arp/mac-table.ts";
import { createSingleFlight } from "#shared/arp/single-flight.ts";
import type { ArpPorts, Surroundings } from "#shared/arp/surroundings.ts";
import { readyVantage } from "#shared/arp/vantage.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import { parseMetalLbObjects } from "#shared/metallb/resources.ts";
import { arpingFor } from "#shared/probes/arping.ts";
import { arpingIdentify } from "#shared/probes/arping-identify.ts";
import { ipAddr } from "#shared/probes/ip-addr.ts";
import type { ClusterConfig, Vantage } from "#shared/site/site.ts";
import { findHabets } from "./support/habets.ts";
import { describeNet, obstacle } from "./support/prerequisites.ts";
import { buildTopology, type MachineSpec, type Topology } from "./support/topology.ts";

const ip = "10.77.0.200";
const service = "default/httpbin";
const unusedAddress = "10.77.0.250";
const nodes = ["bettley", "karstark"] as const;

const mac = {
  karstarkEth0: "02:a6:32:0a:1b:0b",
  karstarkWlan0: "02:a6:32:0a:1b:0c",
  bettleyEth0: "02:a6:32:0a:1b:11",
  strangerEth0: "02:a6:32:0a:1b:21",
};

const eth0 = (address: string, hardware: string) => ({ name: "eth0", mac: hardware, address }) as const;
const wlan0 = (address: string, hardware: string) => ({ name: "wlan0", mac: hardware, address }) as const;

const machines = (arping: string | undefined): readonly MachineSpec[] => {
  const instead = arping === undefined ? {} : { instead: { arping } };
  return [
    {
      name: "karstark",
      nics: [eth0("10.77.0.19/24", mac.karstarkEth0), wlan0("10.77.0.119/24", mac.karstarkWlan0)],
      ...instead,
    },
    { name: "bettley", nics: [eth0("10.77.0.11/24", mac.bettleyEth0)] },
    {
      name: "stranger",
      nics: [eth0("10.77.0.31/24", mac.strangerEth0), wlan0("10.77.0.131/24", "02:a6:32:0a:1b:22")],
    },
    { name: "ops-host", nics: [eth0("10.77.0.5/24", "02:a6:32:0a:1b:05")], ...instead },
    { name: "bare", nics: [eth0("10.77.0.6/24", "02:a6:32:0a:1b:06")], programs: ["ip", "sh"] },
    {
      name: "powerless",
      nics: [eth0("10.77.0.7/24", "02:a6:32:0a:1b:07")],
      withoutRawSockets: true,
      ...instead,
    },
  ];
};

const vantage = (topology: Topology, name: string, clusterNode?: string): Vantage => ({
  name,
  place: "lan-wired",
  access: topology.access(name),
  ...(clusterNode === undefined ? {} : { clusterNode }),
});

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  throw new Error("no fault");
}

function suite(program: "iputils" | "habets", arping: string | undefined): void {
  let topology: Topology;
  let ports: ArpPorts;
  let surroundings: Surroundings;

  beforeAll(async () => {
    topology = buildTopology(machines(arping));
    const config: ClusterConfig = {
      name: "namespaces",
      site: {
        lanPrefix: "10.77.0.0/24",
        staticRoutes: [],
        dhcpRanges: [],
        resolvers: [],
        lanNic: [],
        unusedAddress,
      },
      vantages: ["ops-host", "bare", "powerless"].map((name) => vantage(topology, name)),
      nodes: nodes.map((name) => ({ name, access: topology.access(name) })),
    };
    ports = {
      config,
      read: async () => {
        throw new Error("no cluster in these tests");
      },
      shell: topology.shell,
      clock: systemClock,
    };
    const read = nodes.map(async (node): Promise<NodeNics> => {
      const output = await topology.shell({ kind: "node", name: node }, ipAddr.argv());
      return { node, nics: ipAddr.read(output) };
    });
    surroundings = {
      objects: parseMetalLbObjects([]).objects,
      faults: new Map(),
      // Said here and nowhere computed, so that each test makes the wire agree with it or not.
      prediction: {
        assumed: {},
        addresses: [
          {
            ip,
            service,
            pool: "lan",
            order: ["karstark", "bettley"],
            why: {},
            interfaces: { karstark: "all", bettley: "all" },
          },
        ],
      },
      version: undefined,
      loadBalancerClass: undefined,
      notReady: new Set(),
      speakers: nodes,
      table: macTable(await Promise.all(read), config.site),
    };
  });
  afterAll(() => topology?.close());

  const announced: string[] = [];
  const announce = (machine: string, nics: readonly string[]) => {
    topology.announce(machine, ip, nics);
    announced.push(machine);
  };
  afterEach(() => {
    for (const machine of announced.splice(0)) topology.withdraw(machine, ip);
  });

  const look = async (from = "ops-host", clusterNode?: string) =>
    investigate(
      {
        ports,
        surroundings,
        budget: createFrameBudget(systemClock),
        flights: createSingleFlight(),
        count: 2,
      },
      { ip, service },
      await readyVantage(ports, vantage(topology, from, clusterNode)),
    );
  const macsSeen = ({ verdict }: Awaited<ReturnType<typeof look>>) =>
    verdict.answers.map((answer) => answer.mac).sort();

  it("is the program that these tests are about", async () => {
    const output = await topology.shell({ kind: "vantage", name: "ops-host" }, arpingIdentify.argv());
    expect(arpingIdentify.read(output).program).toBe(program);
  });

  it("one answerer, the predicted node's eth0: expected", async () => {
    announce("karstark", ["eth0"]);
    const seen = await look();
    expect(seen.verdict).toMatchObject({
      code: "expected",
      node: "karstark",
      nic: "eth0",
      disagreements: [],
    });
    expect(macsSeen(seen)).toEqual([mac.karstarkEth0]);
    expect(seen.frames).toBe(2);
  });

  it("the right node on its other NIC: wrong-nic or elsewhere, never expected", async () => {
    announce("karstark", ["wlan0"]);
    const seen = await look();
    expect(macsSeen(seen)).toEqual([mac.karstarkWlan0]);
    expect(seen.verdict).toMatchObject({ code: "wrong-nic", node: "karstark", nic: "wlan0" });
  });

  it("another node than predicted: elsewhere, and the disagreement is named", async () => {
    announce("bettley", ["eth0"]);
    const seen = await look();
    expect(seen.verdict).toMatchObject({ code: "elsewhere", node: "bettley", nic: "eth0" });
    expect(seen.verdict.disagreements).toContain("prediction says karstark, the wire says bettley");
  });

  it("both NICs of one node: two-nics, not split brain", async () => {
    announce("karstark", ["eth0", "wlan0"]);
    const seen = await look();
    expect(seen.verdict).toMatchObject({ code: "two-nics", node: "karstark" });
    expect(macsSeen(seen)).toEqual([mac.karstarkEth0, mac.karstarkWlan0]);
  });

  it("two nodes: two-nodes", async () => {
    announce("karstark", ["eth0"]);
    announce("bettley", ["eth0"]);
    const seen = await look();
    expect(seen.verdict.code).toBe("two-nodes");
    expect(macsSeen(seen)).toEqual([mac.karstarkEth0, mac.bettleyEth0]);
  });

  it("nobody: silence, with candidates", async () => {
    const seen = await look();
    expect(seen.verdict.code).toBe("silence");
    expect(seen.verdict.candidates.length).toBeGreaterThan(0);
    expect(seen.evidence.wire).toMatchObject({ kind: "looked", answers: [], sent: 2 });
  });

  it("a machine that is no node: foreign-mac", async () => {
    announce("stranger", ["eth0"]);
    const seen = await look();
    expect(seen.verdict.code).toBe("foreign-mac");
    expect(macsSeen(seen)).toEqual([mac.strangerEth0]);
  });

  it("a machine that answers for every address: proxy-arp", async () => {
    topology.exec("stranger", ["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.eth0.proxy_arp=1"]);
    topology.exec("stranger", ["ip", "route", "add", `${ip}/32`, "dev", "wlan0"]);
    topology.exec("stranger", ["ip", "route", "add", `${unusedAddress}/32`, "dev", "wlan0"]);
    try {
      const seen = await look();
      expect(seen.verdict.code).toBe("proxy-arp");
      expect(macsSeen(seen)).toEqual([mac.strangerEth0]);
    } finally {
      topology.exec("stranger", ["sysctl", "-qw", "net.ipv4.conf.eth0.proxy_arp=0"]);
      topology.exec("stranger", ["ip", "route", "del", `${ip}/32`]);
      topology.exec("stranger", ["ip", "route", "del", `${unusedAddress}/32`]);
    }
  });

  describe("from the node that announces", () => {
    it("the kernel gives no answer for its own address", async () => {
      announce("karstark", ["eth0"]);
      const ask = (name: string) =>
        topology.shell({ kind: "node", name }, arpingFor(program).argv("eth0", ip, 1));
      const anyMac = /([0-9a-f]{2}:){5}[0-9a-f]{2}/i;
      expect((await ask("ops-host")).stdout).toMatch(anyMac);
      const own = await ask("karstark");
      expect(own.stdout).not.toMatch(anyMac);
      expect(own.exitCode).not.toBe(127);
    });

    it("nothing is judged: could-not-look", async () => {
      announce("karstark", ["eth0"]);
      const seen = await look("karstark", "karstark");
      expect(seen.verdict.code).toBe("could-not-look");
      expect(seen.frames).toBe(0);
    });
  });

  describe("from a machine that cannot look", () => {
    it("without arping: missing-tool", async () => {
      const fault = await faultOf(readyVantage(ports, vantage(topology, "bare")));
      expect(fault.kind).toBe("missing-tool");
    });

    it("without the right to open raw sockets: missing-privilege, never silence", async () => {
      const attempt = look("powerless").then((seen) => {
        expect(seen.verdict.code).toBe("could-not-look");
        if (seen.evidence.wire.kind === "not-looked") throw new FaultError(seen.evidence.wire.fault);
      });
      expect((await faultOf(attempt)).kind).toBe("missing-privilege");
    });
  });
}

const habets = obstacle === undefined ? findHabets() : { missing: obstacle };

describeNet("arping of iputils on real kernels", () => suite("iputils", undefined));
describeNet(
  "arping by Thomas Habets on real kernels",
  () => suite("habets", "program" in habets ? habets.program : undefined),
  "missing" in habets ? habets.missing : undefined,
);
