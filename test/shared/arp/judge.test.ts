import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArpEvidence } from "#shared/arp/judge.ts";
import { judge } from "#shared/arp/judge.ts";
import { macTable } from "#shared/arp/mac-table.ts";
import { verdictCodes, verdictOutcome } from "#shared/arp/verdict-codes.ts";
import { evidence, macs, nic, nodes, prediction, site } from "./evidence.ts";

const fault = { kind: "timed-out", what: "ssh to dalt", detail: "no answer in 5 s" } as const;
const partial = macTable([...nodes, { node: "dalt", fault }], site);
const looked = (answers: readonly string[], more: object = {}) =>
  ({ kind: "looked", answers: answers.map((mac) => ({ mac, replies: 3 })), sent: 3, ...more }) as const;
const leads = (...order: string[]) => ({ prediction: prediction(order) });
const says = (node: string, doubts: readonly string[] = []) => ({ kind: "node", node, doubts }) as const;

/** An address that no Service has. */
const unassigned = (answers: readonly string[], more: Partial<ArpEvidence> = {}): ArpEvidence =>
  evidence(answers, {
    service: undefined,
    prediction: { kind: "not-configured", what: "prediction", detail: "no Service has the address" },
    silence: { ...evidence([]).silence, assigned: false },
    ...more,
  });

type Row = readonly [what: string, given: ArpEvidence, code: string, headline: RegExp];

