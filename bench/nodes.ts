import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checks } from "#shared/checks/all.ts";
import { ipAddr } from "#shared/probes/ip-addr.ts";
import { createGatherer, sameQuestion } from "./nodes-gather.ts";
import { ansible, clush, type Peer, runProgram } from "./nodes-peers.ts";
import { nodesReport, type Simulated, type Times } from "./nodes-report.ts";
import { startServers } from "./nodes-sshd.ts";

const timed = async (work: () => Promise<void>): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

const nodeFlags = ["--disable-warning=ExperimentalWarning"];

/** A program of ours in a process of its own, as somebody starts it. */
const own = (file: string, ...args: readonly string[]): Promise<string> =>
  runProgram([process.execPath, ...nodeFlags, join(import.meta.dirname, file), ...args]);

/** The measurement of a peer that may be missing: none, and a line that says why. */
const measured = async (peer: Peer, into: number[]): Promise<void> => {
  if ("run" in peer) into.push(await timed(peer.run));
};

const closed = async (peer: Peer): Promise<void> => {
  if ("run" in peer) await peer.close();
};

/**
 * 40 OpenSSH servers on loopback, everybody asks them the same `ip -j` question: clush and ansible where installed, we from
 * a new process, with new connections, and on kept ones. Each round runs all of them after each other, so that whatever
 * else the machine does hits all alike. Then one `/nodes check` of 500 nodes of the model.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      nodes: { type: "string", default: "40" },
      simulated: { type: "string", default: "500" },
      port: { type: "string", default: "22100" },
    },
  });
  const rounds = Number(values.rounds);
  const dir = await mkdtemp(join(tmpdir(), "arpeggio-bench-nodes-"));
  const servers = await startServers(dir, Number(values.nodes), Number(values.port));
  const words = ipAddr.argv().argv.join(" ");
  const peers = { clush: clush(servers, words), ansible: ansible(servers, words, dir) };
  const nodesFile = join(dir, "nodes.json");
  const times: Times = {
    clush: [],
    ansible: [],
    ansibleKept: [],
    process: [],
    cold: [],
    warm: [],
    all: [],
  };
  const load: number[] = [loadavg()[0] ?? Number.NaN];
  try {
    await writeFile(nodesFile, JSON.stringify(servers.nodes));
    for (let round = 0; round < rounds; round++) {
      await measured(peers.clush, times.clush);
      times.process.push(await timed(() => own("nodes-one-shot.ts", nodesFile).then(() => undefined)));
      const kept = createGatherer(servers.nodes);
      try {
        times.cold.push(await timed(() => kept.gather([sameQuestion])));
        for (let i = 0; i < 3; i++) times.warm.push(await timed(() => kept.gather([sameQuestion])));
        times.all.push(await timed(() => kept.gather(checks)));
      } finally {
        kept.close();
      }
      await measured(peers.ansible, times.ansible);
      await measured(peers.ansible, times.ansibleKept);
      await closed(peers.ansible);
    }
    load.push(loadavg()[0] ?? Number.NaN);
  } finally {
    await closed(peers.ansible);
    await servers.stop();
    await rm(dir, { recursive: true, force: true });
  }
  const simulated = JSON.parse(await own("nodes-simulated.ts", values.simulated)) as Simulated;

  const report = nodesReport({
    machine: `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}, ${servers.version}; load ${load.map((each) => each.toFixed(1)).join(" to ")}`,
    question: `\`${words}\` on ${servers.nodes.length} OpenSSH servers on loopback`,
    peers,
    times,
    checks: checks.length,
    simulated,
  });
  process.stdout.write(report.text);
  if (report.missed > 0) process.exitCode = 1;
}
