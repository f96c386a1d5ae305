import { expect, it } from "vitest";
import { drawn } from "#infra/lab/slack/drawing.ts";

const text = [
  "• WAITS  goldentooth · step 2 waits",
  "1 of 3 steps done, 1 skipped",
  "complete  1 Survey",
  "  0:03  4 objects, and a sentence that is longer than the line",
  "pending  2 Pause · skipped",
  "error  3 Canary · FAILED",
  "address | service",
  "10.4.11.1 | httpbin",
  "10.4.11.13 | argocd",
  "10.4.11.9 | minio",
  "    - an argument that has to go on below",
].join("\n");

it("draws cards as the terminal does, aligns tables, counts rows left out, wraps with the indent", () => {
  expect(drawn(text, { columns: 36, rows: 2, cards: true }).split("\n")).toEqual([
    "• WAITS  goldentooth · step 2 waits",
    "1 of 3 steps done, 1 skipped",
    "done     1 Survey",
    "           0:03  4 objects, and a",
    "             sentence that is longer",
    "             than the line",
    "skipped  2 Pause",
    "FAILED   3 Canary",
    "address     service",
    "10.4.11.1   httpbin",
    "10.4.11.13  argocd",
    "(1 more)",
    "    - an argument that has to go on",
    "      below",
  ]);
});

it("leaves cards out and keeps what says how many there are", () => {
  expect(drawn(text, { columns: 80, rows: 9, cards: false })).not.toMatch(/Survey|Canary|0:03/);
  expect(drawn(text, { columns: 80, rows: 9, cards: false })).toMatch(/1 of 3 steps done/);
});
