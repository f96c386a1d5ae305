import { createHmac } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { utils } from "ssh2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fingerprint } from "#shared/adapters/known-hosts.ts";
import type { SshShellOptions } from "#shared/adapters/ssh.ts";
import type { Clock } from "#shared/clock.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import type { Shell } from "#shared/probes/shell.ts";
import type { SshAccess } from "#shared/site/site.ts";
import { until } from "#test/contract/shell.ts";
import { startSshLab } from "./ssh-lab.ts";

let lab: Awaited<ReturnType<typeof startSshLab>>;
beforeEach(async () => {
  lab = await startSshLab(["karstark", "bettley"]);
});
afterEach(() => lab.close());

const printOf = (publicKey: string) => fingerprint(Buffer.from(publicKey.split(" ")[1] ?? "", "base64"));

const hostname = (shell: Shell, name = "karstark", timeoutMs = 10_000) =>
  shell({ kind: "node", name }, { argv: ["hostname"], privileged: false, timeoutMs });

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  throw new Error("no fault");
}

/** The access of karstark with something else in it. */
const changed =
  (change: Partial<SshAccess>): SshShellOptions["access"] =>
  (target) => {
    const access = lab.access(target.name);
    return access && { ...access, ...change };
  };

/** Real enough to run on, and sleeps can be ended by hand. */
function handClock() {
  const sleeping = new Map<number, Set<() => void>>();
  const clock: Clock = {
    now: () => Date.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const set = sleeping.get(ms) ?? new Set();
        sleeping.set(ms, set);
        set.add(resolve);
        signal?.addEventListener("abort", () => {
          set.delete(resolve);
          resolve();
        });
      }),
  };
  const ring = (ms: number) => {
    for (const wake of sleeping.get(ms) ?? []) wake();
    sleeping.delete(ms);
  };
  return { clock, ring, sleepers: (ms: number) => sleeping.get(ms)?.size ?? 0 };
}

