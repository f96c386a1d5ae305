import type { ClusterPorts } from "#bot/commands/command.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";

/** Told of every call of a port before it is made, and makes it. */
export type Around = <T>(call: string, make: () => Promise<T>) => Promise<T>;

/** The program that is run, whoever runs it. */
const programOf = (argv: unknown): string => {
  const words = Array.isArray(argv) ? argv.map(String) : [];
  return words.find((word) => !/^(sudo|-.*|timeout|\d+)$/.test(word))?.replace(/^.*\//, "") ?? "";
};

/** What a call is about, as far as its name says where a process died. */
function about(port: string, args: readonly unknown[]): string {
  const [first, second, third] = args;
  const record = (value: unknown): Record<string, unknown> => (value ?? {}) as Record<string, unknown>;
  if (port === "ledger.append") {
    const { type, data } = record(third);
    // Each deed is a point of its own.
    const deed = String(first).startsWith("run/") ? record(data).deed : undefined;
    return `${port} ${String(first).split("/")[0]} ${String(type)}${deed === undefined ? "" : ` ${String(deed)}`}`;
  }
  if (port === "write") {
    const name = record(second).dryRun === true ? "dry-run" : port;
    const write = record(first);
    return `${name} ${String(write.verb)} ${String(write.kind ?? record(write.ref).kind)}`;
  }
  if (port === "shell") return `${port} ${String(record(first).kind)} ${programOf(record(second).argv)}`;
  if (port.startsWith("ledger")) return `${port} ${String(first).split("/")[0]}`;
  return port;
}

/** Wraps every function of a value, whatever it is, under its name. */
function wrapped<T extends object>(port: string, value: T, around: Around): T {
  const entries = Object.entries(value).map(([name, own]) => [
    name,
    typeof own === "function"
      ? (...args: unknown[]) => {
          const called = `${port}.${name}`;
          return around(about(called, args), () => own(...args) as Promise<unknown>);
        }
      : own,
  ]);
  return Object.fromEntries(entries) as T;
}

export const aroundLedger = (ledger: Ledger, around: Around): Ledger => wrapped("ledger", ledger, around);

/** Tells at which step the run is, as its own events say it while they are written; what was read of it comes first. */
export const stepsOf = (ledger: Ledger, onStep: (step: string) => void): Ledger => ({
  ...ledger,
  append: (stream, version, event) => {
    const { step } = (event.data ?? {}) as { step?: unknown };
    if (stream.startsWith("run/") && typeof step === "string") onStep(step);
    return ledger.append(stream, version, event);
  },
});

/** Every way to the outside that a cluster's ports have; a new one is wrapped without anybody thinking of it. */
export function aroundPorts(ports: ClusterPorts, around: Around): ClusterPorts {
  const entries = Object.entries(ports).map(([name, own]) => {
    if (name === "config" || own === undefined) return [name, own];
    if (own instanceof Map)
      return [name, new Map([...own].map(([key, each]) => [key, wrapped(name, each, around)]))];
    if (typeof own === "function")
      return [
        name,
        (...args: unknown[]) =>
          around(about(name, args), () => (own as (...given: unknown[]) => Promise<unknown>)(...args)),
      ];
    return [name, wrapped(name, own as object, around)];
  });
  return Object.fromEntries(entries) as ClusterPorts;
}