const rows: readonly Row[] = [
  [
    "the predicted node on its LAN NIC",
    evidence([macs.bettley]),
    "expected",
    /bettley eth0 answers, as predicted \(next: cargyll\)/,
  ],
  ["nobody could take over", evidence([macs.bettley], leads("bettley")), "expected", /next: nobody/],
  ["another candidate", evidence([macs.cargyll]), "elsewhere", /cargyll eth0 answers, predicted was bettley/],
  ["a node that is no candidate", evidence([macs.karstark]), "elsewhere", /karstark eth0/],
  [
    "a node although nobody should",
    evidence([macs.bettley], { prediction: prediction([], { why: { bettley: "pool-not-advertised" } }) }),
    "elsewhere",
    /although nobody should/,
  ],
  [
    "a node under a rejected configuration",
    evidence([macs.bettley], { prediction: prediction([], { configError: "overlap" }) }),
    "elsewhere",
    /although nobody should/,
  ],
  [
    "nothing to compare with",
    evidence([macs.bettley], { prediction: fault }),
    "answered",
    /nothing to compare/,
  ],
  [
    "the right node, only by Wi-Fi",
    evidence([macs.karstarkWlan], leads("karstark")),
    "wrong-nic",
    /karstark answers on wlan0, not on eth0/,
  ],
  [
    "a NIC that the advertisements do not name",
    evidence([macs.karstark], {
      prediction: prediction(["karstark"], { interfaces: { karstark: ["eth7"] } }),
    }),
    "wrong-nic",
    /karstark answers on eth0/,
  ],
  [
    "a NIC outside the segment",
    evidence(["02:00:00:00:00:07"], {
      ...leads("n"),
      table: macTable(
        [
          {
            node: "n",
            nics: [nic("eth0", "02:00:00:00:00:06", "10.4.0.7"), nic("eth1", "02:00:00:00:00:07")],
          },
        ],
        site,
      ),
    }),
    "wrong-nic",
    /eth1/,
  ],
  [
    "two NICs of one node",
    evidence([macs.karstark, macs.karstarkWlan], leads("karstark", "bettley")),
    "two-nics",
    /two MACs answer, both on karstark/,
  ],
  ["two nodes", evidence([macs.bettley, macs.cargyll]), "two-nodes", /two nodes answer: bettley and cargyll/],
  ["every node", evidence([macs.bettley, macs.cargyll, macs.karstark]), "two-nodes", /three nodes/],
  ["a stranger alone", evidence([macs.stranger]), "foreign-mac", /no node has that MAC/],
  [
    "a stranger beside the announcer",
    evidence([macs.bettley, macs.stranger]),
    "foreign-mac",
    /02:00:00:00:00:66 answers/,
  ],
  [
    "a MAC that answers for unused addresses",
    evidence([macs.stranger], { wire: looked([macs.stranger], { unusedAnswers: [macs.stranger] }) }),
    "proxy-arp",
    /answers for every address/,
  ],
  [
    "a proxy beside the announcer",
    evidence([macs.bettley, macs.stranger], {
      wire: looked([macs.bettley, macs.stranger], { unusedAnswers: [macs.stranger] }),
    }),
    "proxy-arp",
    /02:00:00:00:00:66/,
  ],
  [
    "a stranger, unused address silent",
    evidence([macs.stranger], { wire: looked([macs.stranger], { unusedAnswers: [] }) }),
    "foreign-mac",
    /no node has/,
  ],
  [
    "a MAC that an unread node could have",
    evidence([macs.stranger], { table: partial }),
    "could-not-look",
    /unknown: could be dalt/,
  ],
  [
    "a known MAC and one that could be an unread node's",
    evidence([macs.bettley, macs.stranger], { table: partial }),
    "two-macs",
    /two MACs answer/,
  ],
  [
    "a MAC on two nodes",
    evidence([macs.bettley], {
      table: macTable([...nodes, { node: "twin", nics: [nic("eth0", macs.bettley)] }], site),
    }),
    "could-not-look",
    /same MAC on bettley eth0 and twin eth0/,
  ],
  ["nobody", evidence([]), "silence", /nobody answers/],
  [
    "nobody, for an address of no Service",
    unassigned([]),
    "free",
    /^free: nobody answers, and no Service has it$/,
  ],
  [
    "nobody, for an address outside the segment",
    unassigned([], {
      ip: "192.0.2.1",
      silence: { ...evidence([]).silence, assigned: false, route: undefined },
    }),
    "could-not-look",
    /nobody answers/,
  ],
  [
    "nobody, where Services could not be listed",
    unassigned([], { silence: { ...evidence([]).silence, assigned: undefined } }),
    "silence",
    /nobody answers/,
  ],
  ["a stranger on an address of no Service", unassigned([macs.stranger]), "foreign-mac", /no node has/],
  [
    "a node on an address of no Service",
    unassigned([macs.bettley]),
    "elsewhere",
    /^bettley eth0 answers, although no Service has the address$/,
  ],
  [
    "a node on its own address",
    unassigned([macs.bettley], { ip: "10.4.0.11" }),
    "expected",
    /bettley eth0 answers: the address is bettley's own/,
  ],
  [
    "a vantage that could not look",
    evidence([], { wire: { kind: "not-looked", fault } }),
    "could-not-look",
    /could not look/,
  ],
  [
    "not one request sent",
    evidence([], { wire: { kind: "looked", answers: [], sent: 0 } }),
    "could-not-look",
    /could not look/,
  ],
  ["IPv6", evidence([], { ip: "fd00:4::1" }), "could-not-look", /NDP is not probed/],
  [
    "silence at a node that may announce",
    evidence([], { vantage: { name: "b", place: "lan-wired", clusterNode: "bettley" } }),
    "could-not-look",
    /bettley may be the announcer/,
  ],
  [
    "silence at a node, announcer unknown",
    evidence([], { vantage: { name: "b", place: "lan-wired", clusterNode: "cargyll" }, prediction: fault }),
    "could-not-look",
    /may be the announcer/,
  ],
  [
    "silence at a node that surely does not announce",
    evidence([], { vantage: { name: "b", place: "lan-wired", clusterNode: "cargyll" } }),
    "silence",
    /nobody/,
  ],
];

