import type { Clock } from "../clock.ts";
import type { EchoAnswer } from "./echo.ts";
import type { Machine } from "./machine.ts";
import type { ProgramIo } from "./program.ts";
import { programNamed } from "./programs/all.ts";
import type { ProgramDns } from "./programs/program.ts";
import type { TcpAnswer } from "./tcp-connect.ts";
import type { WebAnswer } from "./web.ts";

type Surroundings = Readonly<{
  clock: Clock;
  setLink: (machine: string, nic: string, change: Readonly<{ up: boolean }>) => void;
  connect: (machine: Machine, ip: string, port: number) => TcpAnswer;
  web: (ip: string, port: number) => WebAnswer | undefined;
  echo: (machine: Machine, ip: string, ttl: number) => EchoAnswer;
  dns: (machine: Machine) => ProgramDns;
}>;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** How the caller says that a program does not exist, and the exit code it gives then. */
const notFound: Readonly<Record<string, (name: string) => readonly [string, number]>> = {
  shell: (name) => [`bash: line 1: ${name}: command not found\n`, 127],
  sudo: (name) => [`sudo: ${name}: command not found\n`, 1],
  timeout: (name) => [`timeout: failed to run command ‘${name}’: No such file or directory\n`, 127],
};

/** Runs one command line on a machine. A machine that hangs or is off gives nothing until the caller goes away. */
export async function runProgram(
  machine: Machine,
  argv: readonly string[],
  io: ProgramIo,
  surroundings: Surroundings,
): Promise<Readonly<{ exitCode: number }>> {
  const death = new AbortController();
  const write: ProgramIo["write"] = (stream, text) => {
    if (!death.signal.aborted) io.write(stream, text);
  };
  const exec = async (
    words: readonly string[],
    {
      signal,
      privileged,
      caller,
      write,
    }: Readonly<{ signal: AbortSignal; privileged: boolean; caller: string; write: ProgramIo["write"] }>,
  ): Promise<number> => {
    const [name = "", ...args] = words;
    const program = programNamed(machine, name);
    if (program === undefined) {
      const [message, exitCode] = (notFound[caller] ?? notFound.shell)?.(name) ?? ["", 127];
      write("stderr", message);
      return exitCode;
    }
    return program(args, {
      machine,
      clock: surroundings.clock,
      name,
      privileged,
      out: (text) => write("stdout", text),
      err: (text) => write("stderr", text),
      signal,
      installed: (other) => programNamed(machine, other) !== undefined,
      exec: (inner, options) =>
        exec(inner, {
          signal:
            options.detached === true
              ? new AbortController().signal
              : options.signal === undefined
                ? signal
                : AbortSignal.any([signal, options.signal]),
          privileged: options.privileged ?? privileged,
          caller: options.caller,
          write: options.write ?? write,
        }),
      connect: (ip, port) => surroundings.connect(machine, ip, port),
      web: surroundings.web,
      echo: (ip, ttl) => surroundings.echo(machine, ip, ttl),
      dns: surroundings.dns(machine),
      setLink: (nic, change) => surroundings.setLink(machine.name, nic, change),
    });
  };
  if (machine.hung || !machine.powered) {
    await aborted(io.signal);
    return { exitCode: 255 };
  }
  machine.running.add(death);
  try {
    const exitCode = await exec(argv, {
      signal: AbortSignal.any([io.signal, death.signal]),
      privileged: machine.privileged,
      caller: "shell",
      write,
    });
    if (!death.signal.aborted) return { exitCode };
  } finally {
    machine.running.delete(death);
  }
  await aborted(io.signal);
  return { exitCode: 255 };
}