describe("host keys", () => {
  it("refuses a host that is not pinned, with its fingerprint and the file to add it to", async () => {
    await writeFile(lab.files.knownHosts, "");
    const fault = await faultOf(hostname(lab.connect().shell));
    const key = lab.edge.hostKeys.get("karstark")?.public ?? "";
    const shown = printOf(key);
    expect(fault.kind).toBe("refused");
    expect(fault.what).toBe("ssh to karstark");
    expect(fault.detail).toContain("not pinned");
    expect(fault.detail).toContain(shown);
    expect(fault.detail).toContain(`[127.0.0.1]:${lab.edge.ports.get("karstark")}`);
    expect(fault.detail).toContain(lab.files.knownHosts);
    expect(lab.programs.ran).toEqual([]);
  });

  it("treats a missing known_hosts file as one that pins nothing", async () => {
    const ssh = lab.connect({ access: changed({ knownHostsFile: join(lab.dir, "absent") }) });
    expect((await faultOf(hostname(ssh.shell))).kind).toBe("refused");
  });

  it("says so when the file cannot be read", async () => {
    const ssh = lab.connect({ access: changed({ knownHostsFile: lab.dir }) });
    expect((await faultOf(hostname(ssh.shell))).kind).toBe("unreadable");
  });

  it("refuses a changed key and shows both fingerprints", async () => {
    const before = lab.edge.hostKeys.get("karstark")?.public ?? "";
    lab.edge.faults.changeHostKey("karstark");
    const after = lab.edge.hostKeys.get("karstark")?.public ?? "";
    const fault = await faultOf(hostname(lab.connect().shell));
    expect(fault.kind).toBe("host-key-changed");
    for (const key of [before, after]) {
      expect(fault.detail).toContain(printOf(key));
    }
    expect(lab.programs.ran).toEqual([]);
  });

  it("refuses a revoked key, and tells a certificate authority as not supported", async () => {
    const content = await readFile(lab.files.knownHosts, "utf8");
    await writeFile(lab.files.knownHosts, content.replaceAll(/^\[/gm, "@revoked ["));
    const revoked = await faultOf(hostname(lab.connect().shell));
    expect(revoked).toMatchObject({ kind: "refused", detail: expect.stringContaining("@revoked") });
    await writeFile(lab.files.knownHosts, content.replaceAll(/^\[/gm, "@cert-authority ["));
    const authority = await faultOf(hostname(lab.connect().shell));
    expect(authority).toMatchObject({ kind: "refused", detail: expect.stringContaining("not supported") });
  });

  it("finds hashed entries and entries under an alias", async () => {
    const name = `[127.0.0.1]:${lab.edge.ports.get("karstark")}`;
    const salt = Buffer.from("twenty bytes of salt");
    const digest = createHmac("sha1", salt).update(name).digest("base64");
    const hashed = `|1|${salt.toString("base64")}|${digest}`;
    await writeFile(lab.files.knownHosts, `${hashed} ${lab.edge.hostKeys.get("karstark")?.public}\n`);
    expect((await hostname(lab.connect().shell)).stdout).toBe("karstark\n");
    await writeFile(lab.files.knownHosts, `alias ${lab.edge.hostKeys.get("karstark")?.public}\n`);
    const ssh = lab.connect({ access: changed({ hostKeyAlias: "alias" }) });
    expect((await hostname(ssh.shell)).stdout).toBe("karstark\n");
  });
});

describe("identity file", () => {
  const keygen = async (name: string, encryption: object) => {
    const file = join(lab.dir, name);
    await writeFile(file, utils.generateKeyPairSync("ecdsa", { bits: 256, ...encryption }).private);
    return file;
  };
  const detailWith = async (identityFile: string) =>
    faultOf(hostname(lab.connect({ access: changed({ identityFile }) }).shell));

  it("says when it is missing, encrypted, public or no key", async () => {
    expect(await detailWith(join(lab.dir, "absent"))).toMatchObject({
      kind: "unreadable",
      detail: expect.stringContaining("no such file"),
    });
    expect(
      await detailWith(await keygen("locked", { passphrase: "secret-phrase", cipher: "aes256-ctr" })),
    ).toMatchObject({
      kind: "unreadable",
      detail: expect.stringContaining("is encrypted"),
    });
    expect((await detailWith(`${lab.files.identity}.pub`)).detail).toContain("holds no private key");
    expect((await detailWith(lab.files.config)).detail).toContain("not a private key");
  });

  it("says denied when the host does not accept it, with user and file and nothing of the key", async () => {
    const file = await keygen("stranger", {});
    const fault = await detailWith(file);
    expect(fault.kind).toBe("denied");
    expect(fault.detail).toContain("for user root");
    expect(fault.detail).toContain(file);
    expect(JSON.stringify(fault)).not.toMatch(/PRIVATE KEY|[A-Za-z0-9+/]{60}/);
  });
});

describe("hosts that cannot be reached", () => {
  it("says unreachable with host and port when nothing listens", async () => {
    await lab.edge.faults.refuse("karstark");
    expect(await faultOf(hostname(lab.connect().shell))).toEqual({
      kind: "unreachable",
      what: "ssh to karstark",
      // A listener that is just closing resets what was already in its queue.
      detail: expect.stringMatching(
        `^${lab.edge.host}:${lab.edge.ports.get("karstark")}: connection (refused|reset)$`,
      ),
    });
  });

  it("says timed-out when a host accepts and then says nothing", async () => {
    lab.edge.faults.hang("karstark");
    const fault = await faultOf(hostname(lab.connect({ connectTimeoutMs: 200 }).shell));
    expect(fault.kind).toBe("timed-out");
    expect(fault.detail).toContain("no SSH connection after 0.2 s");
  });

  it("says unreachable when what listens is no SSH server", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const fault = await faultOf(hostname(lab.connect({ access: changed({ port }) }).shell));
    expect(fault.kind).toBe("unreachable");
    other.close();
  });

  it("says not-configured for a target nobody described", async () => {
    expect((await faultOf(hostname(lab.connect().shell, "dalt"))).kind).toBe("not-configured");
  });

  it("tries again once the host is back", async () => {
    const { shell } = lab.connect();
    await lab.edge.faults.refuse("karstark");
    expect((await faultOf(hostname(shell))).kind).toBe("unreachable");
    await lab.edge.faults.heal("karstark");
    expect((await hostname(shell)).stdout).toBe("karstark\n");
  });
});

describe("proxy command and jump host", () => {
  // Carries bytes between its stdio and a TCP port: what a ProxyCommand does.
  const relay = (port: number | undefined) => [
    process.execPath,
    "-e",
    `const s = require("node:net").connect(${port}, "127.0.0.1"); process.stdin.pipe(s); s.pipe(process.stdout);`,
  ];

  it("speaks through the stdio of a proxy command", async () => {
    const proxyCommand = relay(lab.edge.ports.get("karstark"));
    const ssh = lab.connect({ access: changed({ proxyCommand }) });
    expect((await hostname(ssh.shell)).stdout).toBe("karstark\n");
  });

  it("checks the host key behind a proxy command as well", async () => {
    const proxyCommand = relay(lab.edge.ports.get("bettley"));
    const fault = await faultOf(hostname(lab.connect({ access: changed({ proxyCommand }) }).shell));
    expect(fault.kind).toBe("host-key-changed");
  });

  it.each([
    ["did not start", ["/no/such/proxy"], /did not start \(ENOENT\)/],
    [
      "ended, with its last words",
      ["sh", "-c", "echo no such namespace >&2; exit 3"],
      /exit 3\): no such namespace/,
    ],
  ])("says when the proxy command %s", async (_, proxyCommand, expected) => {
    const fault = await faultOf(hostname(lab.connect({ access: changed({ proxyCommand }) }).shell));
    expect(fault.kind).toBe("unreachable");
    expect(fault.detail).toMatch(expected);
  });

  it("gives the proxy command none of our secrets", async () => {
    process.env.ARPEGGIO_TEST_SECRET = "hush";
    const proxyCommand = ["sh", "-c", 'echo "path $PATH secret $ARPEGGIO_TEST_SECRET" >&2; exit 3'];
    const fault = await faultOf(hostname(lab.connect({ access: changed({ proxyCommand }) }).shell));
    delete process.env.ARPEGGIO_TEST_SECRET;
    expect(fault.detail).toContain("path /");
    expect(fault.detail).not.toContain("hush");
  });

  it("says timed-out when the proxy command says nothing", async () => {
    const ssh = lab.connect({ access: changed({ proxyCommand: ["sleep", "600"] }), connectTimeoutMs: 200 });
    expect((await faultOf(hostname(ssh.shell))).kind).toBe("timed-out");
  });

  it("says what is wrong with a jump host: unknown, in a circle, forwarding refused", async () => {
    const through = (jumpHost: string) =>
      lab.connect({ access: changed({ jumpHost }), jump: (n) => lab.access(n) });
    expect((await faultOf(hostname(through("nowhere").shell))).kind).toBe("not-configured");
    const circle = lab.connect({ access: changed({ jumpHost: "karstark" }) });
    expect((await faultOf(hostname(circle.shell))).detail).toContain("in a circle");
    // The lab's machines do not forward.
    const refused = await faultOf(hostname(through("bettley").shell));
    expect(refused.kind).toBe("unreachable");
    expect(refused.detail).toContain("through bettley");
  });
});