describe("verdict", () => {
  it.each(rows)("%s", (_what, given, code, headline) => {
    const verdict = judge(given);
    expect(verdict.code).toBe(code);
    expect(verdict.headline).toMatch(headline);
  });

  it("covers every code that the wire can give", () => {
    expect(new Set(rows.map(([, , code]) => code))).toEqual(new Set(verdictCodes));
  });

  it("is a pass only for the expected answer", () => {
    expect(verdictCodes.filter((code) => verdictOutcome(code) === "ok")).toEqual(["expected", "free"]);
    expect(verdictOutcome("could-not-look")).toBe("unknown");
    expect(verdictOutcome("answered")).toBe("unknown");
  });

  it("says which of two NICs is right, and how to fix the other", () => {
    const verdict = judge(evidence([macs.karstarkWlan, macs.karstark], leads("karstark")));
    expect(verdict.why).toBe("eth0 is right. wlan0 answers too: caches will flap between them.");
    expect(verdict.fixes).toEqual(["/nodes fix karstark wired-and-wifi"]);
    expect(verdict.nextCommands).toEqual(["/nodes check karstark"]);
  });

  it("does not say which is right where that is not certain", () => {
    const table = macTable(
      [{ node: "n", nics: [nic("eth0", macs.bettley, "10.4.0.7"), nic("eth1", macs.cargyll, "10.4.0.8")] }],
      site,
    );
    const verdict = judge(evidence([macs.bettley, macs.cargyll], { table, ...leads("n") }));
    expect(verdict.why).toMatch(/not certain/);
    expect(verdict.fixes).toEqual([]);
  });

  it("suspects kube-proxy when every node answers", () => {
    expect(judge(evidence([macs.bettley, macs.cargyll, macs.karstark])).why).toMatch(/strictARP/);
    expect(judge(evidence([macs.bettley, macs.cargyll])).why).toMatch(/Split brain/);
  });
});

describe("a shared address", () => {
  const sharing = [prediction(["cargyll"], { service: "vault/vault" })];
  it("explains two nodes by two elections", () => {
    const verdict = judge(evidence([macs.bettley, macs.cargyll], { sharing }));
    expect(verdict.code).toBe("two-nodes");
    expect(verdict.why).toMatch(/httpbin\/httpbin elects bettley and vault\/vault elects cargyll/);
  });
  it("does not explain a third node by them", () => {
    expect(judge(evidence([macs.bettley, macs.karstark], { sharing })).why).toMatch(/Split brain/);
  });
  it("is told even when only one answers", () => {
    expect(judge(evidence([macs.bettley], { sharing })).caveats.join()).toMatch(
      /vault\/vault has the same address/,
    );
  });
});

