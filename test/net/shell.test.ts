import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSshShell } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import type { NonEmpty } from "#shared/finding.ts";
import { faultKindOf, shellContract, until } from "#test/contract/shell.ts";
import { describeNet } from "./support/prerequisites.ts";
import { pidsOf, signalAll } from "./support/processes.ts";
import { buildTopology, type Topology } from "./support/topology.ts";

const karstark = {
  name: "karstark",
  nics: [{ name: "eth0", mac: "02:a6:32:0a:1b:0b", address: "10.77.0.19/24" }],
} as const;

/** A duration nobody else sleeps for, so that the process can be found. */
const stay = `sleep 6${process.pid}`;
const beat = `sleep 0.0${process.pid}`;
const linger: NonEmpty<string> = ["sh", "-c", `echo first; exec ${stay}`];

describeNet("OpenSSH", () => {
  describe.each(["/bin/sh", "/bin/bash"] as const)("with %s as login shell", (shell) => {
    shellContract("ssh to a real sshd", async () => {
      const topology = buildTopology([{ ...karstark, user: { name: "operator", shell } }]);
      return {
        shell: topology.shell,
        target: { kind: "node", name: "karstark" },
        linger,
        lingering: async () => pidsOf(stay).length,
        close: async () => topology.close(),
      };
    });
  });

  describe("faults of a real sshd", () => {
    let topology: Topology;
    beforeAll(() => {
      topology = buildTopology([
        karstark,
        {
          name: "bettley",
          nics: [{ name: "eth0", mac: "02:a6:32:0a:1b:11", address: "10.77.0.11/24" }],
        },
        { ...karstark, name: "unprivileged", nics: [], user: { name: "operator", shell: "/bin/bash" } },
        { ...karstark, name: "bare", nics: [], programs: ["printf", "sh"] },
      ]);
    });
    afterAll(() => topology?.close());

    const target = { kind: "node", name: "karstark" } as const;
    const print = (shell = topology.shell, timeoutMs = 10_000) =>
      shell(target, { argv: ["printf", "%s", "here"], privileged: false, timeoutMs });
    const fresh = (change: object = {}) =>
      createSshShell({
        access: ({ name }) => ({ ...topology.access(name), ...change }),
        connectTimeoutMs: 10_000,
        maxConcurrent: 16,
        clock: systemClock,
      });
    const faultOf = async (promise: Promise<unknown>): Promise<Fault> => {
      try {
        await promise;
      } catch (error) {
        if (error instanceof FaultError) return error.fault;
        throw error;
      }
      throw new Error("no fault");
    };

    // With dash as login shell SIGTERM ends the shell first; what was stopped then dies as soon as it goes on.
    it("a stopped command is ended when its time is over", async () => {
      const running = topology.shell(
        { kind: "node", name: "unprivileged" },
        { argv: linger, privileged: false, timeoutMs: 1500 },
        { onLine: () => void until(() => stop()) },
      );
      const stop = () => {
        const pids = pidsOf(stay);
        signalAll(pids, "SIGSTOP");
        return pids.length > 0;
      };
      expect(await faultKindOf(running)).toBe("timed-out");
      await until(() => pidsOf(stay).length === 0);
    });

    it("as root, whom sshd passes no signals on to, a command ends with its next line", async () => {
      const abort = new AbortController();
      const output = await topology.shell(
        target,
        { argv: ["sh", "-c", `while echo more; do ${beat}; done`], privileged: true, timeoutMs: 30_000 },
        { signal: abort.signal, onLine: () => abort.abort() },
      );
      expect(output.exitCode).toBeNull();
      await until(() => pidsOf(`sh -c while echo more; do ${beat}; done`).length === 0);
    });

    it("a machine that freezes under an open connection is told, and reached again once it is back", async () => {
      const ssh = fresh();
      expect((await print(ssh.shell)).stdout).toBe("here");
      const sshd = pidsOf(`.*sshd.*${topology.sshdConfig("karstark")}.*|sshd: root@.*`);
      expect(sshd.length).toBeGreaterThan(0);
      signalAll(sshd, "SIGSTOP");
      expect(await faultKindOf(print(ssh.shell, 300))).toBe("timed-out");
      expect((await print(ssh.shell)).stdout).toBe("here");
      signalAll(sshd, "SIGCONT");
      ssh.close();
    });

    it("a namespace that is not there is unreachable, in the words of ip", async () => {
      const ssh = fresh({ proxyCommand: ["ip", "netns", "exec", "arpt-no-such", "true"] });
      const fault = await faultOf(print(ssh.shell));
      expect(fault.kind).toBe("unreachable");
      expect(fault.detail).toContain("arpt-no-such");
      ssh.close();
    });

    it("a user that sshd does not let in is denied", async () => {
      const ssh = fresh({ user: "nobody-here" });
      expect((await faultOf(print(ssh.shell))).kind).toBe("denied");
      ssh.close();
    });

    it("a tool that is not installed gives 127, for the probe to tell", async () => {
      const output = await topology.shell(
        { kind: "node", name: "bare" },
        { argv: ["arping", "-V"], privileged: true, timeoutMs: 10_000 },
      );
      expect(output.exitCode).toBe(127);
    });

    describe("through a jump host", () => {
      const port = 2222;
      let sshd: ChildProcess;
      beforeAll(async () => {
        const { proxyCommand } = topology.access("karstark");
        const argv = proxyCommand?.filter((word) => word !== "-i") ?? [];
        sshd = spawn("ip", [...argv.slice(1), "-D", "-p", String(port)], { stdio: "ignore" });
        await until(() => topology.exec("karstark", ["ss", "-Hltn"]).includes(`:${port}`));
      });
      afterAll(() => sshd?.kill());

      const through = (to: number) =>
        createSshShell({
          access: ({ name }) => {
            const { proxyCommand: _, ...access } = topology.access(name);
            return { ...access, host: "10.77.0.19", port: to, hostKeyAlias: name, jumpHost: "bettley" };
          },
          jump: (name) => topology.access(name),
          connectTimeoutMs: 10_000,
          maxConcurrent: 4,
          clock: systemClock,
        });

      it("reaches a machine by its address behind it, its key checked under its alias", async () => {
        const ssh = through(port);
        const output = await ssh.shell(target, {
          argv: ["ip", "-o", "addr", "show", "eth0"],
          privileged: false,
          timeoutMs: 10_000,
        });
        expect(output.stdout).toContain("10.77.0.19/24");
        ssh.close();
      });

      it("says what the jump host said when it cannot connect", async () => {
        const ssh = through(port + 1);
        const fault = await faultOf(print(ssh.shell));
        expect(fault.kind).toBe("unreachable");
        expect(fault.detail).toMatch(/10\.77\.0\.19:2223 through bettley: .*Connection refused/);
        ssh.close();
      });
    });

    it("commands wait for each other where the server allows fewer sessions than we ask for", async () => {
      appendFileSync(topology.sshdConfig("bettley"), "MaxSessions 2\n");
      const ssh = fresh();
      const numbers = Array.from({ length: 8 }, (_, i) => String(i));
      const outputs = await Promise.all(
        numbers.map((n) =>
          ssh.shell(
            { kind: "node", name: "bettley" },
            { argv: ["printf", "%s", n], privileged: false, timeoutMs: 10_000 },
          ),
        ),
      );
      expect(outputs.map((output) => output.stdout)).toEqual(numbers);
      ssh.close();
    });

    it("a host with several keys shows the pinned one, found in a file that ssh-keygen hashed", async () => {
      const config = topology.sshdConfig("bettley");
      const key = join(dirname(config), "rsa_key");
      const knownHostsFile = join(dirname(config), "known_hosts");
      topology.exec("bettley", ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", key]);
      appendFileSync(config, `HostKey ${key}\n`);
      writeFileSync(knownHostsFile, `bettley ${readFileSync(`${key}.pub`, "utf8")}`);
      topology.exec("bettley", ["ssh-keygen", "-q", "-H", "-f", knownHostsFile]);
      expect(readFileSync(knownHostsFile, "utf8")).toMatch(/^\|1\|/);
      const ssh = fresh({ knownHostsFile });
      const output = await ssh.shell(
        { kind: "node", name: "bettley" },
        { argv: ["printf", "%s", "here"], privileged: false, timeoutMs: 10_000 },
      );
      expect(output.stdout).toBe("here");
      ssh.close();
    });

    it("a changed host key is refused with both fingerprints, and nothing is run", async () => {
      const before = topology.fingerprint("karstark");
      topology.changeHostKey("karstark");
      const ssh = fresh();
      const fault = await faultOf(print(ssh.shell));
      expect(fault.kind).toBe("host-key-changed");
      expect(fault.detail).toContain(before);
      expect(fault.detail).toContain(topology.fingerprint("karstark"));
      ssh.close();
    });
  });
});
