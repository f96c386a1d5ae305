import { describe, expect, it } from "vitest";
import type { ExplainEvidence } from "#shared/explain/evidence.ts";
import { explain } from "#shared/explain/explain.ts";
import { explainReply } from "#shared/explain/explain-reply.ts";
import { exitCode } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain } from "#shared/text.ts";
import { answer, at, evidence, listing, seen, unseen } from "./evidence-of.ts";

const reply = (parts: Partial<ExplainEvidence> = {}) => {
  const whole = evidence(parts);
  return explainReply(whole, explain(whole));
};

describe("the answer to /dns explain", () => {
  it("is one OK line when the name resolves, with a hint for the client", () => {
    const found = reply();
    expect(found.verdict.word).toBe("OK");
    expect(exitCode(found)).toBe(0);
    expect(plain(found.next?.[0] ?? [])).toContain("If a client still fails");
  });

  it("names the reason first, its evidence, and what to do", () => {
    const found = reply({ site: seen([at("10.4.0.1", answer({ extendedErrors: [15] }))]) });
    expect(plain(found.verdict.text)).toBe(
      "httpbin.goldentooth.net A: the site's resolver filters private addresses out of the answer.",
    );
    expect(found.findings[0]).toMatchObject({ code: "dns-private-address-filter", severity: "error" });
    expect(plain(found.next?.[0] ?? [])).toContain("rebind-domain-ok");
    expect(exitCode(found)).toBe(1);
    const shown = renderTerminal(found, { columns: 80, colour: false });
    expect(shown).toContain("EDE 15");
    expect(Math.max(...shown.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("keeps two candidates two, each with its test", () => {
    const found = reply({ site: seen([at("10.4.0.1", answer())]), siteTxt: unseen() });
    expect(found.verdict.word).toBe("LIKELY");
    expect(plain(found.findings[0]?.text ?? [])).toContain("what decides:");
  });

  it("is unknown, with every probe that was not possible, when nothing could be asked", () => {
    const nothing = unseen();
    const found = reply({
      parent: nothing,
      authoritative: nothing,
      public: nothing,
      site: nothing,
      siteTxt: nothing,
      siteUnchecked: nothing,
      listed: nothing,
      delegationSets: nothing,
      ownership: nothing,
      change: nothing,
      parentDs: nothing,
    });
    expect(found.verdict.outcome).toBe("unknown");
    expect(found.findings.map(({ facts }) => facts.probe)).toEqual([
      "P1",
      "P2",
      "P3",
      "P4",
      "P5",
      "P6",
      "P7",
      "P8",
    ]);
    expect(exitCode(found)).toBe(3);
  });

  it("says that there is no record rather than that it does not resolve", () => {
    const found = reply({ listed: seen([listing({ atName: [] })]) });
    expect(found.verdict.word).toBe("ABSENT");
    expect(plain(found.next?.at(-1) ?? [])).toContain("/dns check");
  });
});
