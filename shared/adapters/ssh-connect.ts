import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import ssh2, { type Client, type ClientChannel } from "ssh2";
import type { Clock } from "../clock.ts";
import { FaultError, type FaultKind } from "../fault.ts";
import type { SshAccess } from "../site/site.ts";
import {
  fingerprint,
  hostKeyAlgorithms,
  judgeHostKey,
  keyTypeOf,
  lookupName,
  type Pins,
  parseKnownHosts,
  pinsFor,
} from "./known-hosts.ts";

export type SshConnection = Readonly<{
  client: Client;
  /** True as soon as the transport is known to be gone. */
  isClosed: () => boolean;
  closed: Promise<void>;
  close: () => void;
}>;

export type ConnectOptions = Readonly<{
  access: SshAccess;
  /** "ssh to karstark": starts every message. */
  what: string;
  /** Covers everything up to the authenticated connection. */
  timeoutMs: number;
  clock: Clock;
  /** The connection to the jump host, when the access names one. */
  through?: SshConnection;
}>;

/** ssh2 without its native part does ChaCha20 in JavaScript, OpenSSL does AES: a tenth of the work for each frame. */
const ciphers = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes256-ctr",
  "chacha20-poly1305@openssh.com",
] as const;

/** How long a closed connection may take to say goodbye. */
const farewellMs = 200;

/** A dead peer is noticed after three missed answers. */
const keepalive = { keepaliveInterval: 15_000, keepaliveCountMax: 3 };

async function readPins(
  access: SshAccess,
  what: string,
): Promise<{ pins: Pins; problems: readonly string[] }> {
  let content: string;
  try {
    content = await readFile(access.knownHostsFile, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // No file pins nothing; the refusal then says which key to put there.
    if (code === "ENOENT") return { pins: { keys: [], revoked: [], certAuthorities: 0 }, problems: [] };
    const detail = `cannot read the host keys in ${access.knownHostsFile} (${code ?? "unknown error"})`;
    throw new FaultError({ kind: "unreadable", what, detail }, { cause: error });
  }
  const known = parseKnownHosts(content);
  const pins = pinsFor(known, lookupName(access.host, access.port, access.hostKeyAlias));
  return { pins, problems: known.problems };
}

async function readIdentity(access: SshAccess, what: string): Promise<Buffer> {
  const file = access.identityFile;
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : code;
    throw new FaultError(
      { kind: "unreadable", what, detail: `cannot read the identity file ${file}: ${why}` },
      { cause: error },
    );
  }
  const parsed = ssh2.utils.parseKey(content);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) {
    const detail = /passphrase|encrypted/i.test(key.message)
      ? `the identity file ${file} is encrypted: name a key without a passphrase`
      : `the identity file ${file} is not a private key that can be read`;
    throw new FaultError({ kind: "unreadable", what, detail });
  }
  if (!key?.isPrivateKey()) {
    const detail = `the identity file ${file} holds no private key`;
    throw new FaultError({ kind: "unreadable", what, detail });
  }
  return content;
}

/** What to put into known_hosts is the fingerprint to compare first, not a line to paste blindly. */
function hostKeyFault(
  access: SshAccess,
  what: string,
  known: { pins: Pins; problems: readonly string[] },
  blob: Buffer,
  verdict: "revoked" | "changed" | "unknown",
): FaultError {
  const name = lookupName(access.host, access.port, access.hostKeyAlias);
  const file = access.knownHostsFile;
  const shown = `${keyTypeOf(blob) ?? "unreadable key"} ${fingerprint(blob)}`;
  if (verdict === "revoked") {
    const detail = `the host shows ${shown}, which ${file} marks @revoked`;
    return new FaultError({ kind: "refused", what, detail });
  }
  if (verdict === "changed") {
    const pinned = known.pins.keys.map((key) => `${key.type} ${fingerprint(key.blob)}`).join(", ");
    const detail = `the host shows ${shown}, but ${file} has ${pinned} for ${name}`;
    return new FaultError({ kind: "host-key-changed", what, detail });
  }
  const authorities =
    known.pins.certAuthorities > 0
      ? ` (its @cert-authority line for ${name} is not supported: the host's own key is needed)`
      : "";
  const unread = known.problems.length > 0 ? ` (not read there: ${known.problems.join("; ")})` : "";
  const detail = `not pinned: the host shows ${shown}; compare it on the host, then add a line for ${name} to ${file}${authorities}${unread}`;
  return new FaultError({ kind: "refused", what, detail });
}

const socketFaults: Readonly<Record<string, readonly [FaultKind, string]>> = {
  ECONNREFUSED: ["unreachable", "connection refused"],
  EHOSTUNREACH: ["unreachable", "no route to host"],
  ENETUNREACH: ["unreachable", "network unreachable"],
  ENOTFOUND: ["unreachable", "name not found"],
  EAI_AGAIN: ["unreachable", "name lookup failed for now"],
  ECONNRESET: ["unreachable", "connection reset"],
  EPIPE: ["unreachable", "connection closed"],
  ETIMEDOUT: ["timed-out", "no answer"],
};

