import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSshShell } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Shell } from "#shared/probes/shell.ts";
import type { SshAccess } from "#shared/site/site.ts";

export type NicSpec = Readonly<{ name: "eth0" | "wlan0"; mac: string; address: string }>;

export type MachineSpec = Readonly<{
  name: string;
  nics: readonly NicSpec[];
  /** The only programs its sshd offers; absent means all of this machine. */
  programs?: readonly string[];
  /** Programs that stand before all others, under their names. */
  instead?: Readonly<Record<string, string>>;
  /** Who logs in: root, or a user without rights that only this machine has. Absent means root. */
  user?: Readonly<{ name: "operator"; shell: "/bin/sh" | "/bin/bash" }>;
  /** Its sshd, and all it starts, has no right to open raw sockets. */
  withoutRawSockets?: boolean;
}>;

export type Topology = Readonly<{
  /** Runs on the machine, past sshd. Gives standard output, throws when it fails. */
  exec: (machine: string, argv: readonly string[]) => string;
  access: (machine: string) => SshAccess;
  shell: Shell;
  /** Command line part by which the machine's sshd processes, and theirs alone, can be found. */
  sshdConfig: (machine: string) => string;
  /** Gives the machine's sshd another host key; known_hosts stays as it was. */
  changeHostKey: (machine: string) => void;
  fingerprint: (machine: string) => string;
  /** The machine answers ARP for `ip` on these NICs and on no other, as the MetalLB speaker would. */
  announce: (machine: string, ip: string, nics: readonly string[]) => void;
  withdraw: (machine: string, ip: string) => void;
  close: () => void;
}>;

const run = (argv: readonly string[]): string => {
  const [program = "", ...args] = argv;
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
};

function removeNamespace(name: string): void {
  try {
    for (const pid of run(["ip", "netns", "pids", name]).split("\n").filter(Boolean))
      process.kill(Number(pid), "SIGKILL");
  } catch {
    // No such namespace, or the process ended by itself: both are where we want to be.
  }
  try {
    run(["ip", "netns", "del", name]);
  } catch {
    // It was never made.
  }
  rmSync(join("/etc/netns", name), { recursive: true, force: true });
}

/** What a run left behind that was killed before it could tear down; runs that are alive keep theirs. */
function sweep(): void {
  for (const line of run(["ip", "netns", "list"]).split("\n")) {
    const [, name, pid] = /^(arpt(\d+)-\S+)/.exec(line) ?? [];
    if (name === undefined || pid === undefined) continue;
    try {
      process.kill(Number(pid), 0);
    } catch {
      removeNamespace(name);
    }
  }
}

/** The port of the switch that a NIC is plugged into. */
export const portOf = ({ mac }: NicSpec): string => `p${mac.replaceAll(":", "").slice(-8)}`;

let made = 0;

/**
 * Machines on one switch, each in a network namespace, the switch in one as well, so that nothing shows outside. Every
 * machine is reached through a real sshd on a pipe, without an address of its own for that.
 */
