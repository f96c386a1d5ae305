import { expect, it } from "vitest";
import { nodeTools } from "#shared/probes/node-tools.ts";
import { judgedBy, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("tools-missing");
const having = (...missing: readonly string[]) => {
  const tools = new Map(
    nodeTools.filter((tool) => !missing.includes(tool)).map((tool) => [tool, `/usr/bin/${tool}`]),
  );
  return judgedBy(check, { nodes: [visited("dalt", { tools })] });
};

it("passes with all of them", () => {
  expect(told(having())).toEqual([]);
});

it.each([
  ["arping", "info"],
  ["tcpdump", "info"],
  ["nc", "warning"],
  ["timeout", "warning"],
])("without %s it is a finding of severity %s that names the package", (tool, severity) => {
  const [result] = having(tool);
  const findings = result?.outcome === "failed" ? result.findings : [];
  expect(findings.map((each) => [each.code, each.severity, each.facts.missing])).toEqual([
    ["tools-missing", severity, [tool]],
  ]);
  expect(JSON.stringify(findings[0]?.remedy)).toContain("apt install");
});

it("is unknown where the search failed", () => {
  expect(told(judgedBy(check, { nodes: [visited("dalt", { tools: { fault: timedOut } })] }))).toEqual([
    "unknown timed-out",
  ]);
});
