import { expect, it } from "vitest";
import { blameTheSilent } from "#shared/checks/blame.ts";
import { found } from "#shared/checks/check.ts";
import type { Fault } from "#shared/fault.ts";

const fault = (node: string): Fault => ({
  kind: "timed-out",
  what: `ssh to ${node}`,
  detail: "no answer in 5 s",
});
const unreached = new Map(["dalt", "fenn"].map((node) => [node, fault(node)]));

const from = (node: string, ...neighbours: readonly string[]) =>
  found({ code: "memberlist-filtered", severity: "error", node, facts: { neighbours }, text: ["x"] });

const told = (...findings: Parameters<typeof blameTheSilent>[0]) =>
  blameTheSilent(findings, unreached).map(({ code, subject, facts }) => [
    code,
    subject.name,
    facts.witnesses,
  ]);

it.each([
  [
    "one silent node seen by three",
    [from("a", "dalt"), from("b", "dalt"), from("c", "dalt")],
    [["node-silent", "dalt", ["a", "b", "c"]]],
  ],
  [
    "two silent nodes seen by one",
    [from("a", "dalt", "fenn")],
    [
      ["node-silent", "dalt", ["a"]],
      ["node-silent", "fenn", ["a"]],
    ],
  ],
  ["a neighbour that we do reach", [from("a", "jast")], [["memberlist-filtered", "a", undefined]]],
  ["one of each: the finding stands", [from("a", "jast", "dalt")], [["memberlist-filtered", "a", undefined]]],
  ["a finding that names no neighbour", [from("a")], [["memberlist-filtered", "a", undefined]]],
] as const)("%s", (_, findings, expected) => {
  expect(told(...findings)).toEqual(expected);
});
