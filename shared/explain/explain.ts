import type { Fault } from "../fault.ts";
import { diagnoses } from "./all.ts";
import type { Diagnosis, Opinion, ProbeId } from "./diagnosis.ts";
import { agreed, answersOf, dataOf, type ExplainEvidence, type Looked, sameData } from "./evidence.ts";

export type Opined<C extends Opinion["certainty"]> = Readonly<{
  diagnosis: Diagnosis;
  opinion: Extract<Opinion, { certainty: C }>;
}>;

export type Explanation = Readonly<{
  /** `resolves`: every server that was asked gives what the zone holds. */
  state: "resolves" | "no-record" | "explained" | "undecided";
  certain: readonly Opined<"certain">[];
  possible: readonly Opined<"possible">[];
  unknown: readonly Opined<"unknown">[];
  /** Which probes were possible, from where, and which were not and why. */
  probes: readonly Readonly<{ id: ProbeId; about: string; from?: string; fault?: Fault }>[];
}>;

const probesOf = (evidence: ExplainEvidence): Explanation["probes"] => {
  const probe = (id: ProbeId, about: string, looked: Looked<unknown>) =>
    looked.ok ? { id, about, from: looked.from } : { id, about, fault: looked.fault };
  return [
    probe("P1", "name servers of the zone at its parent", evidence.parent),
    probe("P2", "delegation set in Route 53", evidence.delegationSets),
    probe("P3", "the zone's own servers", evidence.authoritative),
    probe("P4", "public resolvers", evidence.public),
    probe("P5", "the site's resolvers", evidence.site),
    probe("P6", "a TXT at the site's resolvers", evidence.siteTxt),
    probe("P7", "the site's resolvers without DNSSEC", evidence.siteUnchecked),
    probe("P8", "the zone as Route 53 lists it", evidence.listed),
  ];
};

const isRight = (evidence: ExplainEvidence, right: readonly string[]): boolean =>
  [evidence.public, evidence.site].every(
    (looked) =>
      !looked.ok ||
      (answersOf(looked.value).length === looked.value.length &&
        answersOf(looked.value).every((answer) => sameData(dataOf(answer, evidence.type), right))),
  );

/** The record nobody wrote: Route 53 lists neither the name with this type nor anything that would answer for it. */
const hasNoRecord = ({ listed, type }: ExplainEvidence): boolean =>
  listed.ok &&
  listed.value.every(
    ({ atName, wildcard, delegations }) =>
      delegations.length === 0 &&
      ![...atName, ...wildcard].some((set) => set.type === type || set.type === "CNAME"),
  );

/**
 * Why a name does not resolve: all sixteen diagnoses over one body of evidence, certain ones first. Several possible
 * ones stay several; what could not be looked at is named and never counts as evidence.
 */
export function explain(evidence: ExplainEvidence): Explanation {
  const opinions = diagnoses.map((diagnosis) => ({ diagnosis, opinion: diagnosis.judge(evidence) }));
  const having = <C extends Opinion["certainty"]>(certainty: C): readonly Opined<C>[] =>
    opinions.filter((each) => each.opinion.certainty === certainty) as unknown as readonly Opined<C>[];
  const certain = having("certain");
  const right = agreed(evidence);
  const wantedIsThere =
    right !== undefined &&
    right.length > 0 &&
    (evidence.wanted === undefined || sameData(evidence.wanted.toSorted(), right));
  const someoneAsked = evidence.site.ok || evidence.public.ok;
  const state =
    certain.length > 0
      ? "explained"
      : hasNoRecord(evidence)
        ? "no-record"
        : wantedIsThere && someoneAsked && isRight(evidence, right)
          ? "resolves"
          : "undecided";
  const possible = having("possible").filter(
    // By exclusion only: where something else is certain, the client is not in question.
    ({ diagnosis }) => diagnosis.id !== "client-side" || certain.length === 0,
  );
  return { state, certain, possible, unknown: having("unknown"), probes: probesOf(evidence) };
}
