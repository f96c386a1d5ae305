import { readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** The process whose lab lives in a directory, if it is still running. */
export function labIn(dir: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(dir, "pid"), "utf8"));
    return Number.isInteger(pid) && pid > 0 && alive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the directory for this process. The directory must exist and be nobody's. */
export const occupy = (dir: string): void => writeFileSync(join(dir, "pid"), `${process.pid}\n`);

export const vacate = (dir: string): Promise<void> => rm(join(dir, "pid"), { force: true });
