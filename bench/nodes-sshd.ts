import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SshAccess } from "#shared/site/site.ts";

/** A node of the benchmark: an OpenSSH server of its own on a port of 127.0.0.1, with a host key of its own. */
export type BenchNode = Readonly<{ name: string; access: SshAccess }>;

export type Servers = Readonly<{
  nodes: readonly BenchNode[];
  /** OpenSSH client configuration that reaches every node by its name. */
  sshConfig: string;
  version: string;
  /** Ends every server that was started, by its id. */
  stop: () => Promise<void>;
}>;

const sshd = "/usr/sbin/sshd";

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

async function ready(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error(`sshd on port ${port} ended with ${child.exitCode}`);
    if (await answers(port)) return;
    await sleep(50);
  }
  throw new Error(`sshd on port ${port} does not answer`);
}

const generateKey = (file: string): void => {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file]);
};

/** Starts `count` servers with generated keys, files in `dir`, ports from `firstPort` on. */
export async function startServers(dir: string, count: number, firstPort: number): Promise<Servers> {
  const user = userInfo().username;
  // The server insists on this folder when root starts it.
  if (user === "root") mkdirSync("/run/sshd", { recursive: true });
  const identity = join(dir, "identity");
  generateKey(identity);
  const knownHosts = join(dir, "known_hosts");
  const config: string[] = [
    "Host *",
    `  User ${user}`,
    `  IdentityFile ${identity}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${knownHosts}`,
    "  GlobalKnownHostsFile /dev/null",
    "  StrictHostKeyChecking yes",
    "  BatchMode yes",
    "  LogLevel ERROR",
  ];
  const pins: string[] = [];
  const children: ChildProcess[] = [];
  const nodes: BenchNode[] = [];
  const stop = async (): Promise<void> => {
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(
      children.map((child) =>
        child.exitCode !== null || child.signalCode !== null
          ? undefined
          : new Promise((done) => child.once("exit", done)),
      ),
    );
  };
  try {
    for (let i = 0; i < count; i++) {
      const name = `node${String(i + 1).padStart(2, "0")}`;
      const port = firstPort + i;
      const hostKey = join(dir, `host-${name}`);
      generateKey(hostKey);
      pins.push(`[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, "utf8").trim()}`);
      config.push(`Host ${name}`, "  HostName 127.0.0.1", `  Port ${port}`);
      const options = {
        ListenAddress: `127.0.0.1:${port}`,
        HostKey: hostKey,
        AuthorizedKeysFile: `${identity}.pub`,
        PidFile: "none",
        UsePAM: "no",
        StrictModes: "no",
        PasswordAuthentication: "no",
        PrintMotd: "no",
        MaxStartups: "200",
        LogLevel: "FATAL",
        // Start files of whoever runs the benchmark are no part of it: bash reads them for every command over SSH.
        SetEnv: `HOME=${dir}`,
      };
      children.push(
        spawn(
          sshd,
          [
            "-D",
            "-e",
            "-f",
            "/dev/null",
            ...Object.entries(options).flatMap(([k, v]) => ["-o", `${k}=${v}`]),
          ],
          { stdio: ["ignore", "ignore", "inherit"] },
        ),
      );
      nodes.push({
        name,
        access: {
          host: "127.0.0.1",
          port,
          user,
          identityFile: identity,
          knownHostsFile: knownHosts,
          sudo: false,
        },
      });
    }
    writeFileSync(knownHosts, `${pins.join("\n")}\n`);
    const sshConfig = join(dir, "ssh_config");
    writeFileSync(sshConfig, `${config.join("\n")}\n`);
    await Promise.all(children.map((child, i) => ready(firstPort + i, child)));
    return { nodes, sshConfig, version: versionOf("ssh", ["-V"]) ?? "unknown version", stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first line of what a program says about its version, or undefined when it is not installed. */
export function versionOf(program: string, args: readonly string[]): string | undefined {
  try {
    const said = execFileSync("sh", ["-c", 'exec "$@" 2>&1', "sh", program, ...args], { encoding: "utf8" });
    return said.split("\n")[0]?.trim();
  } catch {
    return undefined;
  }
}
