import type { Machine } from "../machine.ts";

/** What programs wrote since the machine was built, by path; null where they removed what it was built with. */
const written = new WeakMap<Machine, Map<string, string | null>>();

export const writtenOn = (machine: Machine): Map<string, string | null> => {
  const found = written.get(machine) ?? new Map<string, string | null>();
  written.set(machine, found);
  return found;
};
