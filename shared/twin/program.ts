/** What a simulated program writes to and how it is told to stop. */
export type ProgramIo = Readonly<{
  write: (stream: "stdout" | "stderr", text: string) => void;
  /** Aborted when the caller goes away; the program then ends as on SIGTERM. */
  signal: AbortSignal;
}>;

/** Runs a program on a machine of the twin, on the twin's clock. Unknown programs write the shell's "not found" and give 127. */
export type RunProgram = (
  machine: string,
  argv: readonly string[],
  io: ProgramIo,
) => Promise<Readonly<{ exitCode: number }>>;
