import { describe, expect, it } from "vitest";
import type { Drift } from "#shared/drift/drift.ts";
import { type DriftReport, isReadWhole, toldDrifts } from "#shared/drift/drift-report.ts";
import { dailyDigest, driftReply, type ReportMessage } from "#shared/drift/report.ts";
import type { Fault } from "#shared/fault.ts";
import { exitCode } from "#shared/reply.ts";
import { renderMarkdown } from "#shared/report/markdown.ts";
import { renderSlack } from "#shared/report/slack.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain } from "#shared/text.ts";
import { owns, record, wants } from "../dns/zones.ts";
import { noon, planOf, type Site, scan } from "./scans.ts";

const site: Site = {
  have: [
    record("argocd", "A", "10.4.11.7"),
    owns("a-argocd", "me"),
    record("httpbin", "A", "10.4.11.9"),
    owns("a-old", "me"),
  ],
  want: [wants("argocd", "10.4.11.0"), wants("httpbin", "10.4.11.1")],
};

const message = (of: Site, more: Partial<ReportMessage> = {}): ReportMessage => {
  const report = scan(of);
  return {
    report,
    shown: report.drifts,
    resolved: [],
    plan: planOf(of),
    snooze: undefined,
    buttons: { report: "r-1", plan: "p-1" },
    ...more,
  };
};

const headline = (given: ReportMessage): string => {
  const { verdict } = driftReply(given);
  return `${verdict.word} ${plain(verdict.text)}`;
};

describe("the report", () => {
  it("says how many, where, and who puts them right", () => {
    expect(headline(message(site))).toBe(
      "DRIFT 3 differences · example.com (4 record sets) · 1 is ours to fix, 1 ExternalDNS will fix, 1 nobody will",
    );
  });

  it("has a row for each: record, type, want, have, owner, then", () => {
    const table = driftReply(message(site)).blocks.find((block) => block.kind === "table");
    const rows = table?.kind === "table" ? table.rows.map((row) => row.map(plain)) : [];
    expect(rows).toContainEqual([
      "argocd.example.com",
      "A",
      "10.4.11.0",
      "10.4.11.7",
      "me",
      "ExternalDNS will update it, in 1 min",
    ]);
    expect(rows).toContainEqual([
      "a-old.example.com",
      "TXT",
      "(none)",
      "owned by me, TTL 300 s",
      "me, orphan-txt",
      "we will delete it, after approval",
    ]);
    for (const row of rows) expect(row[5]).toMatch(/^(we will|ExternalDNS will|nobody will)/);
  });

  it("offers the plan by its digest, Explain and Snooze, by opaque ids", () => {
    const plan = planOf(site);
    expect(driftReply(message(site)).actions).toEqual([
      { id: "drift-plan", label: `Review plan ${plan.digest.slice(0, 4)}`, value: "p-1" },
      { id: "drift-explain", label: "Explain", value: "r-1" },
      { id: "drift-snooze", label: "Snooze", value: "r-1" },
    ]);
    expect(driftReply(message(site, { plan: undefined })).actions).toHaveLength(2);
  });

  it("strikes through what is resolved", () => {
    const gone = scan(site).drifts.slice(0, 1);
    const [{ name, type, kind }] = gone as [Drift];
    const reply = driftReply(message({}, { resolved: gone }));
    expect(JSON.stringify(renderSlack(reply))).toContain(
      JSON.stringify({ type: "text", text: `${name} ${type}`, style: { strike: true } }),
    );
    expect(renderMarkdown(reply)).toMatch(/^~~.+~~ resolved: /m);
    expect(renderTerminal(reply, { columns: 100, colour: false })).toContain(
      `${name} ${type} (gone) resolved: ${kind}`,
    );
  });

  it("counts what is resolved beyond twenty lines", () => {
    const [one] = scan(site).drifts as [Drift];
    const reply = driftReply(message({}, { resolved: Array.from({ length: 25 }, () => one) }));
    const [prose] = reply.blocks.filter((block) => block.kind === "prose");
    expect(prose === undefined ? "" : plain(prose.text).split("\n").at(-1)).toBe(
      "and 5 more that are resolved",
    );
  });

  it("says of a zone no ExternalDNS looks at that nobody will repair it", () => {
    const blind = message({});
    const findings: DriftReport["findings"] = [
      {
        code: "dns-zone-unwatched",
        severity: "warning",
        subject: { kind: "zone", name: "z" },
        facts: {},
        text: ["w"],
      },
    ];
    const report = { ...blind.report, complete: false, findings };
    expect(headline({ ...blind, report, shown: [] })).toMatch(/^WARN nobody will repair example\.com /);
    expect(isReadWhole(report)).toBe(true);
    expect(isReadWhole({ ...report, findings: [] })).toBe(false);
  });

  it("is OK only when everything was read", () => {
    const want = [wants("web", "10.0.0.1")];
    const have = [record("web", "A", "10.0.0.1"), owns("a-web", "me")];
    expect(headline(message({ have, want }))).toBe("OK no difference in example.com (2 record sets)");
    const fault: Fault = { kind: "denied", what: "list of record sets", detail: "AccessDenied" };
    const blind = message({ have, want, scan: { recordSets: fault } });
    expect(headline(blind)).toBe(
      "UNKNOWN example.com (not listed) could not be compared whole: nothing is said about what is absent",
    );
    expect(exitCode(driftReply(blind))).toBe(3);
  });

  it("names what the plan leaves out and why", () => {
    const of: Site = {
      have: [record("web", "A", "10.0.0.1"), owns("a-web", "me")],
      with: { policy: "upsert-only" },
    };
    const plan = planOf(of, { absolute: 0, share: 1 });
    const lines = driftReply(message(of, { plan })).blocks.flatMap((block) =>
      block.kind === "evidence" ? block.lines : [],
    );
    expect(lines).toContain("web.example.com A: 1 deletes of 1 owned records; 0 are allowed in one plan");
  });
});

describe("the digest of the day", () => {
  it("counts what is told over all zones, and never calls the unread fine", () => {
    const reports = [scan(site), scan({ scan: { controllers: [] } })];
    const reply = dailyDigest("goldentooth", reports, [], noon + 60_000);
    expect(plain(reply.verdict.text)).toBe(
      `DNS of the day: ${toldDrifts(scan(site)).length} differences stand in 2 zones; 1 zone could not be read whole`,
    );
    expect(dailyDigest("goldentooth", [], [], noon).verdict.outcome).toBe("unknown");
  });
});
