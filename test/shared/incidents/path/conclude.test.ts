import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Conclusion } from "#shared/incidents/diagnosis.ts";
import { holds, skipped, unseen } from "#shared/incidents/make-link.ts";
import { conclude, neededForHealth } from "#shared/incidents/path/conclude.ts";
import {
  consequences,
  fails,
  type Judged,
  only,
  type PathLink,
  pathLinks,
  type Reason,
} from "#shared/incidents/path/reason.ts";
import { plain, text } from "#shared/text.ts";

const head = (id: PathLink) => ({ id, title: `link ${id}` });

const reason = (link: PathLink, code: string, certain = true, more: Partial<Reason> = {}): Reason => ({
  code,
  link,
  certain,
  subject: { kind: "address", name: "10.4.11.1" },
  text: text`${code} it is`,
  next: [text`do something about ${code}`],
  ...more,
});

type State = "passed" | "failed" | "skipped" | "unknown";

const judge = (id: PathLink, state: State, reasons: readonly Reason[] = []): Judged => {
  switch (state) {
    case "passed":
      return only(holds(head(id), text`seen`));
    case "skipped":
      return only(skipped(head(id), text`does not arise`));
    case "unknown":
      return only(unseen(head(id), { kind: "timed-out", what: id, detail: "no answer" }));
    case "failed": {
      const [first = reason(id, `${id}-fact`, false), ...rest] = reasons;
      const judged = fails(head(id), text`broken`, [first, ...rest]);
      return reasons.length === 0 ? { ...judged, reasons: [] } : judged;
    }
  }
};

/** All links hold but those that are given. */
const path = (
  given: Readonly<Partial<Record<PathLink, State | readonly Reason[]>>> = {},
): readonly Judged[] =>
  pathLinks.map((id) => {
    const one = given[id] ?? "passed";
    return typeof one === "string" ? judge(id, one) : judge(id, "failed", one);
  });

const options = { summary: text`all is well`, needed: neededForHealth };
const told = (judged: readonly Judged[]): string => {
  const { conclusion } = conclude(judged, options);
  if (conclusion.kind === "cause")
    return `cause ${[conclusion.cause, ...conclusion.also].map(({ code }) => code).join(" + ")}`;
  if (conclusion.kind === "candidates")
    return `candidates ${conclusion.causes.map(({ code }) => code).join(" | ")}`;
  return conclusion.kind;
};

describe("what links come to", () => {
  it.each<readonly [string, string, Parameters<typeof path>[0]]>([
    ["everything holds", "healthy", {}],
    [
      "what was not asked does not count",
      "healthy",
      { tls: "skipped", name: "skipped", resolver: "skipped" },
    ],
    [
      "what nobody needs may stay in the dark",
      "healthy",
      { route: "unknown", owner: "unknown", delegation: "unknown" },
    ],
    ["ARP was not seen", "unknown", { arp: "unknown" }],
    ["nobody connected", "unknown", { tcp: "unknown" }],
    ["nobody could connect because nothing was asked", "unknown", { tcp: "skipped" }],
    ["pods were not seen", "unknown", { endpoints: "unknown" }],
    ["one certain cause", "cause gone", { arp: [reason("arp", "gone")] }],
    [
      "a cause takes its consequences along",
      "cause no-ad",
      {
        advertisement: [reason("advertisement", "no-ad")],
        "announcer-predicted": [reason("announcer-predicted", "nobody")],
        arp: [reason("arp", "silence", false), reason("arp", "filter", false)],
        tcp: [reason("tcp", "dropped", false), reason("tcp", "lost", false)],
      },
    ],
    [
      "endpoints come first although they stand last",
      "cause no-pods",
      {
        endpoints: [reason("endpoints", "no-pods")],
        "announcer-predicted": [reason("announcer-predicted", "nobody")],
        arp: [],
      },
    ],
    [
      "two that know nothing of each other",
      "cause filter + expired",
      { resolver: [reason("resolver", "filter")], tls: [reason("tls", "expired")] },
    ],
    [
      "a missing record takes the resolver along, not the certificate",
      "cause missing + expired",
      {
        record: [reason("record", "missing")],
        resolver: [reason("resolver", "differs")],
        tls: [reason("tls", "expired")],
      },
    ],
    [
      "readings stay readings",
      "candidates a | b",
      { arp: [reason("arp", "a", false), reason("arp", "b", false)], tcp: [reason("tcp", "c", false)] },
    ],
    [
      "one reading alone is no certainty",
      "candidates a | arp-unexplained",
      { arp: [reason("arp", "a", false)] },
    ],
    ["a broken link without any reading", "candidates http-unexplained | look-again", { http: "failed" }],
    [
      "a cause that explains nothing leaves the rest open",
      "cause elsewhere",
      {
        announcer: [reason("announcer", "elsewhere", true, { explains: [] })],
        tcp: [reason("tcp", "c", false)],
      },
    ],
    [
      "unknown links beside a cause change nothing",
      "cause gone",
      { arp: [reason("arp", "gone")], nic: "unknown" },
    ],
  ])("%s: %s", (_what, expected, given) => {
    expect(told(path(given))).toBe(expected);
  });

  it("names the broken links that the cause does not account for", () => {
    const judged = path({
      announcer: [reason("announcer", "elsewhere", true, { explains: [] })],
      tcp: [reason("tcp", "c", false)],
    });
    expect(conclude(judged, options).unexplained.map(({ id }) => id)).toEqual(["tcp"]);
    const taken = path({ arp: [reason("arp", "a", false), reason("arp", "b", false)], tcp: [] });
    expect(conclude(taken, options).unexplained).toEqual([]);
  });

  it("says which thing could not be seen", () => {
    const { conclusion } = conclude(path({ arp: "unknown" }), options);
    expect(conclusion.kind === "unknown" && plain(conclusion.text)).toMatch(/link arp.*no answer/);
  });

  it("tells at most five readings", () => {
    const many = Array.from({ length: 9 }, (_, i) => reason("arp", `r${i}`, false));
    const { conclusion } = conclude(path({ arp: many }), options);
    expect(conclusion.kind === "candidates" && conclusion.causes).toHaveLength(5);
  });
});

