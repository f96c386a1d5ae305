import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { createFrameBudget } from "#shared/arp/frame-budget.ts";
import type { ArpPorts } from "#shared/arp/surroundings.ts";
import { readyVantage } from "#shared/arp/vantage.ts";
import { watchAddress } from "#shared/arp/watch.ts";
import { tcpdumpArp } from "#shared/probes/tcpdump-arp.ts";
import type { Vantage } from "#shared/site/site.ts";
import { findHabets } from "./support/habets.ts";
import { describeNet, obstacle } from "./support/prerequisites.ts";
import { buildTopology, type Topology } from "./support/topology.ts";

const ip = "10.77.0.200";
const broadcast = "ff:ff:ff:ff:ff:ff";
const mac = { karstark: "02:a6:32:0a:1b:0b", bettley: "02:a6:32:0a:1b:11" };

const habets = obstacle === undefined ? findHabets() : { missing: obstacle };

describeNet("an address changes hands on real kernels", () => {
  let topology: Topology;
  beforeAll(() => {
    const host = (name: string, address: string, hardware: string) => ({
      name,
      nics: [{ name: "eth0", mac: hardware, address }] as const,
    });
    topology = buildTopology([
      host("karstark", "10.77.0.19/24", mac.karstark),
      host("bettley", "10.77.0.11/24", mac.bettley),
      host("ops-host", "10.77.0.5/24", "02:a6:32:0a:1b:05"),
      {
        ...host("ops-habets", "10.77.0.6/24", "02:a6:32:0a:1b:06"),
        ...("program" in habets ? { instead: { arping: habets.program } } : {}),
      },
    ]);
  });
  afterAll(() => topology?.close());
  beforeEach(() => topology.announce("karstark", ip, ["eth0"]));

  /** What a speaker does on take-over: it answers from now on, and tells everybody, once as request, once as reply. */
  const takeOver = () => {
    topology.withdraw("karstark", ip);
    topology.announce("bettley", ip, ["eth0"]);
    topology.exec("bettley", ["arping", "-q", "-U", "-c", "1", "-I", "eth0", ip]);
    topology.exec("bettley", ["arping", "-q", "-A", "-c", "1", "-I", "eth0", ip]);
  };
  const giveBack = () => topology.withdraw("bettley", ip);

  it("a capture shows the gratuitous frames of both forms, with the taker's MAC, to everybody", async () => {
    const output = await topology.shell({ kind: "vantage", name: "ops-host" }, tcpdumpArp.argv("eth0", 5), {
      onLine: ({ text }) => {
        if (/listening on/.test(text)) takeOver();
      },
    });
    giveBack();
    const frames = tcpdumpArp.read(output).filter((frame) => frame.gratuitous);
    expect(new Set(frames.map((frame) => frame.op))).toEqual(new Set(["request", "reply"]));
    for (const frame of frames) {
      expect(frame).toMatchObject({
        senderIp: ip,
        senderMac: mac.bettley,
        targetMac: broadcast,
        targetIp: ip,
      });
      expect(frame.at).toBeGreaterThan(output.startedAt);
      expect(frame.at).toBeLessThan(output.endedAt);
    }
  });

  it("a neighbour that knows the address follows the gratuitous frames at once", () => {
    const known = () => topology.exec("ops-host", ["ip", "neigh", "show", "to", ip]);
    topology.exec("ops-host", [
      "ip",
      "neigh",
      "replace",
      ip,
      "lladdr",
      mac.karstark,
      "dev",
      "eth0",
      "nud",
      "stale",
    ]);
    expect(known()).toContain(mac.karstark);
    takeOver();
    expect(known()).toContain(mac.bettley);
    giveBack();
  });

  const watched = (name: string) => async () => {
    const vantage: Vantage = { name, place: "lan-wired", access: topology.access(name) };
    const ports: ArpPorts = {
      config: {
        name: "namespaces",
        site: { lanPrefix: "10.77.0.0/24", staticRoutes: [], dhcpRanges: [], resolvers: [], lanNic: [] },
        vantages: [vantage],
        nodes: [],
      },
      read: async () => {
        throw new Error("no cluster in these tests");
      },
      shell: topology.shell,
      clock: systemClock,
    };
    let taken = false;
    const watch = await watchAddress(
      ports,
      createFrameBudget(systemClock),
      await readyVantage(ports, vantage),
      ip,
      5_000,
      {
        onSighting: () => {
          if (taken) return;
          taken = true;
          takeOver();
        },
      },
    );
    giveBack();
    expect(watch.recorder).toBe("tcpdump");
    expect(watch.timeline.changes.map(({ from, to }) => [from, to])).toEqual([[mac.karstark, mac.bettley]]);
    expect(watch.timeline.gratuitous).toContainEqual(expect.objectContaining({ mac: mac.bettley }));
    return watch;
  };

  it(
    "a watch with the iputils program tells who had it, who has it, and that it was announced",
    watched("ops-host"),
  );

  describe.skipIf("missing" in habets)(
    `with the other program${"missing" in habets ? ` [skipped: ${habets.missing}]` : ""}`,
    () => {
      it("a watch tells the same, ten times a second", async () => {
        const watch = await watched("ops-habets")();
        expect(watch.rate).toBe(10);
      });
    },
  );
});
