import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { createFrameBudget } from "#shared/arp/frame-budget.ts";
import type { ArpPorts } from "#shared/arp/surroundings.ts";
import { readyVantage } from "#shared/arp/vantage.ts";
import { watchAddress } from "#shared/arp/watch.ts";
import type { ConnectionGap } from "#shared/migration/clients.ts";
import { handOverGap } from "#shared/migration/hand-over-gap.ts";
import { observeClients } from "#shared/migration/observe-clients.ts";
import type { Vantage } from "#shared/site/site.ts";
import type { StepContext } from "#shared/steps/step.ts";
import { until } from "#test/contract/shell.ts";
import { describeNet } from "./support/prerequisites.ts";
import { buildTopology, type Topology } from "./support/topology.ts";

const ip = "10.77.0.200";
const mac = { karstark: "02:a6:32:0a:3b:0b", bettley: "02:a6:32:0a:3b:11" };
const signal = new AbortController().signal;
const wait = (ms: number) => systemClock.sleep(ms);

/**
 * No MetalLB here: the moments are ours, and what the product says of them is compared with them. How long a hand-over
 * by speakers takes is not what this measures.
 */
describeNet("gaps as they are measured, against the moments they were made", () => {
  let topology: Topology;
  const listeners: ChildProcess[] = [];
  beforeAll(async () => {
    const host = (name: string, address: string, hardware: string) => ({
      name,
      nics: [{ name: "eth0", mac: hardware, address }] as const,
    });
    topology = buildTopology([
      host("karstark", "10.77.0.19/24", mac.karstark),
      host("bettley", "10.77.0.11/24", mac.bettley),
      host("ops-host", "10.77.0.5/24", "02:a6:32:0a:3b:05"),
      host("watcher", "10.77.0.6/24", "02:a6:32:0a:3b:06"),
    ]);
    for (const name of ["karstark", "bettley"]) {
      const [program = "", ...words] = (topology.access(name).proxyCommand ?? []).slice(0, 4);
      listeners.push(spawn(program, [...words, "nc", "-lk", "8080"], { stdio: "ignore" }));
      await until(() => topology.exec(name, ["ss", "-Hltn"]).includes(":8080"));
    }
    topology.announce("karstark", ip, ["eth0"]);
  });
  afterAll(() => {
    for (const child of listeners) child.kill("SIGKILL");
    topology?.close();
  });

  const vantage = (name: string): Vantage => ({ name, place: "lan-wired", access: topology.access(name) });
  const config = () => ({
    name: "namespaces",
    site: { lanPrefix: "10.77.0.0/24", staticRoutes: [], dhcpRanges: [], resolvers: [], lanNic: [] },
    vantages: [vantage("ops-host"), vantage("watcher")],
    nodes: [],
  });

  /** Gives the address up on one machine and to another later, and tells when. */
  async function handOver(from: string, to: string, silentMs: number): Promise<{ from: number; to: number }> {
    const given = systemClock.now();
    topology.withdraw(from, ip);
    await wait(silentMs);
    topology.announce(to, ip, ["eth0"]);
    topology.exec(to, ["arping", "-q", "-U", "-c", "1", "-I", "eth0", ip]);
    return { from: given, to: systemClock.now() };
  }

  it("a hand-over, its return and a withdrawal, by new connections and by ARP", async () => {
    const ports: ArpPorts = {
      config: config(),
      read: () => Promise.reject(new Error("no cluster in these tests")),
      shell: topology.shell,
      clock: systemClock,
    };
    const context = {
      run: { id: "R-1", runbook: "drill", cluster: "namespaces", inputs: {}, notes: {} },
      ports: { config: config(), shell: topology.shell, clock: systemClock },
      signal,
      show: () => {},
    } as unknown as StepContext;
    const watching = watchAddress(
      ports,
      createFrameBudget(systemClock),
      await readyVantage(ports, vantage("watcher")),
      ip,
      16_000,
    );
    const observation = await observeClients(
      context,
      "hand-over",
      [{ ip, port: 8080, service: "default/echo" }],
      vantage("ops-host"),
    );
    await wait(1_500);
    const there = await handOver("karstark", "bettley", 2_500);
    await wait(2_500);
    const back = await handOver("bettley", "karstark", 2_500);
    await wait(2_500);
    const withdrawn = systemClock.now();
    topology.withdraw("karstark", ip);
    const observed = await observation.stop();
    const watch = await watching;

    const felt = (
      observed.facts as unknown as {
        addresses: Record<string, { gaps: readonly ConnectionGap[]; resolutionMs: number }>;
      }
    ).addresses[ip];
    const near = (measured: number, truth: number, resolutionMs: number): void =>
      expect(Math.abs(measured - truth)).toBeLessThanOrEqual(2 * resolutionMs);
    // A connection that is not answered takes its second: no client knows it better.
    expect(felt?.resolutionMs).toBeLessThan(2_000);
    expect(felt?.gaps.map(({ open }) => open)).toEqual([false, false, true]);
    for (const [i, truth] of [there, back].entries()) {
      const gap = felt?.gaps[i] as ConnectionGap;
      near(gap.from, truth.from, felt?.resolutionMs ?? 0);
      near(gap.to, truth.to, felt?.resolutionMs ?? 0);
      near(gap.ms, truth.to - truth.from, felt?.resolutionMs ?? 0);
    }
    near(felt?.gaps[2]?.from ?? 0, withdrawn, felt?.resolutionMs ?? 0);
    expect(observed.findings.map(({ code }) => code)).toEqual(["address-lost"]);
    expect(handOverGap(observed.facts, ip)).toMatchObject({ open: true });

    const { changes, gaps, resolutionMs } = watch.timeline;
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      [mac.karstark, mac.bettley],
      [mac.bettley, mac.karstark],
    ]);
    for (const [i, truth] of [there, back].entries()) {
      near(changes[i]?.at ?? 0, truth.to, resolutionMs);
      near(changes[i]?.silentMs ?? 0, truth.to - truth.from, resolutionMs);
    }
    const open = gaps.find((gap) => gap.open);
    near(open?.from ?? 0, withdrawn, resolutionMs);
  });
});
