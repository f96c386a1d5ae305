import { describe, expect, it } from "vitest";
import type { Change } from "#shared/changes/change.ts";
import type { Cause, Conclusion, Diagnosis } from "#shared/incidents/diagnosis.ts";
import { diagnosisJson, diagnosisReply } from "#shared/incidents/diagnosis-reply.ts";
import type { Link } from "#shared/incidents/link.ts";
import { broken, holds, skipped, unseen } from "#shared/incidents/make-link.ts";
import { serviceUnreachable } from "#shared/incidents/runbooks/service-unreachable.ts";
import { exitCode } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain, text } from "#shared/text.ts";
import { removeObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { diagnosed } from "./on-twin.ts";

const fault = { kind: "timed-out", what: "ssh to dalt", detail: "no answer in 5 s" } as const;

const links: readonly Link[] = [
  holds({ id: "address", title: "The Service has the address", from: "Kubernetes API" }, text`it has`, {
    evidence: { title: "status", lines: ["10.4.11.1"] },
  }),
  broken({ id: "arp", title: "Exactly one MAC answers ARP" }, text`nobody answers`, [
    {
      code: "gone",
      severity: "error",
      subject: { kind: "address", name: "10.4.11.1" },
      facts: {},
      text: text`nobody answers`,
    },
  ]),
  unseen({ id: "nic", title: "It answers on the LAN interface" }, fault),
  skipped({ id: "tls", title: "TLS is valid" }, text`plain HTTP`),
];

const cause = (code: string): Cause => ({
  code,
  link: "arp",
  text: text`${code} it is`,
  next: [text`mend ${code}`, text`or replace it`],
});

const change = (i: number): Change => ({
  at: Date.UTC(2026, 10, 23, 13, i),
  subject: { kind: "Node", name: `node-${i}` },
  what: text`condition ${i}`,
  source: "condition",
});

const diagnosis = (conclusion: Conclusion, more: Partial<Diagnosis> = {}): Diagnosis => ({
  runbook: "service-unreachable",
  subject: { kind: "service", name: "httpbin/httpbin" },
  title: "httpbin · 10.4.11.1 · httpbin.goldentooth.net",
  links,
  conclusion,
  findings: [],
  seen: [{ vantage: "ops-host", place: "lan-wired", clusterNode: false, text: text`port 80 gets no answer` }],
  changes: [],
  startedAt: Date.UTC(2026, 10, 23, 14),
  endedAt: Date.UTC(2026, 10, 23, 14, 0, 4),
  facts: { ip: "10.4.11.1" },
  ...more,
});

const reply = (conclusion: Conclusion, more: Partial<Diagnosis> = {}) =>
  diagnosisReply(diagnosis(conclusion, more), { cluster: "goldentooth" });

const lines = (...given: Parameters<typeof reply>) =>
  renderTerminal(reply(...given), { columns: 80, colour: false }).split("\n");

describe("the first line", () => {
  it.each<readonly [Conclusion, string, 0 | 1 | 3]>([
    [{ kind: "healthy", text: text`all is well` }, "✓ OK  goldentooth · httpbin 10.4.11.1 · all is well", 0],
    [
      { kind: "unknown", text: text`nobody looked` },
      "? UNKNOWN  goldentooth · httpbin 10.4.11.1 · nobody looked",
      3,
    ],
    [
      { kind: "cause", cause: cause("gone"), also: [] },
      "✗ BROKEN  goldentooth · httpbin 10.4.11.1 · gone it is",
      1,
    ],
  ])("is the verdict: %j", (conclusion, first, code) => {
    expect(lines(conclusion)[0]).toBe(first);
    expect(exitCode(reply(conclusion))).toBe(code);
  });

  it("names both readings when nothing decides", () => {
    const conclusion: Conclusion = { kind: "candidates", causes: [cause("a"), cause("b"), cause("c")] };
    const { verdict, blocks } = reply(conclusion);
    expect(plain(verdict.text)).toMatch(/either a it is; or b it is; or 1 less likely cause/);
    expect(blocks[0]).toMatchObject({ kind: "table", title: "further readings" });
  });
});

it("the second says what is broken first, what stands beside it, and how much was seen", () => {
  const { why, next } = reply({ kind: "cause", cause: cause("gone"), also: [cause("expired")] });
  expect(plain(why ?? [])).toBe(
    "Beside it, on its own: expired it is. First broken: Exactly one MAC answers ARP. 1 of 4 links hold, 1 broken, 1 UNKNOWN, in 4.0 s.",
  );
  expect((next ?? []).map(plain)).toEqual(["mend gone", "or replace it", "mend expired"]);
});

it("broken and unseen links are told one by one, the rest is folded", () => {
  const { blocks } = reply({ kind: "cause", cause: cause("gone"), also: [] });
  const [told] = blocks.filter(({ kind }) => kind === "prose");
  expect(told?.kind === "prose" && plain(told.text).split("\n")).toEqual([
    expect.stringMatching(/^✗ BROKEN {2}Exactly one MAC answers ARP: /),
    expect.stringMatching(/^\? UNKNOWN {2}It answers on the LAN interface: /),
  ]);
  const folded = blocks.filter(({ kind }) => kind === "evidence");
  expect(folded.map((block) => block.kind === "evidence" && block.title)).toEqual([
    "all 4 links",
    "address: status",
  ]);
});

describe("what changed", () => {
  const cause_: Conclusion = { kind: "cause", cause: cause("gone"), also: [] };
  it("is unknown when nobody could read it, never nothing", () => {
    const { blocks } = reply(cause_, { changes: undefined, changesGap: text`events: 403` });
    expect(JSON.stringify(blocks)).toMatch(/What changed in the last hour is UNKNOWN/);
  });
  it("is nothing, said so", () => {
    expect(JSON.stringify(reply(cause_).blocks)).toMatch(/Nothing is known to have changed/);
  });
  it("is cut with a mark", () => {
    const { blocks } = reply(cause_, { changes: Array.from({ length: 30 }, (_, i) => change(i)) });
    const block = blocks.find((each) => each.kind === "evidence" && each.title.startsWith("what changed"));
    expect(block?.kind === "evidence" && block.lines).toHaveLength(16);
    expect(block?.kind === "evidence" && block.lines.at(-1)).toBe("15 more lines: /arpeggio changes");
  });
});

it("JSON holds every link with outcome, reason and evidence, and survives being written", () => {
  const json = diagnosisJson(
    diagnosis({ kind: "cause", cause: cause("gone"), also: [cause("expired")] }, { changes: [change(1)] }),
  ) as Record<string, unknown>;
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  expect(json).toMatchObject({
    runbook: "service-unreachable",
    firstBroken: "arp",
    conclusion: { kind: "cause", causes: [{ code: "gone", link: "arp" }, { code: "expired" }] },
    links: [
      { id: "address", outcome: "passed", evidence: { lines: ["10.4.11.1"] } },
      { id: "arp", outcome: "failed", codes: ["gone"] },
      { id: "nic", outcome: "unknown", fault },
      { id: "tls", outcome: "skipped", because: "plain HTTP" },
    ],
    seen: [{ vantage: "ops-host", saw: "port 80 gets no answer" }],
    changes: [{ kind: "Node", name: "node-1" }],
    facts: { ip: "10.4.11.1" },
  });
});

describe("on a model site, in 80 columns", () => {
  it.each([
    ["healthy", healthy],
    ["broken", () => withFaults(healthy(), removeObject("l2advertisements", "primary"))],
  ])("%s: no line is longer, and the head is short", async (_what, site) => {
    const answer = diagnosisReply(await diagnosed(serviceUnreachable, "httpbin", { site }), {
      cluster: "goldentooth",
    });
    const shown = renderTerminal(answer, { columns: 80, colour: false }).split("\n");
    for (const line of shown) expect(line.length, line).toBeLessThanOrEqual(80);
    const head = shown.indexOf("who saw what");
    expect(head).toBeGreaterThan(0);
    expect(head).toBeLessThanOrEqual(14);
  });
});
