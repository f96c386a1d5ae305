import { type Fault, isFault } from "../fault.ts";
import { gitOpsKinds, type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { Change, Window } from "./change.ts";
import type { Lists } from "./read-traces.ts";
import type { RunsRead } from "./runs.ts";
import { utcTime } from "./utc-time.ts";

/** The API server's default for `--event-ttl`. */
export const eventLifeMs = 3_600_000;

/** Clocks further apart than this are worth a word. */
const skewMs = 5_000;

export type Gaps = Readonly<{
  /** Places where something may have happened that nothing here shows: sentences. */
  silent: readonly string[];
  /** Lists that could not be looked at. */
  faults: readonly Fault[];
}>;

const isBuiltIn = (kind: ResourceKind): boolean => ["", "apps"].includes(resourceKinds[kind].group);

/**
 * What stays in the dark, named: lists that could not be read, and what each source does not keep. A custom kind that the
 * server does not know is not there to change; that is told, but not as a fault, unless nothing could be read at all.
 */
export function gapsOf(
  lists: Lists,
  window: Window,
  more: Readonly<{ problems: readonly string[]; runs: RunsRead; changes: readonly Change[] }>,
): Gaps {
  const silent: string[] = [];
  const faults: Fault[] = [];
  const absent: string[] = [];
  const kinds = Object.keys(lists) as ResourceKind[];
  const anyRead = kinds.some((kind) => !isFault(lists[kind]));
  for (const kind of kinds) {
    const listed = lists[kind];
    if (!isFault(listed)) continue;
    if (anyRead && listed.kind === "not-configured" && !isBuiltIn(kind)) absent.push(kind);
    else faults.push(listed);
  }
  if (more.runs.kind === "unread") faults.push(more.runs.fault);

  const eventsFrom = window.until - eventLifeMs;
  if (window.since < eventsFrom)
    silent.push(
      `Events live about 1 h: before ${utcTime(eventsFrom, window.until)} only timestamps on objects speak.`,
    );
  silent.push("A deletion leaves no trace but an event, and few kinds have one.");
  silent.push(
    "managedFields keeps each manager's last write, a condition its last flip; earlier ones are gone.",
  );
  silent.push("GitOps syncs that changed nothing, and Flux Kustomizations that stayed Ready, leave no time.");
  const ahead = Math.max(...more.changes.map(({ at }) => at - window.until), 0);
  if (ahead > skewMs)
    silent.push(`Some times lie ahead of ours by up to ${Math.ceil(ahead / 1_000)} s: the clocks differ.`);
  if (absent.length > 0) {
    const other = absent.filter((kind) => !(gitOpsKinds as readonly string[]).includes(kind));
    const gitOps = absent.length - other.length;
    if (gitOps > 0)
      silent.push(
        gitOps === gitOpsKinds.length
          ? "Neither Argo CD nor Flux is installed here."
          : `Not installed here: ${absent.filter((kind) => !other.includes(kind)).join(", ")}.`,
      );
    if (other.length > 0) silent.push(`The server does not know: ${other.join(", ")}.`);
  }
  if (more.runs.kind === "no ledger")
    silent.push("This door keeps no ledger: runs of ours are told in Slack and the console.");
  if (more.runs.kind === "read" && more.runs.cut) silent.push("Only the newest 500 runs of ours were read.");
  const [problem] = more.problems;
  if (problem !== undefined)
    faults.push({
      kind: "unreadable",
      what: `${more.problems.length} of the listed objects`,
      detail: more.problems.length === 1 ? problem : `${problem}, and others`,
    });
  return { silent, faults };
}
