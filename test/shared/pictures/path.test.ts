import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Diagnosis } from "#shared/incidents/diagnosis.ts";
import type { Link } from "#shared/incidents/link.ts";
import { pathPicture } from "#shared/pictures/path.ts";
import { textsOf } from "./texts-of.ts";

const finding = {
  code: "two-macs",
  severity: "error",
  subject: { kind: "address", name: "10.4.11.1" },
  facts: {},
  text: ["two MACs answer"],
} as const;

const links: readonly Link[] = [
  {
    id: "name",
    title: "The name resolves at the site",
    because: ["10.4.11.1"],
    outcome: "passed",
    findings: [],
  },
  {
    id: "owner",
    title: "The record is ours",
    because: ["the zone could not be listed"],
    outcome: "unknown",
    fault: { kind: "denied", what: "zone", detail: "AccessDenied" },
  },
  {
    id: "arp",
    title: "One node answers ARP for it",
    because: ["two MACs answer, both on karstark"],
    outcome: "failed",
    findings: [finding],
  },
  { id: "tls", title: "The certificate names it", because: ["no TLS on this port"], outcome: "skipped" },
];

const diagnosis = (changed: Partial<Diagnosis> = {}): Diagnosis => ({
  runbook: "service-unreachable",
  subject: { kind: "service", name: "httpbin/httpbin" },
  title: "httpbin · 10.4.11.1",
  links,
  conclusion: { kind: "unknown", text: ["nothing was concluded"] },
  findings: [],
  seen: [],
  changes: [],
  startedAt: 0,
  endedAt: 1,
  facts: {},
  ...changed,
});

describe("the picture of a path", () => {
  it("marks what it leaves out of a long reason", () => {
    const [first, ...others] = links;
    if (first === undefined) throw new Error("no link");
    const why = (n: number): Link => ({
      ...first,
      outcome: "unknown",
      because: [Array.from({ length: n }, (_, i) => `word-${i}`).join(" ")],
      fault: { kind: "denied", what: "x", detail: "y" },
    });
    const drawn = (n: number) =>
      textsOf(pathPicture(diagnosis({ links: [why(n), ...others] }), "x", "goldentooth").svg)
        .map(({ words }) => words)
        .filter((words) => words.startsWith("word-"));
    expect(drawn(3)).toEqual(["word-0 word-1 word-2"]);
    expect(drawn(200)).toHaveLength(4);
    expect(drawn(200).at(-1)).toMatch(/…$/);
  });

  it("writes every link, and why for what is broken or could not be seen", () => {
    const { svg } = pathPicture(diagnosis(), "CONFLICT: two MACs answer", "goldentooth");
    const words = textsOf(svg).map(({ words }) => words);
    expect(words).toEqual([
      "httpbin · 10.4.11.1",
      "CONFLICT: two MACs answer",
      "The name resolves at the site",
      "?",
      "The record is ours",
      "the zone could not be listed",
      "One node answers ARP for it",
      "two MACs answer, both on karstark",
      "The certificate names it",
      "goldentooth, seen 1970-01-01 00:00 UTC",
    ]);
  });

  it("says in its alt text all that it shows", () => {
    const { alt } = pathPicture(diagnosis(), "CONFLICT: two MACs answer", "goldentooth");
    expect(alt).toBe(
      "Path of httpbin · 10.4.11.1: CONFLICT: two MACs answer. 1 holds, 1 broken, 1 not asked, 1 could not look. " +
        "The name resolves at the site: holds. The record is ours: could not look, the zone could not be listed. " +
        "One node answers ARP for it: broken, two MACs answer, both on karstark. The certificate names it: not asked. goldentooth, seen 1970-01-01 00:00 UTC.",
    );
  });

  it("marks each outcome with a shape of its own, not with a colour alone", () => {
    const shapes = links.map((link) => pathPicture(diagnosis({ links: [link] }), "", "goldentooth").svg);
    const drawn = shapes.map((svg) =>
      [...svg.matchAll(/<path d="([^"]+)"/g)].map(([, d]) => d?.replaceAll(/[\d. ]/g, "")),
    );
    expect(new Set(drawn.map((each) => each.join(" "))).size).toBe(links.length);
  });

  it("keeps every word inside the picture at phone size, whatever the words are", () => {
    const words = fc.string({ unit: "grapheme", maxLength: 120 });
    fc.assert(
      fc.property(words, words, words, (title, because, verdict) => {
        const made = links.map((link) => ({ ...link, title, because: [because] }));
        const { svg } = pathPicture(diagnosis({ title, links: made }), verdict, verdict);
        const height = Number(/ height="(\d+(?:\.\d+)?)"/.exec(svg)?.[1]);
        for (const text of textsOf(svg)) {
          expect(text.right).toBeLessThanOrEqual(720);
          expect(text.y).toBeLessThanOrEqual(height);
          expect(text.size).toBeGreaterThanOrEqual(24);
        }
      }),
      { numRuns: 60 },
    );
  });
});
