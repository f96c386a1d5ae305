import { describe, expect, it } from "vitest";
import { actsOf } from "#shared/incidents/acts.ts";
import type { Conclusion } from "#shared/incidents/diagnosis.ts";
import type { IncidentEvent } from "#shared/incidents/incident-events.ts";
import { appendIncident, type NewIncident, openIncident } from "#shared/incidents/incident-log.ts";
import { conclusionHead, incidentReply, nextOf } from "#shared/incidents/incident-reply.ts";
import type { IncidentState } from "#shared/incidents/incident-state.ts";
import { keptDiagnosis } from "#shared/incidents/kept-diagnosis.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { code, plain, type Text, text } from "#shared/text.ts";
import { broken, diagnosisOf, healthy } from "../../bot/incidents/incident-product.ts";

const at = Date.UTC(2026, 10, 23, 14);
const options = { ref: (name: string) => ({ name }) };

const lookStep: NewIncident["steps"][number] = { id: "diagnose", title: "Look", kind: "diagnose" };

async function stateAfter(
  events: readonly IncidentEvent[],
  byAlert = false,
  steps: NewIncident["steps"] = [lookStep],
): Promise<IncidentState> {
  const ledger = createMemoryLedger({ now: () => at });
  let state = await openIncident(ledger, {
    cluster: "toy",
    runbook: "toy-unreachable",
    subject: "httpbin",
    title: "A service does not answer",
    by: byAlert ? { alertGroup: "g" } : { person: "olive" },
    steps,
  });
  for (const event of events) state = (await appendIncident(ledger, state, event, at)) ?? state;
  return state;
}

const looked = (conclusion: Conclusion): readonly IncidentEvent[] => [
  { type: "diagnosing", step: "diagnose", token: "t", by: null },
  { type: "diagnosed", step: "diagnose", token: "t", diagnosis: diagnosisOf(conclusion, at, at + 1_000) },
];

const causing = (...next: readonly [Text, ...Text[]]): Conclusion => ({
  kind: "cause",
  cause: { code: "c", text: text`it is broken`, link: "l", next },
  also: [],
});

