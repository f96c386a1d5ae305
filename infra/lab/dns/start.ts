import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import type { Resolvers } from "#shared/twin/resolvers.ts";
import { type Stand, standIns } from "./addresses.ts";
import { answerMessage } from "./message.ts";

type Known = ReturnType<Resolvers["servers"]>[number];

/** A server of the model as it can be asked on this machine. */
export type LabNameServer = Stand<Known> & Readonly<{ port: number }>;

export type LabDns = Readonly<{
  servers: readonly LabNameServer[];
  /** One for all of them. */
  port: number;
  close: () => Promise<void>;
}>;

/** A client that keeps a connection without asking is let go, milliseconds (RFC 7766 leaves the time to servers). */
const idleMs = 10_000;

function serveTcp(socket: Socket, resolvers: Resolvers, ip: string): void {
  let rest = Buffer.alloc(0);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      const reply = answerMessage(rest.subarray(2, end), "tcp", (question) => resolvers.ask(ip, question));
      rest = rest.subarray(end);
      if (reply === "closed") return void socket.resetAndDestroy();
      if (reply === "silence") continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    }
  });
}

function openUdp(resolvers: Resolvers, ip: string, address: string, port: number): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", reject);
    socket.on("message", (message, from) => {
      const reply = answerMessage(message, "udp", (question) => resolvers.ask(ip, question));
      // Nobody is told of a closed port here: that takes ICMP, and the port is open.
      if (typeof reply !== "string") socket.send(reply, from.port, from.address);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

function openTcp(
  resolvers: Resolvers,
  ip: string,
  address: string,
  port: number,
  open: Set<Socket>,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      serveTcp(socket, resolvers, ip);
    });
    server.once("error", reject);
    server.listen({ port, host: address, exclusive: true }, () => {
      server.removeListener("error", reject);
      resolve(server);
    });
  });
}

const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Opens every server on one port; `undefined` when the port is taken somewhere. */
async function openAll(
  resolvers: Resolvers,
  servers: readonly Stand<Known>[],
  wanted: number,
): Promise<LabDns | undefined> {
  const sockets = new Set<Socket>();
  const udp: UdpSocket[] = [];
  const tcp: Server[] = [];
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await Promise.all([
      ...udp.map((each) => new Promise<void>((done) => each.close(() => done()))),
      ...tcp.map((each) => new Promise<void>((done) => each.close(() => done()))),
    ]);
  };
  let port = wanted;
  try {
    for (const { ip, listens } of servers) {
      const server = await openTcp(resolvers, ip, listens, port, sockets);
      tcp.push(server);
      const bound = server.address();
      if (typeof bound === "object" && bound !== null) port = bound.port;
      udp.push(await openUdp(resolvers, ip, listens, port));
    }
  } catch (error) {
    await close();
    if (errorCode(error) === "EADDRINUSE" && wanted === 0) return undefined;
    throw error;
  }
  return { servers: servers.map((each) => ({ ...each, port })), port, close };
}

/**
 * DNS over UDP and TCP for every resolver, name server and parent server of the model, each on a loopback address of its
 * own. Answers name the model's addresses: `servers` says where each of them stands. On a machine that has only 127.0.0.1
 * (macOS) nothing is opened and `servers` is empty.
 */
export async function startLabDns(
  options: Readonly<{ resolvers: Resolvers /** 0: a free one. */; port: number }>,
): Promise<LabDns> {
  const servers = standIns(options.resolvers.servers());
  for (let tries = 0; tries < 5; tries++)
    try {
      const opened = await openAll(options.resolvers, servers, options.port);
      if (opened !== undefined) return opened;
    } catch (error) {
      if (errorCode(error) !== "EADDRNOTAVAIL") throw error;
      return { servers: [], port: 0, close: async () => {} };
    }
  throw new Error("no port is free on all of the lab's name servers");
}