function faultOfClientError(
  error: Error & { level?: string; code?: unknown },
  access: SshAccess,
  what: string,
  where: string,
): FaultError {
  const make = (kind: FaultKind, detail: string) => new FaultError({ kind, what, detail }, { cause: error });
  if (error.level === "client-authentication")
    return make("denied", `${where} does not accept ${access.identityFile} for user ${access.user}`);
  if (error.level === "client-timeout") return make("timed-out", `${where}: no answer`);
  const socket = socketFaults[String(error.code)];
  if (socket) return make(socket[0], `${where}: ${socket[1]}`);
  if (/no matching/i.test(error.message)) return make("refused", `${where}: ${error.message}`);
  return make("unreachable", `${where}: ${error.message}`);
}

/** Our environment holds tokens; a proxy command needs no more than this of it. */
const passedOn = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR"];

const proxyEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );

function startProxy(argv: readonly string[]): { sock: Duplex; child: ChildProcess; lastWords: () => string } {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: proxyEnvironment() });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString("utf8");
  });
  const sock = Duplex.from({ writable: child.stdin, readable: child.stdout });
  // The client listens as well; this one outlives it.
  sock.on("error", () => {});
  const lastWords = () => stderr.trim().split("\n").at(-1)?.trim().slice(0, 200) ?? "";
  return { sock, child, lastWords };
}

const forward = (through: SshConnection, host: string, port: number): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    through.client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      if (error) reject(error);
      else resolve(channel);
    });
  });

/**
 * One authenticated connection, host key checked against the pinned ones. Throws FaultError: refused (key not pinned
 * or revoked), host-key-changed, denied (authentication), unreachable, timed-out, unreadable (key files).
 */
export async function connectSsh(options: ConnectOptions): Promise<SshConnection> {
  const { access, what, clock } = options;
  const via = access.proxyCommand
    ? ` through ${access.proxyCommand[0]}`
    : access.jumpHost
      ? ` through ${access.jumpHost}`
      : "";
  const where = `${access.host}:${access.port}${via}`;
  const [known, privateKey] = await Promise.all([readPins(access, what), readIdentity(access, what)]);

  const client = new ssh2.Client();
  const settled = new AbortController();
  const proxy = access.proxyCommand ? startProxy(access.proxyCommand) : undefined;
  let isClosed = false;

  const closed = new Promise<void>((resolve) => {
    client.once("close", () => {
      isClosed = true;
      resolve();
    });
  });
  void closed.then(() => proxy?.child.kill());
  let transport: Duplex | undefined;
  const close = () => {
    isClosed = true;
    client.end();
    // A peer that hangs never answers the farewell; the library's own destroy() does nothing after its end().
    void clock.sleep(farewellMs).then(() => {
      transport?.destroy();
      proxy?.child.kill();
    });
  };

  const ready = new Promise<void>((resolve, reject) => {
    let hostKey: FaultError | undefined;
    const fail = (fault: FaultError) => reject(hostKey ?? fault);
    const unreachable = (detail: string) =>
      fail(new FaultError({ kind: "unreachable", what, detail: `${where}: ${detail}` }));

    // Stays for the connection's life: an error without a listener would end the process.
    client.on("error", (error) => {
      isClosed = true;
      const lost =
        (error as { level?: string }).level === "client-socket" || /before handshake/.test(error.message);
      // The proxy's own exit says more than the broken pipe it leaves behind, and follows at once.
      if (!(proxy && lost)) fail(faultOfClientError(error, access, what, where));
    });
    client.once("ready", () => resolve());
    client.once("close", () => {
      if (!proxy) unreachable("the connection was closed during the handshake");
    });
    proxy?.child.once("error", (error: NodeJS.ErrnoException) => {
      unreachable(`the proxy command did not start (${error.code ?? error.message})`);
    });
    proxy?.child.once("close", (code, signal) => {
      isClosed = true;
      proxy.sock.destroy();
      const words = proxy.lastWords();
      unreachable(`the proxy command ended (${signal ?? `exit ${code}`})${words ? `: ${words}` : ""}`);
    });
    void clock.sleep(options.timeoutMs, settled.signal).then(() => {
      const detail = `${where}: no SSH connection after ${options.timeoutMs / 1000} s`;
      fail(new FaultError({ kind: "timed-out", what, detail }));
    });

    const start = (sock: Duplex) => {
      if (settled.signal.aborted) {
        sock.destroy();
        return;
      }
      transport = sock;
      client.connect({
        host: access.host,
        port: access.port,
        username: access.user,
        sock,
        privateKey,
        authHandler: ["publickey"],
        algorithms: { serverHostKey: hostKeyAlgorithms(known.pins) as never, cipher: [...ciphers] },
        hostVerifier: (blob: Buffer) => {
          const verdict = judgeHostKey(known.pins, blob);
          if (verdict === "known") return true;
          hostKey = hostKeyFault(access, what, known, blob, verdict);
          return false;
        },
        readyTimeout: 0,
        ...keepalive,
      });
    };
    if (options.through) {
      forward(options.through, access.host, access.port).then(start, (error: Error) => {
        unreachable(`the jump host could not connect (${error.message.replace("(SSH) ", "")})`);
      });
    } else {
      start(proxy?.sock ?? connectTcp({ host: access.host, port: access.port, noDelay: true }));
    }
  });

  try {
    await ready;
  } catch (error) {
    close();
    throw error;
  } finally {
    settled.abort();
  }
  client.setNoDelay(true);
  return { client, isClosed: () => isClosed, closed, close };
}
