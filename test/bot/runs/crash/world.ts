import type { StoryName } from "./stories.ts";

/** One world of the lab, and the processes that live on it one after the other. */
export type Life = Readonly<{
  name: string;
  dir: string;
  story: StoryName;
  /** How much faster than the machine's its time runs, and from when (milliseconds since the epoch). */
  factor: number;
  began: number;
}>;

/** What is left of a world, and everything that was done to it, in order. */
export type WorldEnd = Readonly<{
  left: Readonly<Record<string, string>>;
  acts: readonly string[];
}>;

/** Where a process may die: before or after its nth call that fits. */
export type Death = Readonly<{
  /** The call's name; empty fits every call. */
  at: string;
  nth: number;
  when: "before" | "after";
}>;

export type Goal = "to the end" | "and back";

export type BotOrders = Readonly<{ life: Life; lab: string; deaths: readonly Death[] }>;

/** What a process says as it dies or ends; one line of JSON. */
export type LastWords = Readonly<{
  /** The call it died at, or how the run ended. */
  call: string;
  when: "before" | "after" | "ended";
  step: string;
  /** Calls it made, by name. */
  calls: Readonly<Record<string, number>>;
  halts: readonly string[];
}>;
