import { describe, expect, it } from "vitest";
import type { ArpEvidence } from "#shared/arp/judge.ts";
import { macTable } from "#shared/arp/mac-table.ts";
import type { Sighting } from "#shared/arp/timeline.ts";
import { foldTimeline } from "#shared/arp/timeline.ts";
import { watchReply } from "#shared/arp/watch-reply.ts";
import type { Reply } from "#shared/reply.ts";
import { exitCode } from "#shared/reply.ts";
import type { Vantage } from "#shared/site/site.ts";
import { plain } from "#shared/text.ts";
import { evidence, macs, nodes, prediction, site } from "./evidence.ts";

const vantage: Vantage = { name: "ops-host", place: "lan-wired", access: "local" };
const start = Date.UTC(2026, 10, 23, 14);

/** One answer a second of each MAC over its span of seconds. */
const answered = (...spans: readonly (readonly [mac: string, from: number, to: number])[]): Sighting[] =>
  spans.flatMap(([mac, from, to]) =>
    Array.from(
      { length: to - from },
      (_, i): Sighting => ({ at: start + (from + i) * 1000, kind: "reply", mac }),
    ),
  );

function watched(sightings: readonly Sighting[], given: Partial<ArpEvidence> = {}): Reply {
  const timeline = foldTimeline(sightings, {
    from: start,
    to: start + 30_000,
    resolutionMs: 1000,
    sawGratuitous: true,
  });
  const base = evidence([], given);
  return watchReply(
    "goldentooth",
    "httpbin 10.4.11.1",
    { ip: "10.4.11.1", service: "httpbin/httpbin" },
    vantage,
    { timeline, recorder: "tcpdump", rate: 1, frames: 30 },
    (wire) => ({ ...base, wire }),
    [],
  );
}

const line = (reply: Reply): string => `${reply.verdict.word}  ${plain(reply.verdict.text)}`;
const evidenceOf = (reply: Reply): string =>
  reply.blocks.flatMap((block) => (block.kind === "evidence" ? block.lines : [])).join("\n");

const dalt = {
  node: "dalt",
  fault: { kind: "timed-out", what: "ssh to dalt", detail: "no answer in 5 s" },
} as const;
const partial = macTable([...nodes, dalt], site);

describe("whose the answers are", () => {
  it("the predicted node throughout is a pass", () => {
    const reply = watched(answered([macs.bettley, 0, 30]));
    expect(line(reply)).toBe("OK  httpbin 10.4.11.1 · bettley eth0 answered throughout 30 s, as predicted");
    expect(exitCode(reply)).toBe(0);
  });

  it("another node throughout is no pass", () => {
    const reply = watched(answered([macs.cargyll, 0, 30]));
    expect(line(reply)).toBe("ELSEWHERE  httpbin 10.4.11.1 · cargyll eth0 answers, predicted was bettley");
    expect(exitCode(reply)).toBe(1);
  });

  it("a MAC that no node has is foreign", () => {
    const reply = watched(answered([macs.stranger, 0, 30]));
    expect(reply.verdict.word).toBe("FOREIGN");
    expect(exitCode(reply)).toBe(1);
  });

  it("a MAC that an unread node could have is unknown, and the node is named", () => {
    const reply = watched(answered([macs.stranger, 0, 30]), { table: partial });
    expect(reply.verdict.word).toBe("UNKNOWN");
    expect(exitCode(reply)).toBe(3);
    expect(evidenceOf(reply)).toMatch(/could be dalt/);
    expect(evidenceOf(reply)).toMatch(/note: dalt was not read: no answer in 5 s/);
  });

  it("nothing to compare with is unknown", () => {
    const reply = watched(answered([macs.bettley, 0, 30]), { prediction: dalt.fault });
    expect(reply.verdict.word).toBe("UNKNOWN");
    expect(exitCode(reply)).toBe(3);
  });

  it("prints the four sources and where they differ", () => {
    const shown = evidenceOf(
      watched(answered([macs.bettley, 0, 30]), { status: { kind: "node", node: "cargyll", doubts: [] } }),
    );
    expect(shown).toMatch(/^wire +bettley +1 MAC in 30 s$/m);
    expect(shown).toMatch(/^status +cargyll/m);
    expect(shown).toMatch(/^event +nobody/m);
    expect(shown).toMatch(/^prediction +bettley +next if it dies: cargyll$/m);
    expect(shown).toMatch(/differs: status says cargyll, the wire says bettley/);
  });
});

describe("a move", () => {
  it("from the predicted node to the next in line is what MetalLB does", () => {
    const reply = watched(answered([macs.bettley, 0, 10], [macs.cargyll, 16, 30]));
    expect(line(reply)).toBe(
      "MOVED  httpbin 10.4.11.1 · bettley eth0 to cargyll eth0, 1 gap, 7 s ± 1 s in all",
    );
    expect(exitCode(reply)).toBe(0);
  });
  it("to a node that is no candidate is not", () => {
    const reply = watched(answered([macs.bettley, 0, 10], [macs.karstark, 16, 30]));
    expect(reply.verdict.word).toBe("ELSEWHERE");
    expect(exitCode(reply)).toBe(1);
  });
  it("to a MAC of no node is foreign", () => {
    const reply = watched(answered([macs.bettley, 0, 10], [macs.stranger, 16, 30]));
    expect(reply.verdict.word).toBe("FOREIGN");
    expect(exitCode(reply)).toBe(1);
  });
  it("to a MAC that could be an unread node's is unknown", () => {
    const reply = watched(answered([macs.bettley, 0, 10], [macs.stranger, 16, 30]), { table: partial });
    expect(reply.verdict.word).toBe("UNKNOWN");
    expect(exitCode(reply)).toBe(3);
  });
  it("to the predicted node is the way home", () => {
    const reply = watched(answered([macs.cargyll, 0, 10], [macs.bettley, 10, 30]), {
      prediction: prediction(["bettley", "cargyll"]),
    });
    expect(line(reply)).toBe("MOVED  httpbin 10.4.11.1 · cargyll eth0 to bettley eth0, no gap");
  });
  it("and back again is a move too, not two responders", () => {
    const reply = watched(answered([macs.bettley, 0, 10], [macs.cargyll, 16, 22], [macs.bettley, 22, 30]));
    expect(line(reply)).toBe(
      "MOVED  httpbin 10.4.11.1 · bettley eth0 to cargyll eth0 and back, 1 gap, 7 s ± 1 s in all",
    );
    expect(exitCode(reply)).toBe(0);
  });
  it("two that take turns are shown by their first turns, the sources stay in sight", () => {
    const turns = answered([macs.bettley, 0, 30]).flatMap((each) => [
      each,
      { ...each, at: each.at + 2, mac: macs.cargyll },
    ]);
    const reply = watched(turns);
    expect(reply.verdict.word).toBe("CONFLICT");
    expect(evidenceOf(reply)).toMatch(/\(54 more changes are in the data\)/);
    expect(evidenceOf(reply).split("\n").length).toBeLessThan(16);
    expect((reply.data as { stretches: readonly object[] }).stretches).toHaveLength(60);
  });
});
