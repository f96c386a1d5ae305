import type { Schedule } from "./schedule.ts";
import type { Departure } from "./speaker-log.ts";

/**
 * Until peers agree that a crashed member is gone: LAN defaults of hashicorp/memberlist 0.5.1 (probe every second,
 * suspicion 4 s); about 5.5 s is the median of the source's timing for small clusters.
 */
export const detectionMs = 5_500;

/** A member that comes back is heard of with the next push. */
const healMs = 1_000;

export type MemberList = Readonly<{
  /** Whom a speaker takes for alive, itself included; `off` when memberlist is not in use. */
  viewOf: (node: string) => ReadonlySet<string> | "off";
  join: (node: string) => void;
  /** A planned stop tells the others. */
  leave: (node: string) => void;
  /** The member falls silent; the others find out. */
  crash: (node: string) => void;
  /** Members hear only their own group. Nodes in no group form one together; no groups heals. */
  partition: (groups: readonly (readonly string[])[]) => void;
  /** Whether packets of one member reach another. */
  hears: (a: string, b: string) => boolean;
}>;

/** The ring of speakers as each of them sees it. Nothing arbitrates between views that differ. */
export function createMemberList(
  options: Readonly<{ enabled: boolean; schedule: Schedule; changed: (departure: Departure) => void }>,
): MemberList {
  const { enabled, schedule, changed } = options;
  const alive = new Set<string>();
  const views = new Map<string, Set<string>>();
  let groups: readonly (readonly string[])[] = [];
  const pending = new Map<string, () => void>();
  let cancelSplit = () => {};

  const groupOf = (node: string): number => groups.findIndex((group) => group.includes(node));
  const hears = (a: string, b: string): boolean => groupOf(a) === groupOf(b);
  const forget = (node: string, departure: Departure) => {
    for (const [observer, view] of views) if (observer !== node) view.delete(node);
    changed(departure);
  };

  return {
    hears,
    viewOf: (node) => (enabled ? (views.get(node) ?? new Set([node])) : "off"),
    join(node) {
      pending.get(node)?.();
      pending.delete(node);
      alive.add(node);
      const peers = [...alive].filter((other) => hears(node, other));
      views.set(node, new Set(peers));
      for (const peer of peers) views.get(peer)?.add(node);
      changed("failed");
    },
    leave(node) {
      alive.delete(node);
      views.delete(node);
      forget(node, "left");
    },
    crash(node) {
      if (!alive.delete(node)) return;
      views.delete(node);
      pending.get(node)?.();
      pending.set(
        node,
        schedule(detectionMs, () => {
          pending.delete(node);
          forget(node, "failed");
        }),
      );
    },
    partition(next) {
      groups = next;
      cancelSplit();
      cancelSplit = schedule(next.length > 0 ? detectionMs : healMs, () => {
        for (const [observer, view] of views) {
          for (const other of [...view]) if (!hears(observer, other)) view.delete(other);
          for (const other of alive) if (hears(observer, other)) view.add(other);
        }
        changed("failed");
      });
    },
  };
}
