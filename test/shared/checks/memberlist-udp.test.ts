import { expect, it } from "vitest";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { CheckResult } from "#shared/check-result.ts";
import { nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { judgeAll } from "#shared/checks/run.ts";
import { FaultError } from "#shared/fault.ts";
import type { ReadLogs } from "#shared/kubernetes/logs.ts";
import { memberTroubles } from "#shared/metallb/speaker-log.ts";
import { plain } from "#shared/text.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { onMachine, patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { gathered, judgedBy, registered, told } from "./gathered.ts";

const check = registered("memberlist-udp");

/** The check on a site that has been up for two minutes. */
async function after(
  spec: SiteSpec,
  around: (logs: ReadLogs) => ReadLogs = (logs) => logs,
): Promise<readonly CheckResult[]> {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  const { twin, deps } = runInMemory(spec, clock);
  await clock.advance(120_000);
  const cluster = deps.clusters.get("goldentooth");
  if (!cluster) throw new Error("no cluster");
  const ports = { ...cluster, clock, newNonce: () => "nonce", logs: around(logsOn(twin)) };
  const run = (async () => {
    const lists = await readLists(ports, [check]);
    return judgeAll(
      [check],
      await visitNodes(ports, lists, nodeSource(lists.nodes, ports.config), { checks: [check] }),
    );
  })();
  return clock.runUntil(run);
}

const udpBlocked = (node: string): SiteSpec =>
  withFaults(healthy(), onMachine(node, { droppedUdpPorts: [7946] }));

it("passes where no speaker complains", async () => {
  expect(told(await after(healthy()))).toEqual([]);
});

it("blames the one node that every speaker complains about", async () => {
  const results = await after(udpBlocked("dalt"));
  expect(told(results)).toEqual(["memberlist-udp-blocked dalt"]);
  const [result] = results;
  const words = result?.outcome === "failed" ? plain(result.findings[0].text) : "";
  expect(words).toContain("over TCP but not over UDP 7946 between dalt and allyrion, bettley");
  expect(words).toMatch(/last at 2026-03-01T14:0[12]:\d\dZ/);
});

it("blames two nodes when two drop it", async () => {
  const spec = withFaults(udpBlocked("dalt"), onMachine("karstark", { droppedUdpPorts: [7946] }));
  expect(told(await after(spec))).toEqual(["memberlist-udp-blocked dalt", "memberlist-udp-blocked karstark"]);
});

it("is unknown when a log cannot be read and no other complains", async () => {
  const denied: (logs: ReadLogs) => ReadLogs = (logs) => async (request, signal) => {
    if (request.pod.endsWith("bd4vk"))
      throw new FaultError({ kind: "denied", what: "log", detail: "pods/log is forbidden" });
    return logs(request, signal);
  };
  const all: (logs: ReadLogs) => ReadLogs = () => async () => {
    throw new FaultError({ kind: "denied", what: "log", detail: "pods/log is forbidden" });
  };
  expect(told(await after(healthy(), all))).toEqual(["unknown denied"]);
  expect(told(await after(udpBlocked("dalt"), denied))).toEqual(["memberlist-udp-blocked dalt"]);
});

it("is unknown where speakers write no warnings", async () => {
  const quiet = withFaults(
    healthy(),
    patchObject("daemonsets", "metallb-speaker", {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: "speaker",
                args: ["--port=7472", "--log-level=error"],
                env: [{ name: "METALLB_NODE_NAME" }],
              },
            ],
          },
        },
      },
    }),
  );
  expect(told(await after(quiet))).toEqual(["unknown not-configured"]);
});

it("is unknown, not passed, without any speaker", () => {
  expect(told(judgedBy(check, gathered({ lists: { pods: [], daemonsets: [], nodes: [] } })))).toEqual([
    "unknown unreadable",
  ]);
});

it.each([
  ["plain text", "state.go: Was able to connect to dalt over TCP but UDP probes failed", []],
  ["cut JSON", '{"msg":"memberlist: Suspect da', []],
  ["another line", '{"level":"info","msg":"service has IP, announcing"}', []],
  [
    "a warning",
    '{"caller":"state.go:499","component":"Memberlist","level":"warn","msg":"memberlist: Was able to connect to dalt over TCP but UDP probes failed, network may be misconfigured","ts":"2026-03-01T14:01:00Z"}',
    [{ member: "dalt", trouble: "udp", at: "2026-03-01T14:01:00Z" }],
  ],
  [
    "a suspicion",
    '{"msg":"memberlist: Suspect dalt has failed, no acks received","ts":"2026-03-01T14:01:00Z"}',
    [{ member: "dalt", trouble: "silent", at: "2026-03-01T14:01:00Z" }],
  ],
])("reads %s", (_what, line, troubles) => {
  expect(memberTroubles([line])).toEqual(troubles);
});
