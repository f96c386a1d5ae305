import type { Lease } from "../ledger/ledger.ts";
import type { Deed } from "../steps/deed.ts";
import { leaseName } from "./lease.ts";
import { deedMs, type Runner } from "./runner.ts";

/** The lease of the cluster as one driver of a run has it: whoever has it is the only one who does anything there. */
export type ClusterLease = Readonly<{
  /** Takes or renews it for so long; who has it, when that is another driver. Throws FaultError. */
  holdFor: (cluster: string, ms: number, what: string) => Promise<Lease | undefined>;
  /** For as long as the deed may take. */
  hold: (cluster: string, deed: Deed, what: string) => Promise<Lease | undefined>;
  /** Renews it while the work goes on, however long that takes. */
  keeping: <T>(cluster: string, what: string, work: () => Promise<T>) => Promise<T>;
  release: () => Promise<void>;
}>;

export function createClusterLease(
  { ledger, clock, newToken, times }: Runner,
  run: string,
  by: string,
): ClusterLease {
  const since = clock.now();
  const token = newToken();
  let taken: Readonly<{ cluster: string; what: string; lease: Lease }> | undefined;

  const release = async (): Promise<void> => {
    if (taken === undefined) return;
    const { cluster, lease } = taken;
    taken = undefined;
    await ledger.release(cluster, lease.token);
  };

  const holdFor: ClusterLease["holdFor"] = async (cluster, ms, what) => {
    // It is held under the name of what it is for.
    if (taken !== undefined && taken.what !== what) await release();
    const asked = await ledger.lease(
      cluster,
      leaseName({ run, what, by, since }, token),
      ms + times.marginMs,
    );
    taken = asked.ok ? { cluster, what, lease: asked.lease } : undefined;
    return asked.ok ? undefined : asked.held;
  };

  return {
    holdFor,
    hold: (cluster, deed, what) => holdFor(cluster, deedMs(deed, times), what),
    keeping: async (cluster, what, work) => {
      const over = new AbortController();
      const renew = async (): Promise<void> => {
        for (;;) {
          await clock.sleep((times.kubeMs + times.marginMs) / 3, over.signal);
          if (over.signal.aborted || (await holdFor(cluster, times.kubeMs, what)) !== undefined) return;
        }
      };
      // Whoever cannot renew it loses it, and what is written then is decided by who wrote first.
      const renewing = renew().catch(() => {});
      try {
        return await work();
      } finally {
        over.abort();
        await renewing;
      }
    },
    release,
  };
}
