import { describe, expect, it } from "vitest";
import { commands } from "#bot/commands/all.ts";
import { parseCommand } from "#bot/parse.ts";
import type { Investigation } from "#shared/arp/investigate.ts";
import type { ArpEvidence } from "#shared/arp/judge.ts";
import { judge } from "#shared/arp/judge.ts";
import { macTable } from "#shared/arp/mac-table.ts";
import type { Sighting } from "#shared/arp/timeline.ts";
import { foldTimeline } from "#shared/arp/timeline.ts";
import { verdictCodes } from "#shared/arp/verdict-codes.ts";
import { investigationReply, overviewReply } from "#shared/arp/verdict-reply.ts";
import { watchReply } from "#shared/arp/watch-reply.ts";
import type { Reply } from "#shared/reply.ts";
import type { Text } from "#shared/text.ts";
import { evidence, macs, nodes, prediction, site } from "#test/shared/arp/evidence.ts";

const fault = { kind: "timed-out", what: "ssh to dalt", detail: "no answer in 5 s" } as const;
const partial = macTable([...nodes, { node: "dalt", fault }], site);
const base = evidence([]);
const none = (why: string) => prediction([], { why: { bettley: why, cargyll: why, karstark: why } });
const leader = prediction(["bettley", "cargyll"]);
const silence = (facts: Partial<ArpEvidence["silence"]>): Partial<ArpEvidence> => ({
  silence: { ...base.silence, ...facts },
});

/** Evidence for every verdict, and for every cause of silence. */
const scenes: readonly ArpEvidence[] = [
  evidence([macs.bettley]),
  evidence([macs.bettley], { prediction: fault }),
  evidence([macs.karstark, macs.karstarkWlan], { prediction: prediction(["karstark"]) }),
  evidence([macs.bettley, macs.cargyll]),
  evidence([macs.bettley, macs.stranger], { table: partial }),
  evidence([macs.stranger]),
  evidence([macs.bettley, macs.stranger]),
  evidence([macs.bettley], {
    wire: {
      kind: "looked",
      answers: [{ mac: macs.bettley, replies: 1 }],
      sent: 1,
      unusedAnswers: [macs.bettley],
    },
  }),
  evidence([macs.cargyll]),
  evidence([macs.bettley], { prediction: none("pool-not-advertised") }),
  evidence([macs.karstarkWlan], { prediction: prediction(["karstark"]) }),
  evidence([], { wire: { kind: "not-looked", fault } }),
  evidence([], { service: undefined, ...silence({ assigned: false }) }),
  evidence([macs.bettley], { service: undefined, ...silence({ assigned: false }) }),
  evidence([], { prediction: prediction([], { configError: "overlap" }) }),
  evidence([], { prediction: none("pool-not-advertised"), ...silence({ bgp: true }) }),
  evidence([], { prediction: none("pool-not-advertised") }),
  evidence([], { prediction: none("no-servable-endpoint") }),
  evidence([], { prediction: none("exclude-label") }),
  evidence([], { prediction: prediction(["bettley"], { interfaces: { bettley: ["eth7"] } }) }),
  evidence([], { prediction: leader, ...silence({ notReady: new Set(["bettley"]) }) }),
  evidence([], { prediction: leader, ...silence({ speakers: ["cargyll"] }) }),
  evidence([], silence({ route: { kind: "via", gateway: "10.4.0.1", nic: "eth0" } })),
  evidence([], {
    vantage: { name: "laptop", place: "lan-wifi" },
    ...silence({ vantageNic: { name: "wlan0", onLan: true, wireless: true } }),
  }),
  evidence([], { prediction: prediction(["karstark"]) }),
  evidence([], { prediction: fault }),
];

const investigated = (given: ArpEvidence): Investigation => ({
  ip: given.ip,
  service: given.service,
  verdict: judge(given),
  evidence: given,
  vantage: given.vantage,
  route: given.silence.route,
  frames: 3,
  endedAt: 0,
});

function watched(given: ArpEvidence): Reply {
  const answers = given.wire.kind === "looked" ? given.wire.answers : [];
  const sightings = answers.flatMap(({ mac }, turn) =>
    Array.from({ length: 10 }, (_, i): Sighting => ({ at: i * 1000 + turn, kind: "reply", mac })),
  );
  const span = { from: 0, to: 10_000, resolutionMs: 1000, sawGratuitous: true };
  return watchReply(
    "goldentooth",
    given.ip,
    { ip: given.ip, service: given.service },
    { name: "ops-host", place: "lan-wired", access: "local" },
    { timeline: foldTimeline(sightings, span), recorder: "tcpdump", rate: 1, frames: 10 },
    (wire) => ({ ...given, wire }),
    [],
  );
}

/** What stands in code leaves of the moves and of the prose under a verdict, as far as it is ours to understand. */
const ours = (value: Text): readonly string[] =>
  value.flatMap((part) =>
    typeof part === "object" && "code" in part && /^(?:\/|arpeggio )/.test(part.code) ? [part.code] : [],
  );

const advice = (reply: Reply): readonly string[] => [
  ...(reply.next ?? []).flatMap(ours),
  ...reply.findings.flatMap(({ text, remedy }) => [...ours(text), ...ours(remedy ?? [])]),
  ...reply.blocks.flatMap((block) => (block.kind === "prose" ? ours(block.text) : [])),
];

const replies = scenes.flatMap((given) => [
  investigationReply("goldentooth", given.ip, investigated(given), []),
  overviewReply("goldentooth", [investigated(given), investigated(given)], [], ({ ip }) => ip, []),
  watched(given),
]);
const everything = [...new Set(replies.flatMap(advice))];

describe("what the ARP verdicts tell people to type", () => {
  it("is looked at for every verdict", () => {
    expect(new Set(scenes.map((given) => judge(given).code))).toEqual(new Set(verdictCodes));
    expect(everything).toContain("/nodes check bettley");
    expect(everything.length).toBeGreaterThan(4);
  });

  it.each(everything)("%s is a command that there is", (line) => {
    const slack = line.startsWith("/");
    const words = line.replace(/^\/|^arpeggio /, "").split(/\s+/);
    const parsed = parseCommand(words, commands, slack ? "slack" : "cli");
    expect(parsed.kind === "usage" ? parsed.problems : parsed.kind).toBe("verb");
  });
});
