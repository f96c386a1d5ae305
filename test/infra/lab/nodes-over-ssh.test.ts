import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clusterConfigOf } from "#infra/lab/in-memory.ts";
import { type SshEdge, startSshEdge } from "#infra/lab/ssh/edge.ts";
import { writeSshFiles } from "#infra/lab/ssh/write-ssh-files.ts";
import { createSshShell } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { checks } from "#shared/checks/all.ts";
import { nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { nodeProbes } from "#shared/checks/node-probes.ts";
import { judgeAll } from "#shared/checks/run.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";

let dir: string;
let twin: Twin;
let edge: SshEdge;
let ssh: ReturnType<typeof createSshShell>;

beforeAll(async () => {
  const spec = goldentooth();
  let id = 0;
  const newId = () => `id-${String(++id)}`;
  const store = createObjectStore({ now: systemClock.now, newUid: newId });
  twin = createTwin({ spec, clock: systemClock, store, newId });
  edge = await startSshEdge({
    machines: [...spec.nodes, ...spec.vantages],
    run: twin.run,
    host: "127.0.0.1",
  });
  dir = await mkdtemp(join(tmpdir(), "arpeggio-nodes-"));
  const files = await writeSshFiles({ dir, edge });
  ssh = createSshShell({
    access: ({ name }) => ({
      host: edge.host,
      port: edge.ports.get(name) ?? 0,
      user: "root",
      identityFile: files.identity,
      knownHostsFile: files.knownHosts,
      sudo: false,
    }),
    connectTimeoutMs: 5_000,
    maxConcurrent: 50,
    clock: systemClock,
  });
});

afterAll(async () => {
  ssh.close();
  await edge.close();
  twin.stop();
  await rm(dir, { recursive: true, force: true });
});

const check = async () => {
  const config = clusterConfigOf(goldentooth());
  const ports = {
    config,
    read: readOn(twin.store),
    shell: ssh.shell,
    logs: logsOn(twin),
    clock: systemClock,
    newNonce: () => crypto.randomUUID(),
  };
  const lists = await readLists(ports, checks);
  const gathered = await visitNodes(ports, lists, nodeSource(lists.nodes, config), { checks });
  return { gathered, results: judgeAll(checks, gathered) };
};

describe("nodes over real SSH", () => {
  it("brings all evidence of a node in one exec, which the lab runs from its own text", async () => {
    const { gathered, results } = await check();
    expect(gathered.nodes.filter(({ unreached }) => unreached)).toEqual([]);
    for (const { node } of gathered.nodes) expect(edge.received(node).length, node).toBe(1);
    const [line = ""] = edge.received("karstark");
    for (const word of ["sh -c", "ip -j -d addr show", "nc -z -v -w 2 10.4.0.21 7946"])
      expect(line).toContain(word);
    const karstark = gathered.nodes.find(({ node }) => node === "karstark");
    const asked = new Set(checks.flatMap(({ needs }) => needs));
    expect(Object.keys(karstark?.probes ?? {}).sort()).toEqual([...asked].sort());
    expect(asked.size).toBeLessThanOrEqual(Object.keys(nodeProbes).length);
    expect(
      results.flatMap((result) =>
        result.outcome === "failed" && result.check === "wired-and-wifi" ? [result.subject.name] : [],
      ),
    ).toEqual(["karstark", "lipps"]);
    expect(results.filter(({ outcome }) => outcome === "unknown")).toEqual([]);
  });

  it("tells a changed host key and a refused connection of two nodes, and all else of the others", async () => {
    edge.faults.changeHostKey("dalt");
    await edge.faults.refuse("jast");
    const { results } = await check();
    const of = (id: string, node: string) =>
      results.find(({ check: each, subject }) => each === id && subject.name === node);
    expect(of("host-key-changed", "dalt")).toMatchObject({
      outcome: "failed",
      findings: [{ code: "host-key-changed", facts: { detail: expect.stringContaining("SHA256:") } }],
    });
    expect(of("lan-nic", "dalt")).toMatchObject({ outcome: "unknown", fault: { kind: "host-key-changed" } });
    expect(of("host-key-changed", "jast")).toMatchObject({ outcome: "unknown" });
    expect(of("lan-nic", "fenn")).toMatchObject({ outcome: "passed" });
  });
});
