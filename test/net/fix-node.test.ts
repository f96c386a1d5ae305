import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSshShell } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Json } from "#shared/json.ts";
import type { ReadCluster } from "#shared/kubernetes/read.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import type { FixNotes } from "#shared/migration/fix-node.ts";
import { fixNode } from "#shared/runbooks/fix-node.ts";
import { advance } from "#shared/runs/advance.ts";
import { approve } from "#shared/runs/people.ts";
import { openNewRun, readRun } from "#shared/runs/run-log.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { defaultTimes, type Runner } from "#shared/runs/runner.ts";
import { startedEvent } from "#shared/runs/started.ts";
import { fixNodeChange } from "#shared/steps/fix-node-change.ts";
import { fixNodeSurvey } from "#shared/steps/fix-node-survey.ts";
import { lookOn } from "#shared/steps/look.ts";
import { performOn } from "#shared/steps/perform.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import type { StepPorts } from "#shared/steps/step.ts";
import { noDeeds } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import { until } from "#test/contract/shell.ts";
import { describeNet } from "./support/prerequisites.ts";
import { buildTopology, type Topology } from "./support/topology.ts";

const signal = new AbortController().signal;
const address = "10.77.0.19";

/** The Node that no kubelet here reports. */
const node = {
  metadata: { name: "karstark", uid: "1" },
  status: {
    addresses: [{ type: "InternalIP", address }],
    conditions: [{ type: "Ready", status: "True" }],
  },
};
const read: ReadCluster = async (kinds) =>
  Object.fromEntries(kinds.map((kind) => [kind, kind === "nodes" ? [node] : []])) as never;

/**
 * Real kernels, a real sshd that answers on the segment, and the node's own timer. No systemd runs here, so the timer is
 * a process of its own; a radio is a virtual cable that `find` calls one.
 */
