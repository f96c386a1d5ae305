import type { Fault } from "../fault.ts";
import type { Text } from "../text.ts";
import type { ExplainEvidence } from "./evidence.ts";

/**
 * `certain`: the evidence leaves no other reading. `possible`: it fits, and `test` decides. `unknown`: a probe that it
 * needs was not possible, so nothing is said. `no`: the evidence speaks against it.
 */
export type Opinion =
  | Readonly<{ certainty: "certain"; because: Text; remedy: Text }>
  | Readonly<{ certainty: "possible"; because: Text; test: Text; remedy: Text }>
  | Readonly<{ certainty: "no" }>
  | Readonly<{ certainty: "unknown"; faults: readonly Fault[] }>;

export type ProbeId = "P1" | "P2" | "P3" | "P4" | "P5" | "P6" | "P7" | "P8";

/** One of the sixteen reasons why a name with a right record does not resolve (dns.md 5.2). */
export type Diagnosis = Readonly<{
  id: string;
  /** Row of the table in dns.md 5.2. */
  number: number;
  /** "the zone is not delegated", as it ends the sentence "NAME does not resolve: …". */
  sentence: string;
  needs: readonly ProbeId[];
  judge: (evidence: ExplainEvidence) => Opinion;
}>;

export const no: Opinion = { certainty: "no" };

/** Unknown by every probe in the list that could not look; undefined when all could. */
export const unlooked = (
  ...looked: readonly Readonly<{ ok: boolean; fault?: Fault }>[]
): Opinion | undefined => {
  const faults = looked.flatMap(({ ok, fault }) => (ok || fault === undefined ? [] : [fault]));
  return faults.length === 0 ? undefined : { certainty: "unknown", faults };
};
