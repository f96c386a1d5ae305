import type { Clock } from "../../clock.ts";
import type { DnsOutcome, DnsQuestion } from "../dns-message.ts";
import type { EchoAnswer } from "../echo.ts";
import type { Machine } from "../machine.ts";
import type { TcpAnswer } from "../tcp-connect.ts";
import type { WebAnswer } from "../web.ts";

/** Names as the machine finds them out. */
export type ProgramDns = Readonly<{
  /** Asks the server at an address, from this machine. */
  ask: (server: string, question: DnsQuestion) => DnsOutcome;
  /** Address of a server that is called by its name. */
  hostAddress: (name: string) => string | undefined;
  /** The name servers of resolv.conf. */
  resolvers: readonly string[];
  /** Another number each query. */
  nextId: () => number;
}>;

/** What a program of a machine works with. */
export type ProgramContext = Readonly<{
  machine: Machine;
  clock: Clock;
  /** The name it was called by, as it appears in its own messages. */
  name: string;
  /** Runs as root, or with the capabilities that it needs. */
  privileged: boolean;
  out: (text: string) => void;
  err: (text: string) => void;
  /** Aborted means SIGTERM. */
  signal: AbortSignal;
  /** Starts another program of the same machine, as `timeout` and `sudo` do. */
  exec: (
    argv: readonly string[],
    options: Readonly<{
      signal?: AbortSignal;
      privileged?: boolean;
      caller: string;
      /** Goes on when the caller has gone: nobody hears of it, and nobody can end it. */
      detached?: boolean;
      /** Takes its output, as `$(...)` does. */
      write?: (stream: "stdout" | "stderr", text: string) => void;
    }>,
  ) => Promise<number>;
  installed: (name: string) => boolean;
  /** Changes to the machine go through the model, so that they have their consequences. */
  setLink: (nic: string, change: Readonly<{ up: boolean }>) => void;
  /** Opens a TCP connection and closes it. */
  connect: (ip: string, port: number) => TcpAnswer;
  /** What a client that has connected is told. */
  web: (ip: string, port: number) => WebAnswer | undefined;
  /** Sends one echo request that may pass `ttl - 1` machines. */
  echo: (ip: string, ttl: number) => EchoAnswer;
  dns: ProgramDns;
}>;

/** Gives the exit code. */
export type Program = (args: readonly string[], context: ProgramContext) => Promise<number> | number;