describe("disagreements and caveats", () => {
  it("names each source that contradicts the wire, with what is known to be wrong about it", () => {
    const verdict = judge(
      evidence([macs.bettley], {
        status: says("cargyll", ["0.15: may be stale after failover"]),
        event: says("karstark"),
      }),
    );
    expect(verdict.code).toBe("expected");
    expect(verdict.disagreements).toEqual([
      "status says cargyll, the wire says bettley (0.15: may be stale after failover)",
      "event says karstark, the wire says bettley",
      "status says cargyll, the newest event says karstark",
    ]);
  });
  it("names the prediction when the wire differs", () => {
    expect(judge(evidence([macs.cargyll])).disagreements).toContain(
      "prediction says bettley, the wire says cargyll",
    );
    expect(judge(evidence([], { event: says("bettley") })).disagreements).toContain(
      "event says bettley, the wire says nobody",
    );
  });
  it("is silent when all agree, and when a MAC could be the named node's", () => {
    expect(
      judge(evidence([macs.bettley], { status: says("bettley"), event: says("bettley") })).disagreements,
    ).toEqual([]);
    expect(
      judge(evidence([macs.stranger], { table: partial, status: says("dalt") })).disagreements.join(),
    ).not.toMatch(/status/);
  });
  it("events of the same second contradict neither of the nodes they name, but do a third", () => {
    const event = { kind: "nodes", nodes: ["bettley", "cargyll"], doubts: [], oneOf: true } as const;
    const agree = evidence([macs.bettley], { event, status: says("cargyll") });
    expect(judge(agree).disagreements).toEqual(["status says cargyll, the wire says bettley"]);
    expect(judge(evidence([macs.karstark], { event, ...leads("karstark") })).disagreements).toEqual([
      "event says bettley or cargyll, the wire says karstark",
    ]);
    expect(judge(evidence([macs.bettley], { event, status: says("karstark") })).disagreements).toContain(
      "status says karstark, the newest event says bettley or cargyll",
    );
  });
  it("does not hold an unread node's MAC against a prediction that names the node", () => {
    const verdict = judge(evidence([macs.stranger], { table: partial, ...leads("dalt", "bettley") }));
    expect(verdict.code).toBe("could-not-look");
    expect(verdict.disagreements).toEqual([]);
  });
  it("says whose an unread MAC could be, instead of nobody's", () => {
    expect(
      judge(evidence([macs.stranger], { table: partial, event: says("bettley") })).disagreements,
    ).toEqual([
      "event says bettley, the wire says unknown (could be dalt)",
      "prediction says bettley, the wire says unknown (could be dalt)",
    ]);
    expect(judge(evidence([macs.stranger])).disagreements).toEqual([
      "prediction says bettley, the wire says a MAC of no node",
    ]);
  });
  it("counts many unread nodes instead of a wall of names", () => {
    const many = macTable(
      Array.from({ length: 40 }, (_, i) => ({ node: `n${i}`, fault })),
      site,
    );
    expect(judge(evidence([macs.stranger], { table: many })).headline).toBe(
      `${macs.stranger} answers; unknown: could be any of 40 nodes that were not read`,
    );
  });
  it("holds no source against a wire that nobody looked at", () => {
    expect(
      judge(evidence([], { wire: { kind: "not-looked", fault }, status: says("bettley") })).disagreements,
    ).toEqual([]);
  });
  it("tells promiscuity, loss, Wi-Fi and node vantages", () => {
    const table = macTable(
      [{ node: "bettley", nics: [nic("eth0", macs.bettley, "10.4.0.11", { promiscuity: 1 })] }],
      site,
    );
    const verdict = judge(
      evidence([macs.bettley], {
        table,
        wire: { kind: "looked", answers: [{ mac: macs.bettley, replies: 1 }], sent: 3 },
        vantage: { name: "laptop", place: "lan-wifi" },
      }),
    );
    expect(verdict.caveats.join("\n")).toMatch(/promiscuous/);
    expect(verdict.caveats.join("\n")).toMatch(/1 of 3/);
    expect(verdict.caveats.join("\n")).toMatch(/Wi-Fi: access points/);
    expect(
      judge(
        evidence([macs.bettley], { vantage: { name: "c", place: "lan-wired", clusterNode: "cargyll" } }),
      ).caveats.join(),
    ).toMatch(/ARP evidence only/);
  });
});

describe("properties", () => {
  it("two or more MACs are never a pass, and silence is never one", () => {
    const anyMac = fc.constantFrom(...Object.values(macs), "02:00:00:00:00:77");
    fc.assert(
      fc.property(fc.uniqueArray(anyMac), fc.uniqueArray(anyMac), fc.boolean(), (answers, unused, unread) => {
        const verdict = judge(
          evidence(answers, {
            wire: looked(answers, { unusedAnswers: unused }),
            ...(unread ? { table: partial } : {}),
          }),
        );
        if (answers.length !== 1) expect(verdictOutcome(verdict.code)).not.toBe("ok");
        if (verdict.code === "expected") expect(answers).toEqual([macs.bettley]);
        expect(verdict.answers.map(({ mac }) => mac)).toEqual(answers);
      }),
    );
  });
});
