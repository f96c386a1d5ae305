import { expect, it } from "vitest";
import type { Finding, Severity } from "#shared/finding.ts";
import { foldSiblings } from "#shared/metallb/prediction-findings.ts";
import { plain } from "#shared/text.ts";

const finding = (code: string, name: string, severity: Severity = "warning"): Finding => ({
  code,
  severity,
  subject: { kind: "address", name },
  facts: { service: `default/${name}` },
  text: [name],
});

it("five of a kind are told, the rest is counted, named and kept for programs", () => {
  const many = Array.from({ length: 13 }, (_, i) => finding("silent", `10.0.0.${i}`));
  const folded = foldSiblings([...many, finding("other", "x", "error")]);
  expect(folded.map(({ code }) => code)).toEqual([...Array<string>(6).fill("silent"), "other"]);
  const rest = folded[5]!;
  expect(rest).toMatchObject({ severity: "warning", subject: { name: "8 more" } });
  expect(rest.facts.more).toHaveLength(8);
  expect(plain(rest.text)).toBe(
    "of the same kind: 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8, 10.0.0.9, 10.0.0.10, 10.0.0.11, 10.0.0.12",
  );
});

it("six are not worth a fold, and the worst are told first", () => {
  const six = Array.from({ length: 6 }, (_, i) => finding("silent", `10.0.0.${i}`));
  expect(foldSiblings(six)).toEqual(six);
  const folded = foldSiblings([
    ...Array.from({ length: 9 }, (_, i) => finding("silent", `i${i}`, "info")),
    finding("silent", "bad", "error"),
  ]);
  expect(folded[0]).toMatchObject({ severity: "error" });
  expect(folded.at(-1)).toMatchObject({ severity: "info" });
});
