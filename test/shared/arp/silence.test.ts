import { describe, expect, it } from "vitest";
import type { ArpEvidence } from "#shared/arp/judge.ts";
import { judge } from "#shared/arp/judge.ts";
import { macTable } from "#shared/arp/mac-table.ts";
import { evidence, macs, nic, nodes, prediction, site } from "./evidence.ts";

const fault = { kind: "denied", what: "list of services", detail: "forbidden" } as const;
const facts = evidence([]).silence;
const whyAll = (why: string) => prediction([], { why: { bettley: why, cargyll: why } });

const first = (more: Partial<ArpEvidence>) => judge(evidence([], more)).candidates[0];

describe("silence names its likeliest cause and the test that decides it", () => {
  it.each([
    ["not-assigned", { silence: { ...facts, assigned: false } }],
    ["invalid-configuration", { prediction: prediction([], { configError: "CIDR overlaps" }) }],
    ["only-bgp", { prediction: whyAll("pool-not-advertised"), silence: { ...facts, bgp: true } }],
    ["no-l2-advertisement", { prediction: whyAll("pool-not-advertised") }],
    ["no-l2-advertisement", { prediction: whyAll("no-advertisement-selects-service") }],
    ["no-servable-endpoint", { prediction: whyAll("no-servable-endpoint") }],
    ["no-candidate", { prediction: whyAll("exclude-label") }],
    ["leader-no-usable-nic", { prediction: prediction(["bettley"], { interfaces: { bettley: ["eth7"] } }) }],
    [
      "leader-no-usable-nic",
      {
        table: macTable(
          [{ node: "bettley", nics: [nic("eth0", macs.bettley, "10.4.0.11", { carrier: false })] }],
          site,
        ),
      },
    ],
    [
      "leader-no-usable-nic",
      {
        table: macTable(
          [{ node: "bettley", nics: [nic("eth0", macs.bettley, "10.4.0.11", { master: "br0" })] }],
          site,
        ),
      },
    ],
    ["leader-gone", { silence: { ...facts, notReady: new Set(["bettley"]) } }],
    ["leader-gone", { silence: { ...facts, speakers: ["cargyll"] } }],
    [
      "vantage-not-on-segment",
      { silence: { ...facts, route: { kind: "via", nic: "eth0", gateway: "10.9.0.1" } } },
    ],
  ] as const)("%s", (id, more) => {
    expect(first(more as Partial<ArpEvidence>)).toMatchObject({ id, seen: true });
    expect(first(more as Partial<ArpEvidence>)?.test).not.toBe("");
  });

  it("Wi-Fi at the vantage is possible, never certain", () => {
    const wifi = judge(
      evidence([], {
        vantage: { name: "laptop", place: "lan-wifi" },
        silence: { ...facts, vantageNic: { name: "wlan0", onLan: true, wireless: true } },
      }),
    );
    expect(wifi.candidates).toMatchObject([{ id: "wifi-filter", seen: false }]);
    expect(wifi.why).toMatch(/^Most likely: /);
  });

  it("what is seen comes before what is possible", () => {
    const { candidates } = judge(
      evidence([], {
        vantage: { name: "laptop", place: "lan-wifi" },
        silence: { ...facts, notReady: new Set(["bettley"]) },
      }),
    );
    expect(candidates.map(({ id }) => id)).toEqual(["leader-gone", "wifi-filter"]);
  });

  it("rules out by evidence: with everything fine nothing is claimed", () => {
    const { candidates, why } = judge(evidence([]));
    expect(candidates).toEqual([]);
    expect(why).toBe("Nothing that was read explains it.");
  });

  it("without any reading every cause stays possible", () => {
    const { candidates } = judge(
      evidence([], {
        prediction: fault,
        table: macTable(
          nodes.map(({ node }) => ({ node, fault })),
          site,
        ),
        silence: {
          assigned: undefined,
          bgp: undefined,
          notReady: new Set(),
          speakers: undefined,
          route: undefined,
          vantageNic: undefined,
        },
      }),
    );
    expect(candidates.every(({ seen }) => !seen)).toBe(true);
    expect(candidates.map(({ id }) => id)).toContain("no-l2-advertisement");
    expect(candidates.map(({ text }) => text).join()).not.toMatch(/undefined/);
    expect(candidates.map(({ test }) => test).join()).not.toMatch(/undefined/);
  });
});
