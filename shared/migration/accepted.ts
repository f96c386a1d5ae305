import type { Finding } from "../finding.ts";
import { text } from "../text.ts";

/** Warnings that the person of the run accepts by their code become remarks; they are shown, and block no more. */
export const accepting = (codes: readonly string[], findings: readonly Finding[]): readonly Finding[] =>
  findings.map((each) =>
    each.severity === "warning" && codes.includes(each.code)
      ? { ...each, severity: "info" as const, text: text`accepted: ${each.text}` }
      : each,
  );
