import { describe, expect, it } from "vitest";
import type { Peer } from "../../bench/nodes-peers.ts";
import { median, nodesReport, type Times } from "../../bench/nodes-report.ts";
import { versionOf } from "../../bench/nodes-sshd.ts";

const peer = (name: string): Peer => ({
  name,
  version: "1.0",
  run: () => Promise.resolve(),
  close: () => Promise.resolve(),
});
const times: Times = {
  clush: [1_600],
  ansible: [3_000],
  ansibleKept: [1_100],
  process: [900],
  cold: [500],
  warm: [100, 90, 110],
  all: [400],
};
const given = {
  machine: "a machine",
  question: "a question",
  peers: { clush: peer("clush"), ansible: peer("ansible") },
  times,
  checks: 3,
  simulated: {
    nodes: 500,
    checks: 3,
    results: 1_000,
    failed: 0,
    unknown: 0,
    visitMs: 2_000,
    judgeMs: 100,
    peakMiB: 200,
  },
};

describe("the report of bench/nodes", () => {
  it("tells ratios of medians and what was reached", () => {
    const { text, missed } = nodesReport(given);
    expect(missed).toBe(0);
    expect(text).toContain("| arpeggio, warm: kept connections | 100 ms | 90 ms to 110 ms | 3 |");
    expect(text).toContain("reached  clush / warm: 16.00 (wanted: at least 15)");
  });

  it("tells what was missed", () => {
    const { text, missed } = nodesReport({ ...given, times: { ...times, clush: [1_000] } });
    expect(missed).toBe(1);
    expect(text).toContain("MISSED   clush / warm: 10.00");
  });

  it("never counts a missing peer as beaten", () => {
    const peers = { ...given.peers, clush: { name: "clush", missing: "clush is not installed" } };
    const { text } = nodesReport({ ...given, peers, times: { ...times, clush: [] } });
    expect(text).toContain("not measured: clush is not installed");
    expect(text).not.toContain("clush / warm");
  });
});

it("takes the middle one", () => {
  expect(median([3, 1, 2])).toBe(2);
});

it("knows a program that is not there", () => {
  expect(versionOf("no-such-program-of-ours", ["--version"])).toBeUndefined();
});
