import type { ShellCommand, ShellOutput } from "./shell.ts";

/**
 * One source of evidence on a node or a vantage: how to ask, and how to read the answer. `read` gives evidence or
 * throws FaultError ("could not look"); it never makes an empty success of output it did not understand.
 */
export type Probe<Args extends readonly unknown[] = readonly unknown[], Evidence = unknown> = Readonly<{
  /** Stable, kebab-case; privileges files and pages go by it. */
  id: string;
  /** The program it needs on the target. */
  tool: string;
  about: string;
  /** Arguments of a typical call; the catalogue of commands is printed and tested with them. */
  sample: Args;
  argv: (...args: Args) => ShellCommand;
  read: (output: ShellOutput) => Evidence;
}>;

/** A probe in a list: its arguments are its own business, so it is asked through `sampleCommand` there. */
export type AnyProbe = Readonly<{
  id: string;
  tool: string;
  about: string;
  sample: readonly unknown[];
  /** With arguments of the same kinds as the sample. */
  command: (args: readonly unknown[]) => ShellCommand;
  sampleCommand: () => ShellCommand;
  read: (output: ShellOutput) => unknown;
}>;

export const listed = <const Args extends readonly unknown[], Evidence>(
  probe: Probe<Args, Evidence>,
): AnyProbe => ({
  id: probe.id,
  tool: probe.tool,
  about: probe.about,
  sample: probe.sample,
  command: (args) => probe.argv(...(args as unknown as Args)),
  sampleCommand: () => probe.argv(...probe.sample),
  read: probe.read,
});
