import { FaultError } from "#shared/fault.ts";
import type { Around } from "./every-call.ts";
import { nameOfPoint } from "./points.ts";
import type { Death } from "./world.ts";

export type Mortal = Readonly<{
  around: Around;
  /** Every call it made, each once. */
  calls: ReadonlySet<string>;
  /** Where it died; undefined while it lives. */
  diedAt: () => string | undefined;
  /** Resolves when it dies: what of it goes on in memory is nobody's any more, and is not waited for. */
  death: Promise<void>;
}>;

/**
 * Everything one process does, until it meets one of these deaths: then nothing it tries comes to anything. `at` names
 * a call.
 */
export function mortal(deaths: readonly Death[], at: (call: string) => string): Mortal {
  const fitting = new Map<Death, number>();
  let diedAt: string | undefined;
  const calls = new Set<string>();
  let end = (): void => {};
  const death = new Promise<void>((resolve) => {
    end = resolve;
  });
  const die = (): never => {
    end();
    throw new FaultError({ kind: "cancelled", what: "the process", detail: "killed" });
  };
  const around: Around = async (call, make) => {
    if (diedAt !== undefined) return die();
    const name = at(call);
    calls.add(name);
    const met = deaths.find((each) => {
      if (each.at !== "" && each.at !== name) return false;
      fitting.set(each, (fitting.get(each) ?? 0) + 1);
      return fitting.get(each) === each.nth;
    });
    if (met?.when === "before") diedAt = nameOfPoint({ at: name, when: "before" });
    if (diedAt !== undefined) return die();
    const made = await make();
    if (met !== undefined) diedAt ??= nameOfPoint({ at: name, when: "after" });
    // What others of the same process began meanwhile is told to nobody either.
    return diedAt === undefined ? made : die();
  };
  return { around, calls, diedAt: () => diedAt, death };
}
