import type { KubeObject } from "../kubernetes/read.ts";

/** Whose deed it is. `round` counts from 1 how often the step was begun again after it had been taken back. */
export type DeedOrigin = Readonly<{ run: string; step: string; round?: number }>;

/**
 * Annotation of objects that a run creates, `R-0194/create-l2advertisement/create-l2advertisement-primary`: the way back
 * deletes what carries it and nothing else. Objects that were there before never get it.
 */
export const markKey = "arpeggio.dev/deed";

export const markOf = ({ run, step }: DeedOrigin, deed: string): string => `${run}/${step}/${deed}`;

export const hasMark = (object: KubeObject, origin: DeedOrigin, deed: string): boolean =>
  object.metadata.annotations?.[markKey] === markOf(origin, deed);

export const marked = (object: KubeObject, origin: DeedOrigin, deed: string): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    annotations: { ...object.metadata.annotations, [markKey]: markOf(origin, deed) },
  },
});

/** Last line of a commit's message, by which it is found again. */
export const trailerOf = (origin: DeedOrigin, deed: string): string => {
  const { round = 1 } = origin;
  return `Arpeggio-Deed: ${markOf(origin, deed)}${round > 1 ? `/${round}` : ""}`;
};
