import type { MetalLbView } from "./metallb-view.ts";

export type Rollout = Readonly<{ name: string; wanted: number; renewed: number; ready: number }>;

const count = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/**
 * DaemonSets of MetalLB whose pods are not all renewed and ready. Each announces nothing while it restarts, so judging
 * the wire before the end finds faults that are none. A status without these fields says nothing either way.
 */
export const rolling = ({ lists, namespace }: MetalLbView): readonly Rollout[] =>
  lists.daemonsets
    .filter(({ metadata }) => metadata.namespace === namespace)
    .flatMap(({ metadata, status }) => {
      const said = status as Readonly<Record<string, unknown>> | undefined;
      const wanted = count(said?.desiredNumberScheduled);
      const renewed = count(said?.updatedNumberScheduled);
      const ready = count(said?.numberReady);
      if (wanted === undefined || renewed === undefined || ready === undefined) return [];
      const seen = count(said?.observedGeneration);
      const generation = count(metadata.generation);
      const isOld = seen !== undefined && generation !== undefined && seen < generation;
      return renewed < wanted || ready < wanted || isOld
        ? [{ name: metadata.name, wanted, renewed: isOld ? 0 : renewed, ready }]
        : [];
    });
