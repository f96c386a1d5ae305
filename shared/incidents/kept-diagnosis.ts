import type { Diagnosis } from "./diagnosis.ts";

/** Characters of one event: a store may take no more than 400 kB in one, and text may need several bytes a character. */
const mostChars = 120_000;

export type Kept = Readonly<{ diagnosis: Diagnosis; cut?: string }>;

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

const shortened = (diagnosis: Diagnosis, lines: number): Diagnosis => ({
  ...diagnosis,
  links: diagnosis.links.map((link) =>
    link.evidence === undefined || link.evidence.lines.length <= lines
      ? link
      : {
          ...link,
          evidence: {
            ...link.evidence,
            lines: [
              ...link.evidence.lines.slice(0, lines),
              `(${link.evidence.lines.length - lines} more lines were not kept)`,
            ],
          },
        },
  ),
});

/** The diagnosis as the ledger can take it: evidence is cut before anything else is, and what was cut is said. */
export function keptDiagnosis(diagnosis: Diagnosis): Kept {
  if (sizeOf(diagnosis) <= mostChars) return { diagnosis };
  for (const lines of [200, 50, 10, 0]) {
    const short = shortened(diagnosis, lines);
    const cut = `evidence is kept to ${lines} lines a link`;
    if (sizeOf(short) <= mostChars) return { diagnosis: short, cut };
    const bare: Diagnosis = {
      ...short,
      facts: {},
      changes: diagnosis.changes?.slice(0, lines),
    };
    if (sizeOf(bare) <= mostChars)
      return {
        diagnosis: bare,
        cut: `${cut}, changes to ${lines}, and facts are left out`,
      };
  }
  return {
    diagnosis: {
      ...shortened(diagnosis, 0),
      links: shortened(diagnosis, 0).links.filter(({ outcome }) => outcome !== "passed"),
      findings: diagnosis.findings.slice(0, 20),
      changes: [],
      facts: {},
    },
    cut: "evidence, facts, changes and links that hold are left out",
  };
}
