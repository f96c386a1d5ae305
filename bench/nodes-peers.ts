import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Servers, versionOf } from "./nodes-sshd.ts";

/** A program that people use for this today, or why it is not measured. */
export type Peer = Readonly<{ name: string }> &
  (
    | Readonly<{
        version: string;
        /** Runs the command on every node once and checks that each answered. */
        run: () => Promise<void>;
        /** Ends connections that the program keeps. */
        close: () => Promise<void>;
      }>
    | Readonly<{ missing: string }>
  );

/** Runs a program to its end and gives its output; throws when it fails. */
export const runProgram = (
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", LANG: "C.UTF-8", ...env },
    });
    let said = "";
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0
        ? resolve(said)
        : reject(new Error(`${program} ended with ${code}: ${complaint.slice(0, 400)}`)),
    );
  });

const allAnswered = (program: string, said: string, count: number): void => {
  const answers = said.split('"ifname":"lo"').length - 1;
  if (answers !== count) throw new Error(`${program}: ${answers} of ${count} nodes answered`);
};

export function clush(servers: Servers, command: string): Peer {
  const name = "clush -f 40";
  const version = versionOf("clush", ["--version"]);
  if (version === undefined) return { name, missing: "clush is not installed (package clustershell)" };
  const names = servers.nodes.map((node) => node.name).join(",");
  return {
    name,
    version,
    run: async () =>
      allAnswered(
        "clush",
        await runProgram(["clush", "-f", "40", "-w", names, "-o", `-F ${servers.sshConfig}`, command]),
        servers.nodes.length,
      ),
    close: () => Promise.resolve(),
  };
}

/** Ansible keeps connections for a minute by OpenSSH's ControlPersist, so its second run is a warm one. */
export function ansible(servers: Servers, command: string, dir: string): Peer {
  const name = "ansible -m raw -f 40";
  const version = versionOf("ansible", ["--version"]);
  if (version === undefined) return { name, missing: "ansible is not installed (package ansible-core)" };
  const inventory = join(dir, "inventory");
  writeFileSync(inventory, `${servers.nodes.map((node) => node.name).join("\n")}\n`);
  const control = join(dir, "cm-%n");
  return {
    name,
    version,
    run: async () =>
      allAnswered(
        "ansible",
        await runProgram(
          [
            "ansible",
            "all",
            "-i",
            inventory,
            "-f",
            "40",
            "-m",
            "raw",
            "-a",
            command,
            "--ssh-common-args",
            `-F ${servers.sshConfig} -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=${control}`,
          ],
          { ANSIBLE_HOME: dir, ANSIBLE_LOCAL_TEMP: join(dir, "tmp"), ANSIBLE_NOCOLOR: "1" },
        ),
        servers.nodes.length,
      ),
    close: async () => {
      for (const node of servers.nodes)
        await runProgram([
          "ssh",
          "-F",
          servers.sshConfig,
          "-o",
          `ControlPath=${control}`,
          "-O",
          "exit",
          node.name,
        ]).catch(() => "");
    },
  };
}