export function buildTopology(machines: readonly MachineSpec[]): Topology {
  made += 1;
  const prefix = `arpt${process.pid}-${made}`;
  const dir = mkdtempSync(join(tmpdir(), `${prefix}-`));
  const namespace = (name: string) => `${prefix}-${name}`;
  const all = ["switch", ...machines.map((machine) => machine.name)];
  let closed = false;
  /** `ip netns exec` mounts what is in here over /etc, for that namespace alone. */
  const etc = (name: string) => join("/etc/netns", namespace(name));

  const exec = (machine: string, argv: readonly string[]) =>
    run(["ip", "netns", "exec", namespace(machine), ...argv]);
  const inside = (machine: string, ...args: string[]) => run(["ip", "-n", namespace(machine), ...args]);

  const tearDown = () => {
    if (closed) return;
    closed = true;
    for (const name of all) removeNamespace(namespace(name));
    rmSync(dir, { recursive: true, force: true });
  };
  process.once("exit", tearDown);

  const file = (machine: string, name: string) => join(dir, machine, name);
  const keygen = (path: string) => {
    rmSync(path, { force: true });
    rmSync(`${path}.pub`, { force: true });
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
  };
  const addMachine = (machine: MachineSpec) => {
    run(["ip", "netns", "add", namespace(machine.name)]);
    inside(machine.name, "link", "set", "lo", "up");
    exec(machine.name, [
      "sysctl",
      "-qw",
      "net.ipv6.conf.all.disable_ipv6=1",
      "net.ipv4.conf.all.rp_filter=0",
    ]);
    for (const nic of machine.nics) {
      const port = portOf(nic);
      inside(
        "switch",
        "link",
        "add",
        port,
        "type",
        "veth",
        "peer",
        "name",
        nic.name,
        "netns",
        namespace(machine.name),
      );
      inside("switch", "link", "set", port, "master", "lan", "up");
      inside(machine.name, "link", "set", nic.name, "address", nic.mac);
      // With a broadcast address, as everything that configures interfaces gives them one.
      inside(machine.name, "addr", "add", nic.address, "brd", "+", "dev", nic.name);
      inside(machine.name, "link", "set", nic.name, "up");
      exec(machine.name, ["sysctl", "-qw", `net.ipv4.conf.${nic.name}.rp_filter=0`]);
    }
  };
  const searchPath = (machine: MachineSpec): string => {
    const usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    if (!machine.programs && !machine.instead) return usual;
    const bin = file(machine.name, "bin");
    mkdirSync(bin);
    for (const program of machine.programs ?? [])
      symlinkSync(run(["sh", "-c", 'command -v -- "$0"', program]).trim(), join(bin, program));
    for (const [name, program] of Object.entries(machine.instead ?? {}))
      symlinkSync(program, join(bin, name));
    return machine.programs ? bin : `${bin}:${usual}`;
  };
  /** Root's home is an empty one, so that no start-up file of this machine has a say in what programs print. */
  const addUsers = ({ name, user }: MachineSpec) => {
    mkdirSync(etc(name), { recursive: true });
    const others = readFileSync("/etc/passwd", "utf8").replace(/^root:.*\n/m, "");
    const own = user ? `${user.name}:*:61977:61977::/:${user.shell}\n` : "";
    const home = file(name, "home");
    mkdirSync(home, { recursive: true });
    writeFileSync(join(etc(name), "passwd"), `root:x:0:0:root:${home}:/bin/bash\n${others}${own}`);
  };
  const addSshd = (machine: MachineSpec) => {
    const { name } = machine;
    mkdirSync(file(name, "."), { recursive: true });
    keygen(file(name, "host_key"));
    // StrictModes would refuse an authorized_keys file below a directory that others may write to.
    writeFileSync(
      file(name, "sshd_config"),
      `HostKey ${file(name, "host_key")}
AuthorizedKeysFile ${join(dir, "client_key.pub")}
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
PrintMotd no
PrintLastLog no
LogLevel ERROR
SetEnv LANG=C.UTF-8 PATH=${searchPath(machine)}
`,
    );
  };
  const publicKey = (machine: string) => readFileSync(`${file(machine, "host_key")}.pub`, "utf8").trim();

  const access = (name: string): SshAccess => {
    const machine = machines.find((each) => each.name === name);
    if (!machine) throw new Error(`no machine "${name}" in this topology`);
    const drop = machine.withoutRawSockets
      ? ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
      : [];
    return {
      host: name,
      port: 22,
      user: machine.user?.name ?? "root",
      identityFile: join(dir, "client_key"),
      knownHostsFile: join(dir, "known_hosts"),
      sudo: false,
      proxyCommand: [
        "ip",
        "netns",
        "exec",
        namespace(name),
        ...drop,
        "/usr/sbin/sshd",
        "-i",
        "-e",
        "-f",
        file(name, "sshd_config"),
      ],
    };
  };

  try {
    sweep();
    chmodSync(dir, 0o755);
    mkdirSync("/run/sshd", { recursive: true });
    keygen(join(dir, "client_key"));
    run(["ip", "netns", "add", namespace("switch")]);
    inside("switch", "link", "add", "lan", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0");
    inside("switch", "link", "set", "lan", "up");
    for (const machine of machines) {
      addMachine(machine);
      addUsers(machine);
      addSshd(machine);
    }
    const pins = machines.map((machine) => `${machine.name} ${publicKey(machine.name)}\n`);
    writeFileSync(join(dir, "known_hosts"), pins.join(""));
  } catch (error) {
    tearDown();
    const { stderr } = error as { stderr?: string };
    throw new Error(`the topology could not be built: ${stderr?.trim() || (error as Error).message}`, {
      cause: error,
    });
  }

  const ssh = createSshShell({
    access: (target) => access(target.name),
    connectTimeoutMs: 20_000,
    maxConcurrent: 16,
    clock: systemClock,
  });

  return {
    exec,
    access,
    shell: ssh.shell,
    sshdConfig: (machine) => file(machine, "sshd_config"),
    changeHostKey: (machine) => keygen(file(machine, "host_key")),
    fingerprint: (machine) =>
      run(["ssh-keygen", "-lf", `${file(machine, "host_key")}.pub`]).split(" ")[1] ?? "",
    announce: (machine, ip, nics) => {
      // Linux answers for any address it has, on any NIC, unless arp_ignore is 8: then for none.
      const all = machines.find(({ name }) => name === machine)?.nics ?? [];
      for (const nic of all)
        exec(machine, [
          "sysctl",
          "-qw",
          `net.ipv4.conf.${nic.name}.arp_ignore=${nics.includes(nic.name) ? 0 : 8}`,
        ]);
      inside(machine, "addr", "replace", `${ip}/32`, "dev", "lo");
    },
    withdraw: (machine, ip) => {
      inside(machine, "addr", "del", `${ip}/32`, "dev", "lo");
    },
    close: () => {
      ssh.close();
      process.removeListener("exit", tearDown);
      tearDown();
    },
  };
}
