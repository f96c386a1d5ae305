import type { PathEvidence } from "./evidence.ts";

/** Faults of a visit that a dead machine makes as well as one that is cut off. */
const deadly: ReadonlySet<string> = new Set(["timed-out", "unreachable"]);

/**
 * Whether a node answers nobody: no SSH from here and no ping from its own segment, seen from `vantage`. One of the two
 * alone is no sign: SSH may be closed to us, and ping filtered.
 */
export function lostNode(
  { surroundings, pings }: Pick<PathEvidence, "surroundings" | "pings">,
  node: string,
): Readonly<{ vantage: string }> | undefined {
  const unread = surroundings.table.unread.find((each) => each.node === node);
  const ping = pings.find((each) => each.node === node);
  if (unread === undefined || !deadly.has(unread.fault.kind) || ping?.answer.ok !== true) return undefined;
  const { kind } = ping.answer.evidence;
  return kind === "answer" || kind === "hop" ? undefined : { vantage: ping.vantage };
}
