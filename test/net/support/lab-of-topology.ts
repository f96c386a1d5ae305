import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SshEdge, startSshEdge } from "#infra/lab/ssh/edge.ts";
import { createSshShell } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Shell } from "#shared/probes/shell.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { SiteSpec, MachineSpec as TwinMachine } from "#shared/twin/site-spec.ts";
import { consumerRouter } from "#shared/twin/sites/goldentooth-plan.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import type { MachineSpec } from "./topology.ts";

/** One machine of a topology, and what the model must be told of it beside its wiring. */
export type Host = MachineSpec &
  Readonly<{
    role: "node" | "vantage";
    model?: Pick<TwinMachine, "arping" | "missingTools" | "routes">;
  }>;

export type Lab = Readonly<{
  shell: Shell;
  twin: Twin;
  faults: SshEdge["faults"];
  /** Runs on the model's machine, past its SSH edge. Gives standard output, throws when it fails. */
  exec: (machine: string, argv: readonly string[]) => Promise<string>;
  close: () => Promise<void>;
}>;

/** A virtual Ethernet pair has one queue a CPU that the kernel could ever see (veth_get_num_queues). */
function queues(): number {
  const possible = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim();
  return Number(possible.split("-").at(-1)) + 1;
}

/** `lo` and the bridge come first in the namespace of the switch, then one port a NIC in the order of plugging in. */
const firstPort = 3;

/** The same machines on the same wire as `buildTopology` makes of them. Nodes must come before vantages. */
export function siteOf(hosts: readonly Host[], lanPrefix: string, objects: SiteSpec["objects"]): SiteSpec {
  let port = firstPort;
  const count = queues();
  const machines = hosts.map(({ name, nics, role, model }) => ({
    role,
    spec: {
      name,
      nics: nics.map((nic) => ({
        name: nic.name,
        mac: nic.mac,
        addresses: [nic.address],
        kind: "veth",
        attributes: { link_index: port++, num_tx_queues: count, num_rx_queues: count },
      })),
      ...model,
    } satisfies TwinMachine,
  }));
  return {
    name: "namespaces",
    lanPrefix,
    nodes: machines.filter(({ role }) => role === "node").map(({ spec }) => spec),
    vantages: machines
      .filter(({ role }) => role === "vantage")
      .map(({ spec }) => ({ ...spec, place: "lan-wired" as const })),
    router: { ...consumerRouter, nics: [] },
    metallb: { version: "0.16.1", namespace: "metallb", memberlist: true, ignoreExcludeLabel: false },
    objects,
    unusedAddress: "10.77.0.250",
  };
}

/** The model of a site on the real clock behind the lab's SSH edge, reached as a real site is. */
export async function startLab(spec: SiteSpec): Promise<Lab> {
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const store = createObjectStore({ now: systemClock.now, newUid: newId });
  const twin = createTwin({ spec, clock: systemClock, store, newId });
  const machines = twin.machines().filter(({ kind }) => kind !== "router");
  const edge = await startSshEdge({ machines, run: twin.run, host: "127.0.0.1" });
  const dir = await mkdtemp(join(tmpdir(), "arpt-lab-"));
  const identityFile = join(dir, "client_key");
  const knownHostsFile = join(dir, "known_hosts");
  writeFileSync(identityFile, edge.clientKey.private, { mode: 0o600 });
  writeFileSync(knownHostsFile, [...edge.hostKeys].map(([name, key]) => `${name} ${key.public}\n`).join(""));
  const ssh = createSshShell({
    access: ({ name }) => {
      const port = edge.ports.get(name);
      if (port === undefined) return undefined;
      return {
        host: edge.host,
        port,
        user: "root",
        identityFile,
        knownHostsFile,
        hostKeyAlias: name,
        sudo: false,
      };
    },
    connectTimeoutMs: 20_000,
    maxConcurrent: 16,
    clock: systemClock,
  });
  return {
    shell: ssh.shell,
    twin,
    faults: edge.faults,
    exec: async (machine, argv) => {
      const said = { stdout: "", stderr: "" };
      const { exitCode } = await twin.run(machine, argv, {
        signal: new AbortController().signal,
        write: (stream, text) => {
          said[stream] += text;
        },
      });
      if (exitCode !== 0) throw new Error(`${argv.join(" ")} on ${machine} of the model: ${said.stderr}`);
      return said.stdout;
    },
    close: async () => {
      ssh.close();
      twin.stop();
      await edge.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
