import type { ShellCommand } from "../probes/shell.ts";

/** The sudoers line that a privileged command of a node lacks; undefined for one that needs no privilege. */
export const missingLine = (command: ShellCommand): string | undefined =>
  command.privileged ? command.argv.join(" ") : undefined;
