import { createServer, type Socket, type Server as TcpServer } from "node:net";
import ssh2, { type Connection, type Server, type ServerChannel } from "ssh2";
import type { RunProgram } from "#shared/twin/program.ts";
import { serveShell } from "./prompt.ts";
import { runLine } from "./run-line.ts";

/** A key pair in OpenSSH's formats; `public` is one line, `ssh-ed25519 AAAA... comment`. */
export type LabKey = Readonly<{ public: string; private: string }>;

export type SshEdge = Readonly<{
  host: string;
  /** Listening port by machine. */
  ports: ReadonlyMap<string, number>;
  /** Host keys by machine, as they are now. */
  hostKeys: ReadonlyMap<string, LabKey>;
  /** The command strings a machine was sent, as they came, oldest first; the last hundred. */
  received: (machine: string) => readonly string[];
  /** How many connections a machine has open now. */
  connections: (machine: string) => number;
  /** The one key that every machine lets in, as any user. */
  clientKey: LabKey;
  close: () => Promise<void>;
  faults: Readonly<{
    /** The machine freezes: it accepts connections and then says nothing; what runs stays unanswered. */
    hang: (machine: string) => void;
    /** Nothing listens any more; open connections are cut. */
    refuse: (machine: string) => Promise<void>;
    /** The machine comes back with another host key; open connections are cut. */
    changeHostKey: (machine: string) => void;
    /** Takes hang and refuse back; a changed host key stays. */
    heal: (machine: string) => Promise<void>;
  }>;
}>;

export type SshEdgeOptions = Readonly<{
  /** `port` 0 or absent: the system chooses. */
  machines: readonly Readonly<{ name: string; port?: number }>[];
  run: RunProgram;
  host: string;
}>;

type Machine = {
  readonly name: string;
  key: LabKey;
  ssh: Server;
  tcp: TcpServer;
  port: number;
  hanging: boolean;
  readonly sockets: Set<Socket>;
  readonly received: string[];
};

/** About one pair in three hundred comes out of the library malformed (1.17.0): that one is thrown away. */
function generateKey(comment: string): LabKey {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    if (
      !(ssh2.utils.parseKey(pair.private) instanceof Error) &&
      !(ssh2.utils.parseKey(pair.public) instanceof Error)
    )
      return { public: pair.public, private: pair.private };
  }
}

/** Blob of a public key line. */
const blobOf = (key: LabKey): Buffer => Buffer.from(key.public.split(" ")[1] ?? "", "base64");

function serveExec(machine: Machine, channel: ServerChannel, line: string, run: RunProgram): AbortController {
  const gone = new AbortController();
  channel.once("close", () => gone.abort());
  // Input is not used, but its end is only seen, and the channel only closed, when it is read.
  channel.resume();
  const write = (stream: "stdout" | "stderr", text: string) => {
    if (!channel.writable) return;
    if (stream === "stdout") channel.write(text);
    else channel.stderr.write(text);
  };
  void runLine(run, machine.name, line, { write, signal: gone.signal }).then(({ exitCode }) => {
    if (!channel.writable) return;
    if (gone.signal.aborted) channel.exit("TERM", false, "");
    else channel.exit(exitCode);
    channel.end();
  });
  return gone;
}

function serveConnection(machine: Machine, connection: Connection, clientKey: LabKey, run: RunProgram): void {
  connection.on("error", () => {
    // A client that goes away in the middle is no event for the lab.
  });
  const allowed = ssh2.utils.parseKey(clientKey.public);
  if (allowed instanceof Error) throw allowed;
  connection.on("authentication", (request) => {
    if (request.method !== "publickey") {
      request.reject(["publickey"]);
      return;
    }
    const known = request.key.algo === "ssh-ed25519" && request.key.data.equals(blobOf(clientKey));
    const proven =
      request.signature === undefined ||
      (request.blob !== undefined &&
        allowed.verify(request.blob, request.signature, request.hashAlgo) === true);
    if (known && proven) request.accept();
    else request.reject(["publickey"]);
  });
  connection.on("ready", () => {
    connection.on("session", (acceptSession) => {
      const session = acceptSession();
      // The library ignores every request after the client closed its input; OpenSSH still takes signals then.
      session.on("eof", () => {
        (session as unknown as { _ending: boolean })._ending = false;
      });
      let running: AbortController | undefined;
      let terminal = false;
      session.on("pty", (accept) => {
        terminal = true;
        accept?.();
      });
      session.on("env", (accept) => accept?.());
      session.on("window-change", (accept) => accept?.());
      session.on("signal", (accept) => {
        accept?.();
        running?.abort();
      });
      session.on("exec", (accept, _reject, info) => {
        machine.received.push(info.command);
        if (machine.received.length > 100) machine.received.shift();
        running = serveExec(machine, accept(), info.command, run);
      });
      session.on("shell", (accept) => {
        serveShell(accept(), { machine: machine.name, terminal, run });
      });
    });
  });
}

