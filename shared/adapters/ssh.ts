import type { Clock } from "../clock.ts";
import { FaultError } from "../fault.ts";
import { renderArgv } from "../probes/render-argv.ts";
import type { Shell, Target } from "../probes/shell.ts";
import type { SshAccess } from "../site/site.ts";
import { createLimit, type Limit } from "./limit.ts";
import { connectSsh, type SshConnection } from "./ssh-connect.ts";
import { type RemoteRun, runOverSsh } from "./ssh-exec.ts";

export type SshShellOptions = Readonly<{
  /** How to reach a target; `undefined` means the config does not say. */
  access: (target: Target) => SshAccess | undefined;
  /** How to reach a jump host by name; without it, jump hosts are looked up as node, then as vantage. */
  jump?: (name: string) => SshAccess | undefined;
  /** From the first packet to the authenticated connection. */
  connectTimeoutMs: number;
  /** A connection nobody used for so long is closed. */
  idleMs?: number;
  /** Commands at once over all targets, connecting included. */
  maxConcurrent: number;
  clock: Clock;
}>;

/** OpenSSH's default MaxSessions is 10 on one connection; this leaves room for others. */
const sessionsPerConnection = 8;

/** A server frees a session a moment after it said that the command is over, and some allow fewer than ten. */
const sessionTries = 20;
const sessionRetryMs = 100;

type Pooled = {
  readonly connection: Promise<SshConnection>;
  open: SshConnection | undefined;
  users: number;
  idle: AbortController | undefined;
};

type Lease = Readonly<{ connection: SshConnection; reused: boolean; release: () => void }>;

/**
 * The Shell port over SSH: pinned host keys, public key from the identity file only, no agent, no password. Connections
 * are kept per access and shared by all targets that have the same one.
 */
