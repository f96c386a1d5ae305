import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Topology } from "./topology.ts";

const run = promisify(execFile);

/** `ip netns exec NAMESPACE`, as the machine's access has it. */
const prefix = (topology: Topology, machine: string): readonly string[] =>
  topology.access(machine).proxyCommand?.slice(0, 4) ?? [];

/** Runs on a machine of the topology, past sshd, while this process goes on with other things. */
export async function inside(topology: Topology, machine: string, argv: readonly string[]): Promise<string> {
  const [program = "", ...args] = [...prefix(topology, machine), ...argv];
  const { stdout } = await run(program, args, { encoding: "utf8" });
  return stdout;
}

/** Everything that runs in the machine's namespace: its sshd and what that started. */
export async function pidsIn(topology: Topology, machine: string): Promise<readonly number[]> {
  const { stdout } = await run("ip", ["netns", "pids", prefix(topology, machine)[3] ?? ""]);
  return stdout.split("\n").filter(Boolean).map(Number);
}
