import { describe, expect, it } from "vitest";
import { createAlertLog } from "#shared/alerts/alert-log.ts";
import { stormList, stormReply } from "#shared/alerts/storm-reply.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { plain } from "#shared/text.ts";
import { alertOf, began, byService, calm, deliveryOf } from "./alerts.ts";

async function stormOf(count: number, resolved: number) {
  const clock = { now: () => began, sleep: async () => {} };
  const log = createAlertLog({
    ledger: createMemoryLedger({ now: clock.now }),
    clock,
    route: byService,
    limits: { ...calm, over: 1 },
  });
  const labels = (i: number) => ({
    alertname: i % 2 ? "ServiceDown" : "SlowAnswers",
    service: `s-${i}`,
    severity: "critical",
    node: i < 8 ? "karstark" : "lipps",
  });
  for (let i = 0; i <= count; i++) await log.take(deliveryOf([alertOf(`s-${i}`, { labels: labels(i) })]));
  for (let i = 1; i <= resolved; i++)
    await log.take(deliveryOf([alertOf(`s-${i}`, { labels: labels(i), status: "resolved", endsAt: began })]));
  const state = await log.read();
  const [storm] = state.storms.values();
  if (storm === undefined) throw new Error("no storm");
  const cases = storm.cases.flatMap((id) => state.cases.get(id) ?? []);
  return { storm, cases, reply: stormReply(storm, cases, { calmSeconds: 300 }) };
}

const prose = (reply: Awaited<ReturnType<typeof stormOf>>["reply"]): readonly string[] =>
  reply.blocks.flatMap((block) => (block.kind === "prose" ? [plain(block.text)] : []));

describe("the message of a storm", () => {
  it("says how many fire, what they share but for name and severity, and names the first five", async () => {
    const { reply } = await stormOf(10, 0);
    expect(plain(reply.verdict.text)).toBe(
      "10 things fire of 10 since 2026-11-23 03:12 UTC; new ones are listed here until none came for 5 min",
    );
    expect(plain(reply.why ?? [])).toBe("What they share: node=karstark (7 of 10).");
    expect(reply.cluster).toBe("goldentooth");
    expect(prose(reply)).toEqual([
      expect.stringMatching(/^Firing: service-unreachable s-1 since 03:11 UTC; .*; and 5 more$/),
    ]);
    expect(plain(reply.next?.[0] ?? [])).toBe("To open one of them: /runbook run service-unreachable s-1");
  });

  it("strikes what is resolved, and counts it by name", async () => {
    const { reply } = await stormOf(10, 7);
    expect(prose(reply)[1]).toMatch(/^Resolved: service-unreachable s-1 \(gone\); .*; and 2 more$/);
    const [table] = reply.blocks;
    expect(table?.kind === "table" ? table.rows.map((row) => row.map(plain)) : []).toEqual([
      ["SlowAnswers", "2", "3"],
      ["ServiceDown", "1", "4"],
    ]);
    // Slack takes one table a message; a second would become a file.
    expect(reply.blocks.filter(({ kind }) => kind === "table")).toHaveLength(1);
  });

  it("is over when it is calm and all is resolved", async () => {
    const { storm, cases } = await stormOf(4, 4);
    const reply = stormReply({ ...storm, calmedAt: began + 300_000 }, cases, { calmSeconds: 300 });
    expect(`${reply.verdict.word} ${reply.verdict.outcome}`).toBe("OVER ok");
    expect(plain(reply.verdict.text)).toContain("all 4 things");
  });

  it("lists every one in its file, with its labels", async () => {
    const { storm, cases } = await stormOf(50, 3);
    const list = stormList(storm, cases, began);
    for (let i = 1; i <= 50; i++) expect(list).toContain(`service-unreachable s-${i}\n`);
    expect(list.match(/^ +\d+ {2}resolved/gm)).toHaveLength(3);
    expect(list).toContain('service="s-50" severity="critical" node="lipps"');
  });
});