export function createSshShell(options: SshShellOptions): Readonly<{ shell: Shell; close: () => void }> {
  const { clock, connectTimeoutMs, idleMs = 5 * 60_000 } = options;
  const jump =
    options.jump ??
    ((name: string) => options.access({ kind: "node", name }) ?? options.access({ kind: "vantage", name }));
  const pool = new Map<string, Pooled>();
  const sessions = new Map<string, Limit>();
  const everything = createLimit(options.maxConcurrent);
  let closed = false;

  const release = (key: string, pooled: Pooled) => {
    pooled.users -= 1;
    if (pooled.users > 0 || pool.get(key) !== pooled) return;
    const idle = new AbortController();
    pooled.idle = idle;
    void clock.sleep(idleMs, idle.signal).then(() => {
      if (idle.signal.aborted || pool.get(key) !== pooled) return;
      pool.delete(key);
      pooled.open?.close();
    });
  };

  const connect = async (access: SshAccess, what: string, path: readonly string[]) => {
    if (access.jumpHost === undefined)
      return connectSsh({ access, what, clock, timeoutMs: connectTimeoutMs });
    const name = access.jumpHost;
    if (path.includes(name)) {
      const detail = `the jump hosts go in a circle: ${[...path, name].join(", ")}`;
      throw new FaultError({ kind: "not-configured", what, detail });
    }
    const jumpAccess = jump(name);
    if (!jumpAccess) {
      const detail = `no SSH access is configured for the jump host ${name}`;
      throw new FaultError({ kind: "not-configured", what, detail });
    }
    const lease = await take(jumpAccess, `${what}, jump host ${name}`, [...path, name]);
    try {
      const connection = await connectSsh({
        access,
        what,
        clock,
        timeoutMs: connectTimeoutMs,
        through: lease.connection,
      });
      void connection.closed.then(lease.release);
      return connection;
    } catch (error) {
      lease.release();
      throw error;
    }
  };

  const take = async (access: SshAccess, what: string, path: readonly string[]): Promise<Lease> => {
    const key = JSON.stringify(access);
    let pooled = pool.get(key);
    if (pooled?.open?.isClosed()) pooled = undefined;
    const reused = pooled !== undefined;
    if (!pooled) {
      const fresh: Pooled = {
        connection: connect(access, what, path),
        open: undefined,
        users: 0,
        idle: undefined,
      };
      const forget = () => {
        fresh.idle?.abort();
        if (pool.get(key) === fresh) pool.delete(key);
      };
      fresh.connection.then((connection) => {
        fresh.open = connection;
        if (closed) connection.close();
        void connection.closed.then(forget);
      }, forget);
      pool.set(key, fresh);
      pooled = fresh;
    }
    const entry = pooled;
    entry.idle?.abort("used");
    entry.users += 1;
    try {
      const connection = await entry.connection;
      return { connection, reused, release: () => release(key, entry) };
    } catch (error) {
      release(key, entry);
      throw error;
    }
  };

  const takeOwn = async (access: SshAccess, what: string, path: readonly string[]): Promise<Lease> => {
    const connection = await connect(access, what, path);
    return { connection, reused: false, release: connection.close };
  };

  const sessionLimit = (access: SshAccess): Limit => {
    const key = JSON.stringify(access);
    const limit = sessions.get(key) ?? createLimit(sessionsPerConnection);
    sessions.set(key, limit);
    return limit;
  };

  const shell: Shell = async (target, command, { signal, onLine, via } = {}) => {
    const what = `${command.argv[0]} on ${target.name}`;
    const to = `ssh to ${target.name}`;
    const cancelled = () =>
      new FaultError({ kind: "cancelled", what, detail: "cancelled before it started" });
    if (closed) throw new FaultError({ kind: "cancelled", what, detail: "the SSH connections are closed" });
    const usual = options.access(target);
    if (!usual) {
      const detail = `no SSH access is configured for ${target.kind} ${target.name}`;
      throw new FaultError({ kind: "not-configured", what: to, detail });
    }
    // The host key is pinned under the name it is known by, whichever address it is dialled at.
    const access =
      via === undefined ? usual : { ...usual, host: via, hostKeyAlias: usual.hostKeyAlias ?? usual.host };
    const isOwn = via !== undefined;
    const asRoot = command.privileged && access.sudo;
    const commandLine = renderArgv(asRoot ? ["sudo", "-n", "--", ...command.argv] : command.argv);

    const session = await sessionLimit(access).take(signal);
    const place = session && (await everything.take(signal));
    if (!session || !place) {
      session?.();
      throw cancelled();
    }
    const free = () => {
      place();
      session();
    };

    const leave = new AbortController();
    const abortion = new Promise<"aborted">((resolve) => {
      signal?.addEventListener("abort", () => resolve("aborted"), { once: true, signal: leave.signal });
    });
    const attempt = async (): Promise<{ run: RemoteRun; reused: boolean; connection: SshConnection }> => {
      const leasing = isOwn ? takeOwn(access, to, [target.name]) : take(access, to, [target.name]);
      const lease = await Promise.race([leasing, abortion]);
      if (lease === "aborted" || signal?.aborted) {
        // Somebody else may be waiting for the same connection: it is left to come up and idle.
        leasing.then(
          (late) => late.release(),
          () => {},
        );
        throw cancelled();
      }
      const run = runOverSsh({
        connection: lease.connection,
        what,
        commandLine,
        timeoutMs: command.timeoutMs,
        clock,
        signal,
        onLine,
      });
      void run.over.then(lease.release);
      return { run, reused: lease.reused, connection: lease.connection };
    };

    let over: Promise<void> | undefined;
    try {
      for (let tries = 1; ; tries += 1) {
        const { run, reused, connection } = await attempt();
        over = run.over;
        try {
          return await run.output;
        } catch (error) {
          // Nothing began on the other side, so it is safe to go again.
          if (!(error instanceof FaultError) || run.mayHaveStarted() || signal?.aborted) throw error;
          const { kind } = error.fault;
          // A kept connection can turn out dead only when it is used.
          const again = kind === "unreachable" && reused && tries === 1;
          // A live server that opens no channel is out of sessions; they come free as others end.
          const later = kind === "refused" && !connection.isClosed() && tries < sessionTries;
          if (!again && !later) throw error;
          await run.over;
          if (later) await clock.sleep(sessionRetryMs, signal);
        }
      }
    } finally {
      leave.abort("over");
      if (over) void over.then(free);
      else free();
    }
  };

  return {
    shell,
    close: () => {
      closed = true;
      for (const pooled of pool.values()) {
        pooled.idle?.abort();
        pooled.open?.close();
      }
      pool.clear();
    },
  };
}