describeNet("a change that the node takes back by itself", () => {
  let topology: Topology;
  let sshd: ChildProcess;
  let dir: string;
  let shell: ReturnType<typeof createSshShell>;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "arpeggio-fix-"));
    const find = join(dir, "find");
    writeFileSync(
      find,
      `#!/bin/sh\ncase "$*" in *phy80211*) echo /sys/class/net/wlan0/phy80211 ;; esac\nexec /usr/bin/find "$@"\n`,
      { mode: 0o755 },
    );
    topology = buildTopology([
      {
        name: "karstark",
        instead: { find },
        nics: [
          { name: "eth0", mac: "02:a6:32:0a:2c:19", address: `${address}/24` },
          { name: "wlan0", mac: "02:a6:32:0a:2d:19", address: "10.77.0.119/24" },
        ],
      },
      { name: "bettley", nics: [{ name: "eth0", mac: "02:a6:32:0a:2c:11", address: "10.77.0.11/24" }] },
    ]);
    const { proxyCommand = [] } = topology.access("karstark");
    const [program = "", ...words] = proxyCommand;
    sshd = spawn(program, [...words.filter((word) => word !== "-i"), "-D", "-p", "2222"], {
      stdio: "ignore",
    });
    await until(() => topology.exec("karstark", ["ss", "-Hltn"]).includes(":2222"));
    shell = createSshShell({
      access: ({ name }) => {
        const { proxyCommand: _, ...access } = topology.access(name);
        return { ...access, host: address, port: 2222, hostKeyAlias: name, jumpHost: "bettley" };
      },
      jump: (name) => topology.access(name),
      connectTimeoutMs: 2_000,
      maxConcurrent: 4,
      clock: systemClock,
    });
  });
  afterAll(() => {
    shell?.close();
    sshd?.kill("SIGKILL");
    topology?.close();
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  });

  /** From start to where it stands after the approval. */
  async function run(migration: Migration, inputs: Readonly<Record<string, Json>>): Promise<RunState> {
    const id = `R-${process.pid}-${randomUUID().slice(0, 8)}`;
    const ledger = createMemoryLedger({ now: systemClock.now });
    const ports: StepPorts = {
      config: {
        name: "namespaces",
        site: { lanPrefix: "10.77.0.0/24", staticRoutes: [], dhcpRanges: [], resolvers: [], lanNic: [] },
        vantages: [],
        nodes: [],
      },
      read,
      shell: shell.shell,
      logs: () => Promise.reject(new Error("no logs")),
      clock: systemClock,
      dryRun: () => Promise.reject(new Error("no writes")),
      zones: undefined,
      trees: new Map(),
      newNonce: randomUUID,
      readFile: () => Promise.reject(new Error("no files")),
    };
    const world = { ...ports, write: ports.dryRun };
    const runner: Runner = {
      ledger,
      clock: systemClock,
      newToken: randomUUID,
      migrations: [migration],
      ports,
      deeds: (origin) => ({ perform: performOn(world, origin), look: lookOn(world, origin) }),
      tell: { state: async () => {}, note: async () => {} },
      times: { ...defaultTimes, approvalMs: 60_000 },
    };
    const started = startedEvent(migration, {
      cluster: "namespaces",
      inputs,
      by: "olive",
      approvals: "others",
    });
    await openNewRun(ledger, id, started);
    const { state } = await advance(runner, id, { by: "olive", signal });
    expect(state.halted, plain(state.halted?.because ?? [])).toBeUndefined();
    const digest = state.steps.find(({ asked }) => asked !== undefined)?.asked?.digest ?? "";
    const click = { by: "vera", isApprover: true, digest };
    expect(await approve(runner, id, click, { approvals: "others" }, [])).toMatchObject({ ok: true });
    await advance(runner, id, { by: "olive", signal });
    topology.exec("karstark", ["sh", "-c", `rm -rf /var/lib/arpeggio-${id}* /run/arpeggio-${id}*`]);
    return (await readRun(ledger, id)) as RunState;
  }

  const link = (nic: string) => topology.exec("karstark", ["ip", "-d", "link", "show", nic]);

  it("is kept where a new session by cable confirms it", async () => {
    topology.exec("karstark", ["ip", "link", "set", "wlan0", "promisc", "on"]);
    expect(link("wlan0")).toMatch(/PROMISC/);
    const state = await run(fixNode, {
      node: "karstark",
      check: "promiscuous-wireless",
      revert: 12,
      settle: 1,
    });
    expect(plain(state.halted?.because ?? [])).toBe("");
    expect(state.ended?.how).toBe("finished");
    expect(link("wlan0")).not.toMatch(/PROMISC/);
  });

  const wrongly = (nics: readonly string[]): Migration => {
    const set = (state: "up" | "down") =>
      nics.map((nic) => ({ run: ["ip", "link", "set", nic, state] as const }));
    const notes: FixNotes = {
      node: "karstark",
      check: "wired-and-wifi",
      title: "Take the wrong interface down",
      change: set("down"),
      undo: set("up"),
      timer: "setsid",
      lanAddress: address,
    };
    return {
      ...fixNode,
      steps: [
        {
          ...fixNodeSurvey,
          ready: async () => [],
          plan: async () => ({ ...noDeeds, prediction: [], predicted: null }),
          verify: async () => ({
            outcome: "passed",
            text: ["the wrong change"],
            findings: [],
            blocks: [],
            notes: JSON.parse(JSON.stringify(notes)) as Json,
          }),
        },
        { ...fixNodeChange, ready: async () => [] },
        ...fixNode.steps.slice(2),
      ],
    };
  };

  it.each([
    ["it cuts off whoever made it", ["eth0", "wlan0"], 8, /no new SSH session to 10\.77\.0\.19/],
    [
      "the cable is down and the radio answers for its address",
      ["eth0"],
      14,
      /eth0 of 10\.77\.0\.19 is down/,
    ],
  ] as const)("is taken back by the node where %s, and the run says so", async (_, nics, revert, words) => {
    let wasDown = false;
    const watching = setInterval(() => {
      if (wasDown || !/state DOWN/.test(link("eth0"))) return;
      wasDown = true;
      // A neighbour asks again at once, and whoever answers for the address is taken.
      topology.exec("bettley", ["ip", "neigh", "flush", "all"]);
    }, 250);
    const state = await run(wrongly(nics), {
      node: "karstark",
      check: "wired-and-wifi",
      revert,
      settle: 1,
    });
    clearInterval(watching);
    expect(wasDown).toBe(true);
    expect(state.halted).toMatchObject({ step: "fix-node-change", code: "not-proven" });
    const because = plain(state.halted?.because ?? []);
    expect(because).toMatch(words);
    expect(because).toMatch(/taken the change back by itself/);
    expect(link("eth0")).toMatch(/state UP/);
  });
});