describe("the message", () => {
  const labels = (state: IncidentState): readonly string[] =>
    incidentReply(state, options).actions.map(({ label }) => label);

  it("offers three buttons at most, the safe one first", async () => {
    const fix = causing(text`fix: ${code("/nodes fix karstark wifi-active")}`);
    expect(labels(await stateAfter(looked(fix), true))).toEqual([
      "Diagnose again",
      "Take it",
      "Show the fix",
    ]);
    expect(labels(await stateAfter(looked(fix)))).toEqual(["Diagnose again", "Show the fix", "Close"]);
    expect(labels(await stateAfter(looked(healthy)))).toEqual(["Diagnose again", "Close"]);
    expect(labels(await stateAfter([]))).toEqual(["Close"]);
    expect(labels(await stateAfter([{ type: "closed", reason: "over" }]))).toEqual(["Open again"]);
  });

  it("says who has it, or that nobody has", async () => {
    const nobody = incidentReply(await stateAfter(looked(healthy), true), options);
    expect(plain(nobody.why ?? [])).toMatch(/Nobody has it\./);
    const later = await stateAfter([...looked(healthy), { type: "taken", by: "oscar" }], true);
    expect(plain(incidentReply(later, options).why ?? [])).toMatch(/@oscar has it since 14:00 UTC/);
  });

  it("never says that nothing is left to do while something is broken or unseen", async () => {
    const said = (state: IncidentState): string =>
      (incidentReply(state, options).next ?? []).map(plain).join("; ");
    expect(said(await stateAfter(looked(broken())))).not.toMatch(/Nothing is left/);
    expect(said(await stateAfter(looked(broken())))).toMatch(/look again: \/runbook diagnose I-1/);
    expect(said(await stateAfter(looked({ kind: "unknown", text: ["?"] })))).not.toMatch(/Nothing is left/);
    expect(said(await stateAfter(looked(healthy)))).toMatch(/Nothing is left to do: \/runbook close I-1/);
  });

  const fired: IncidentEvent = {
    type: "alert-firing",
    group: "g",
    fingerprint: "f",
    name: "ServiceDown",
    severity: "critical",
    labels: {},
    annotations: {},
    startsAt: at,
    times: 1,
  };
  const nextOfMessage = (state: IncidentState): string =>
    (incidentReply(state, options).next ?? []).map(plain).join("; ");

  it("names what fires in a line, however long its name", async () => {
    const long = { ...fired, name: "N".repeat(2_000), severity: "S".repeat(2_000) };
    const { blocks } = incidentReply(await stateAfter([long], true), options);
    expect(JSON.stringify(blocks).length).toBeLessThan(1_500);
  });

  it("nor while something fires, whatever was looked at holds", async () => {
    const well = nextOfMessage(await stateAfter([...looked(healthy), fired], true));
    expect(well).toBe(
      "1 alert of it still fires although all that was looked at holds: /runbook diagnose I-1, or look where it comes from",
    );
    const byHand: NewIncident["steps"] = [{ id: "look", title: "Look", kind: "manual", instruction: ["x"] }];
    const done: IncidentEvent = { type: "step-done", step: "look", by: "olive", said: "done" };
    expect(nextOfMessage(await stateAfter([fired, done], true, byHand))).toBe(
      "1 alert of it still fires: look where it comes from before /runbook close I-1",
    );
    expect(nextOfMessage(await stateAfter([done], true, byHand))).toMatch(/^Nothing is left to do/);
  });

  it("is not OK while checks of the site found something, or nothing passed", async () => {
    const steps: NewIncident["steps"] = [
      lookStep,
      { id: "nics", title: "Interfaces", kind: "checks", checks: ["default-route-nic"] },
    ];
    const ran = (results: Extract<IncidentEvent, { type: "checks-run" }>["results"], passed: number) =>
      stateAfter(
        [
          ...looked(healthy),
          { type: "checking", step: "nics", token: "c" },
          { type: "checks-run", step: "nics", token: "c", results, passed },
        ],
        false,
        steps,
      );
    const subject = { kind: "node", name: "karstark" };
    const failed = await ran([{ check: "c", subject, outcome: "failed", because: ["x"] }], 3);
    expect(incidentReply(failed, options).verdict).toMatchObject({ word: "FOUND", outcome: "failed" });
    const none = await ran([], 0);
    expect(incidentReply(none, options).verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(nextOfMessage(none)).not.toMatch(/Nothing is left/);
    expect(incidentReply(await ran([], 3), options).verdict.word).toBe("OK");
  });

  it("names the cluster in every state", async () => {
    for (const events of [[], looked(broken()), looked(healthy), [{ type: "closed", reason: "x" } as const]])
      expect(incidentReply(await stateAfter(events), options).cluster).toBe("toy");
  });
});

describe("a conclusion", () => {
  const cause = {
    code: "c",
    text: text`A`,
    link: "l",
    next: [text`do a`, text`then b`, text`then c`],
  } as const;
  it.each([
    [healthy, "OK", "ok"],
    [{ kind: "unknown", text: ["no vantage"] }, "UNKNOWN", "unknown"],
    [{ kind: "candidates", causes: [cause, { ...cause, text: text`B` }] }, "UNDECIDED", "failed"],
    [{ kind: "cause", cause, also: [] }, "BROKEN", "failed"],
  ] as const)("%#", (conclusion, word, outcome) => {
    expect(conclusionHead(conclusion as Conclusion)).toMatchObject({ word, outcome });
  });

  it("says what to do for each cause, never more of one than two", () => {
    const also = { ...cause, next: [text`do z`] } as const;
    expect(nextOf({ kind: "cause", cause, also: [also] }).map(plain)).toEqual(["do a", "then b", "do z"]);
  });

  it("tells how many candidates there are beside the likeliest two", () => {
    const { text: said } = conclusionHead({ kind: "candidates", causes: [cause, cause, cause, cause] });
    expect(plain(said)).toBe("either A; or A; or 2 less likely causes");
  });
});

describe("acts that a diagnosis proposes", () => {
  const acts = async (conclusion: Conclusion) => actsOf(await stateAfter(looked(conclusion)));

  it("are commands of ours that lead to a plan, as they stand in the cause", async () => {
    expect(
      await acts(
        causing(
          text`look: ${code("/nodes check karstark")}`,
          text`fix: ${code("/nodes fix karstark wifi-active")}`,
          text`and ${code("/dns plan goldentooth.net")}`,
          text`again ${code("/nodes fix karstark wifi-active")}`,
        ),
      ),
    ).toEqual([
      { number: 1, label: "Show the fix", words: "nodes fix karstark wifi-active" },
      { number: 2, label: "Plan DNS changes", words: "dns plan goldentooth.net" },
    ]);
  });

  it.each([
    ["a word to fill in", causing(text`${code("/nodes fix NODE wifi-active")}`)],
    ["prose", causing(text`/nodes fix karstark wifi-active`)],
    ["another program", causing(text`${code("kubectl delete pod x")}`)],
    ["two lines", causing(text`${code("/nodes fix karstark x\n/migrate start bgp-to-l2")}`)],
    ["a pipe", causing(text`${code("/nodes fix karstark x | sh")}`)],
    ["approving", causing(text`${code("/migrate approve R-1 abcd")}`)],
    [
      "a cause that is not certain",
      {
        kind: "candidates",
        causes: [
          { code: "a", text: text`a`, link: "l", next: [text`${code("/nodes fix karstark x")}`] },
          { code: "b", text: text`b`, link: "l", next: [text`b`] },
        ],
      },
    ],
  ] as const)("are none of: %s", async (_, conclusion) => {
    expect(await acts(conclusion as Conclusion)).toEqual([]);
  });
});

describe("what is kept of a diagnosis", () => {
  const long = (lines: number, links = 1) => {
    const diagnosis = diagnosisOf(broken(), at, at);
    return {
      ...diagnosis,
      links: Array.from({ length: links }, (_, i) => ({
        ...(diagnosis.links[1] as (typeof diagnosis.links)[number]),
        id: `l${i}`,
        evidence: {
          title: "log",
          lines: Array.from({ length: lines }, (_, n) => `line ${n} ${"x".repeat(80)}`),
        },
      })),
    };
  };

  it("is all of it where it fits", () => {
    const diagnosis = long(100);
    expect(keptDiagnosis(diagnosis)).toEqual({ diagnosis });
  });

  it.each([
    [5_000, 1],
    [500, 20],
    [100, 400],
  ])("fits an event and says what is missing: %i lines of %i links", (lines, links) => {
    const kept = keptDiagnosis(long(lines, links));
    expect(JSON.stringify(kept.diagnosis).length).toBeLessThan(380_000);
    expect(kept.cut).toBeDefined();
    expect(kept.diagnosis.conclusion).toEqual(broken());
    expect(kept.diagnosis.links.length).toBe(links);
  });
});