describe("kept connections", () => {
  const connections = (name: string) => lab.edge.connections(name);

  it("uses one connection for many commands, node and vantage alike", async () => {
    const { shell } = lab.connect();
    await Promise.all(Array.from({ length: 12 }, () => hostname(shell)));
    await shell(
      { kind: "vantage", name: "karstark" },
      { argv: ["hostname"], privileged: false, timeoutMs: 5000 },
    );
    expect(connections("karstark")).toBe(1);
  });

  it("closes one that nobody used for the idle time", async () => {
    const { clock, ring } = handClock();
    const { shell } = lab.connect({ clock, idleMs: 77_777 });
    await hostname(shell);
    await until(() => {
      ring(77_777);
      ring(200);
      return connections("karstark") === 0;
    });
    expect((await hostname(shell)).stdout).toBe("karstark\n");
  });

  it("replaces one that broke", async () => {
    const { shell } = lab.connect();
    await hostname(shell);
    await lab.edge.faults.heal("karstark");
    expect((await hostname(shell)).stdout).toBe("karstark\n");
  });

  it("gives a connection up when the host stops answering on it", async () => {
    const { shell } = lab.connect({ connectTimeoutMs: 10_000 });
    await hostname(shell);
    lab.edge.faults.hang("karstark");
    expect((await faultOf(hostname(shell, "karstark", 200))).kind).toBe("timed-out");
    await lab.edge.faults.heal("karstark");
    expect((await hostname(shell)).stdout).toBe("karstark\n");
  });

  it("says unreachable, and does not run the command again, when the connection breaks under it", async () => {
    const { shell } = lab.connect();
    const running = shell(
      { kind: "node", name: "karstark" },
      { argv: ["linger"], privileged: false, timeoutMs: 20_000 },
      { onLine: () => void lab.edge.faults.refuse("karstark") },
    );
    expect((await faultOf(running)).kind).toBe("unreachable");
    expect(lab.programs.ran).toEqual([["karstark", "linger"]]);
  });

  it("runs no more commands at once than it is told to", async () => {
    const { shell } = lab.connect({ maxConcurrent: 2 });
    const abort = new AbortController();
    // A line is what tells the caller, and not only the machine, that a command has begun.
    let begun = 0;
    const all = Array.from({ length: 5 }, (_, i) =>
      shell(
        { kind: "node", name: i % 2 ? "karstark" : "bettley" },
        { argv: ["linger"], privileged: false, timeoutMs: 20_000 },
        {
          signal: abort.signal,
          onLine: () => {
            begun += 1;
          },
        },
      ),
    );
    await until(() => begun === 2);
    abort.abort();
    const ended = await Promise.allSettled(all);
    expect(lab.programs.ran).toHaveLength(2);
    expect(ended.filter(({ status }) => status === "rejected")).toHaveLength(3);
  });

  it("waits for nobody once it is closed", async () => {
    const ssh = lab.connect();
    await hostname(ssh.shell);
    ssh.close();
    await until(() => connections("karstark") === 0);
    expect((await faultOf(hostname(ssh.shell))).kind).toBe("cancelled");
  });
});

describe("privileges", () => {
  const run = (privileged: boolean, sudo: boolean) =>
    lab
      .connect({ access: changed({ sudo }) })
      .shell({ kind: "node", name: "karstark" }, { argv: ["hostname"], privileged, timeoutMs: 5000 });

  it("asks sudo only for privileged commands, and only where the config says so", async () => {
    const seen: (string | undefined)[] = [];
    for (const [privileged, sudo] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      await run(privileged, sudo);
      seen.push(lab.edge.received("karstark").at(-1));
    }
    expect(seen).toEqual(["sudo -n -- hostname", "hostname", "hostname"]);
  });
});
