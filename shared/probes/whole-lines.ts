import { FaultError } from "../fault.ts";
import type { ShellOutput } from "./shell.ts";

/** The lines of a program that ends each of them. Throws FaultError when the last one was cut. */
export function wholeLines(output: ShellOutput, what: string): readonly string[] {
  if (output.stdout === "") return [];
  if (!output.stdout.endsWith("\n"))
    throw new FaultError({ kind: "truncated", what, detail: "the last line is cut" });
  return output.stdout.slice(0, -1).split("\n");
}
