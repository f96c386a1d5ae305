import * as z from "zod";

/** What the writer is asked: a plan by its id, and nothing about what to do. */
export const applyEvent = z.strictObject({
  plan: z.string().regex(/^P-[0-9a-f]{8}$/, "must be the id of a plan such as P-5d02a1c3"),
});

export type ApplyEvent = z.output<typeof applyEvent>;

/** Throws one error with every problem in it. */
export function readApplyEvent(event: unknown): ApplyEvent {
  const read = applyEvent.safeParse(event);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) =>
    [path.join("."), message].filter((part) => part !== "").join(": "),
  );
  throw new Error(`not understood, nothing was changed: ${problems.join("; ")}`);
}