const listen = (server: TcpServer, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });

const stopListening = (server: TcpServer): Promise<void> =>
  new Promise((resolve) => {
    if (server.listening) server.close(() => resolve());
    else resolve();
  });

/**
 * An SSH server for each machine of the lab, on loopback: real protocol, real keys, the twin's programs behind it. It
 * takes exec requests and interactive shells, no forwarding, no file transfer, no password.
 */
export async function startSshEdge(options: SshEdgeOptions): Promise<SshEdge> {
  const { host, run } = options;
  const clientKey = generateKey("lab-client");
  const machines = new Map<string, Machine>();
  const ports = new Map<string, number>();
  const hostKeys = new Map<string, LabKey>();

  const sshServer = (key: LabKey, machine: () => Machine): Server =>
    new ssh2.Server({ hostKeys: [key.private], ident: "lab" }, (connection) => {
      serveConnection(machine(), connection, clientKey, run);
    });
  const accept = (machine: Machine, socket: Socket) => {
    socket.setNoDelay(true);
    machine.sockets.add(socket);
    socket.once("close", () => machine.sockets.delete(socket));
    socket.on("error", () => {});
    if (machine.hanging) socket.pause();
    else machine.ssh.injectSocket(socket);
  };
  const cut = (machine: Machine) => {
    for (const socket of machine.sockets) socket.destroy();
  };
  const find = (name: string): Machine => {
    const machine = machines.get(name);
    if (!machine) throw new Error(`the lab has no machine "${name}"`);
    return machine;
  };

  for (const { name, port = 0 } of options.machines) {
    const key = generateKey(name);
    const machine: Machine = {
      name,
      key,
      ssh: sshServer(key, () => machine),
      tcp: createServer((socket) => accept(machine, socket)),
      port: 0,
      hanging: false,
      sockets: new Set(),
      received: [],
    };
    machine.port = await listen(machine.tcp, host, port);
    machines.set(name, machine);
    ports.set(name, machine.port);
    hostKeys.set(name, key);
  }

  return {
    host,
    ports,
    hostKeys,
    received: (name) => find(name).received,
    connections: (name) => find(name).sockets.size,
    clientKey,
    close: async () => {
      for (const machine of machines.values()) cut(machine);
      await Promise.all([...machines.values()].map((machine) => stopListening(machine.tcp)));
    },
    faults: {
      hang: (name) => {
        const machine = find(name);
        machine.hanging = true;
        for (const socket of machine.sockets) freeze(socket);
      },
      refuse: async (name) => {
        const machine = find(name);
        const stopped = stopListening(machine.tcp);
        cut(machine);
        await stopped;
      },
      changeHostKey: (name) => {
        const machine = find(name);
        machine.key = generateKey(name);
        machine.ssh = sshServer(machine.key, () => machine);
        hostKeys.set(name, machine.key);
        cut(machine);
      },
      heal: async (name) => {
        const machine = find(name);
        machine.hanging = false;
        // What was frozen is of no use any more: its client gave up or will, and comes again.
        cut(machine);
        if (!machine.tcp.listening) await listen(machine.tcp, host, machine.port);
      },
    },
  };
}

/** Nothing goes in or out any more while the connection stays open. */
function freeze(socket: Socket): void {
  socket.removeAllListeners("data");
  socket.pause();
  socket.write = () => true;
}
