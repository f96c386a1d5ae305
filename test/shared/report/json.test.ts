import { describe, expect, it } from "vitest";
import type { Reply } from "#shared/reply.ts";
import { renderJson } from "#shared/report/json.ts";
import { text } from "#shared/text.ts";
import { replies } from "./replies.ts";

describe("renderJson", () => {
  it("prints verdict, findings and next moves in plain words", () => {
    expect(JSON.stringify(renderJson(replies.conflict), undefined, 2)).toMatchInlineSnapshot(`
      "{
        "verdict": {
          "word": "CONFLICT",
          "outcome": "failed",
          "text": "httpbin 10.4.11.1 · two MACs answer, both on karstark"
        },
        "cluster": "goldentooth",
        "why": "eth0 is right. wlan0 answers too: caches will flap between them.",
        "findings": [
          {
            "code": "example",
            "severity": "error",
            "subject": {
              "kind": "node",
              "name": "karstark"
            },
            "text": "eth0 and wlan0 are both up in 10.4.0.0/20",
            "facts": {},
            "remedy": "/nodes fix karstark wifi-active"
          }
        ],
        "next": [
          "/nodes check karstark",
          "Fix: /nodes fix karstark wifi-active"
        ]
      }"
    `);
  });

  it("ranks findings as people see them", () => {
    const { findings } = renderJson(replies.nodes) as { findings: { subject: { name: string } }[] };
    expect(findings.map((finding) => finding.subject.name)).toEqual([
      "lipps",
      "karstark",
      "norcross",
      "oakheart",
      "payne",
      "royce",
      "dalt",
      "bettley",
    ]);
  });

  const withFacts = (facts: Record<string, number>): Reply => ({
    ...replies.ok,
    findings: [{ code: "c", severity: "info", subject: { kind: "node", name: "n" }, facts, text: text`t` }],
    data: { b: [{ z: 1, a: undefined, c: null }], a: 1 },
  });

  it("writes equal replies equally, whatever order their keys came in", () => {
    const one = JSON.stringify(renderJson(withFacts({ a: 1, b: 2 })));
    expect(one).toBe(JSON.stringify(renderJson(withFacts({ b: 2, a: 1 }))));
    expect(one).toContain('"data":{"a":1,"b":[{"c":null,"z":1}]}');
  });

  it("prints exactly the command's own document where it has one", () => {
    expect(renderJson({ ...replies.ok, json: [{ z: 1, a: 2 }] })).toEqual([{ z: 1, a: 2 }]);
    expect(renderJson({ ...replies.ok, json: null })).toBeNull();
  });
});
