import type { NodeCommand } from "../checks/fix.ts";
import type { NonEmpty } from "../finding.ts";
import type { ShellCommand } from "../probes/shell.ts";
import { allOf, eachOf } from "./node-command.ts";

/**
 * A change on a node that takes itself back unless it is confirmed. Files in /var/lib tell where it stands; each step is one
 * rename or one mkdir, so that confirming and taking back cannot both happen, and a change cannot begin twice:
 *   FILE            marked: the change may begin, and the timer may take it back
 *   FILE.once       the change has begun
 *   FILE.changed    all of its commands succeeded
 *   FILE.reverted   taking back has begun (FILE is gone)
 *   FILE.undone     taking back has ended; without FILE.once nothing had begun
 *   FILE.kept       confirmed (FILE is gone): the timer finds nothing to take back
 * They outlive a restart as the change does, so that it can be confirmed or taken back afterwards; no timer does.
 */
export type Confirmed = Readonly<{
  mark: ShellCommand;
  isMarked: Looked;
  arm: ShellCommand;
  isArmed: Looked;
  change: ShellCommand;
  hasBegun: Looked;
  confirm: ShellCommand;
  isKept: Looked;
  takeBack: ShellCommand;
  isUndone: Looked;
}>;

/** Exit code 0 means yes, 1 means no. */
export type Looked = Readonly<{ argv: NonEmpty<string>; privileged: boolean }>;

/** What a node has to wait with: systemd's transient timers, else a process of its own. */
export type Timer = "systemd-run" | "setsid";

const asRoot = (timeoutMs: number, ...argv: NonEmpty<string>): ShellCommand => ({
  argv,
  privileged: true,
  timeoutMs,
});
const isThere = (path: string): Looked => ({ argv: ["test", "-e", path], privileged: false });

export const markerOf = (run: string): string => `/var/lib/arpeggio-${run}`;
/** Gone after a restart, as the process is that waits. */
const waitingOf = (run: string): string => `/run/arpeggio-${run}.armed`;
const unitOf = (run: string): string => `arpeggio-revert-${run}`;

/** Nothing of what it starts keeps the session open. */
const silently = "exec </dev/null >/dev/null 2>&1; ";

/** Without a second begin: `mkdir` succeeds once. */
const changeScript = (file: string, change: readonly NodeCommand[]): string =>
  `${silently}sleep 1; test -e ${file} && mkdir ${file}.once && ${allOf(change)}touch ${file}.changed`;

/** A change that never began has nothing to take back: what it would have kept for that is not there, or is older. */
const ifBegun = (file: string, undo: readonly NodeCommand[]): string =>
  `test -d ${file}.once || touch ${file}.undone; test -d ${file}.once || exit 0; ${eachOf(undo)}touch ${file}.undone`;

/** Whoever renames the file first has the say. */
const revertScript = (file: string, undo: readonly NodeCommand[]): string =>
  `mv ${file} ${file}.reverted || exit 0; ${ifBegun(file, undo)}`;

/** Also takes back what was confirmed, and ends what a restart broke off. */
const takeBackScript = (file: string, undo: readonly NodeCommand[]): string =>
  `test -e ${file}.undone && exit 0; mv ${file} ${file}.reverted || mv ${file}.kept ${file}.reverted || test -e ${file}.reverted || exit 0; ${ifBegun(file, undo)}`;

const callMs = 20_000;

/** The commands of a change. `revertSeconds` is how long the node waits before it takes it back by itself. */
export function confirmed(
  given: Readonly<{
    run: string;
    timer: Timer;
    revertSeconds: number;
    change: readonly NodeCommand[];
    undo: readonly NodeCommand[];
  }>,
): Confirmed {
  const { run, timer, revertSeconds, change, undo } = given;
  const file = markerOf(run);
  const revert = revertScript(file, undo);
  const seconds = String(revertSeconds);
  return {
    mark: asRoot(callMs, "touch", file),
    isMarked: isThere(file),
    arm:
      timer === "systemd-run"
        ? asRoot(
            callMs,
            "systemd-run",
            "--quiet",
            `--unit=${unitOf(run)}`,
            `--on-active=${seconds}`,
            "/bin/sh",
            "-c",
            revert,
          )
        : asRoot(
            callMs,
            "setsid",
            "-f",
            "/bin/sh",
            "-c",
            `${silently}touch ${waitingOf(run)}; sleep ${seconds}; ${revert}`,
          ),
    isArmed: isThere(
      timer === "systemd-run" ? `/run/systemd/transient/${unitOf(run)}.timer` : waitingOf(run),
    ),
    change: asRoot(callMs, "setsid", "-f", "/bin/sh", "-c", changeScript(file, change)),
    hasBegun: isThere(`${file}.once`),
    confirm: asRoot(callMs, "mv", file, `${file}.kept`),
    isKept: isThere(`${file}.kept`),
    takeBack: asRoot(60_000, "/bin/sh", "-c", takeBackScript(file, undo)),
    isUndone: isThere(`${file}.undone`),
  };
}