const anyPath = fc
  .tuple(
    ...pathLinks.map((id) =>
      fc.record({
        state: fc.constantFrom<State>("passed", "failed", "skipped", "unknown"),
        reasons: fc.array(
          fc
            .record({ certain: fc.boolean(), n: fc.nat(3), explainsNothing: fc.boolean() })
            .map(({ certain, n, explainsNothing }) =>
              reason(id, `${id}-${n}`, certain, explainsNothing ? { explains: [] } : {}),
            ),
          { maxLength: 3 },
        ),
      }),
    ),
  )
  .map((states) =>
    pathLinks.map((id, i) => judge(id, states[i]?.state ?? "passed", states[i]?.reasons ?? [])),
  );

const causesOf = (conclusion: Conclusion) =>
  conclusion.kind === "cause"
    ? [conclusion.cause, ...conclusion.also]
    : conclusion.kind === "candidates"
      ? conclusion.causes
      : [];

describe("whatever the links are", () => {
  it("never healthy with a broken link, and never a cause without one", () => {
    fc.assert(
      fc.property(anyPath, (judged) => {
        const { conclusion, unexplained } = conclude(judged, options);
        const failed = new Set(
          judged.filter(({ link }) => link.outcome === "failed").map(({ link }) => link.id),
        );
        if (failed.size > 0) expect(["cause", "candidates"]).toContain(conclusion.kind);
        else expect(["healthy", "unknown"]).toContain(conclusion.kind);
        for (const cause of causesOf(conclusion)) expect(failed).toContain(cause.link);
        for (const link of unexplained) expect(failed).toContain(link.id);
      }),
      { numRuns: 500 },
    );
  });

  it("never healthy without an open connection from outside and all that is needed", () => {
    fc.assert(
      fc.property(anyPath, (judged) => {
        if (conclude(judged, options).conclusion.kind !== "healthy") return;
        const by = new Map(judged.map(({ link }) => [link.id, link.outcome]));
        expect(by.get("tcp")).toBe("passed");
        for (const id of neededForHealth) expect(by.get(id)).not.toBe("unknown");
      }),
      { numRuns: 500 },
    );
  });

  it("a cause is certain, and no consequence of another cause", () => {
    fc.assert(
      fc.property(anyPath, (judged) => {
        const { conclusion } = conclude(judged, options);
        if (conclusion.kind !== "cause") return;
        const reasons = judged.flatMap((each) => each.reasons);
        const causes = causesOf(conclusion);
        for (const { code, link } of causes)
          expect(reasons.some((each) => each.certain && each.code === code && each.link === link)).toBe(true);
        for (const a of causes)
          for (const b of causes) {
            const from = reasons.filter(
              (each) => each.certain && each.code === a.code && each.link === a.link,
            );
            if (a.link !== b.link && from.every((each) => each.explains === undefined))
              expect(consequences[a.link as PathLink]).not.toContain(b.link);
          }
      }),
      { numRuns: 300 },
    );
  });

  it("candidates are at least two, and different", () => {
    fc.assert(
      fc.property(anyPath, (judged) => {
        const { conclusion } = conclude(judged, options);
        if (conclusion.kind !== "candidates") return;
        const ids = conclusion.causes.map(({ code, link }) => `${link} ${code}`);
        expect(ids.length).toBeGreaterThan(1);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 300 },
    );
  });
});

it("no link is its own consequence, nor that of its own consequences", () => {
  const reaches = (from: PathLink, seen = new Set<PathLink>()): ReadonlySet<PathLink> => {
    for (const next of consequences[from])
      if (!seen.has(next)) {
        seen.add(next);
        reaches(next, seen);
      }
    return seen;
  };
  for (const link of pathLinks) expect(reaches(link), link).not.toContain(link);
});
