import { describe, expect, it, vi } from "vitest";
import { type Check, defineCheck, found, judged, passed } from "#shared/checks/check.ts";
import { judgeAll, needsOf } from "#shared/checks/run.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { gathered, nic, timedOut, told, visited } from "./gathered.ts";

const words = { title: "t", codes: ["c"] as const, page: { why: "w", looks: "l", fix: "f" } };
const denied = { kind: "denied", what: "list of pods", detail: "forbidden" } as const;
const strange = { kind: "not-configured", what: "list of l2advertisements", detail: "no such kind" } as const;

const nodeCheck = (judge: () => ReturnType<typeof judged> = () => passed): Check =>
  defineCheck({ id: "of-nodes", about: "node", ...words, needs: ["ip-addr"], reads: ["pods"], judge });

const crossCheck = (judge: () => ReturnType<typeof judged> = () => passed): Check =>
  defineCheck({ id: "across", about: "cluster", ...words, needs: ["ip-addr"], reads: [], judge });

const finding = found({ code: "c", severity: "error", node: "a", facts: {}, text: ["x"] });
const well = visited("a", { "ip-addr": [nic("eth0")] });
const ill = visited("b", { "ip-addr": { fault: timedOut } });
const unreached = { node: "c", unreached: { ...timedOut, what: "ssh to c" }, probes: {} };

describe("what a judge never sees", () => {
  it.each([
    ["a probe that failed", { nodes: [ill], lists: { pods: [] } }, "unknown timed-out"],
    ["a node that was not reached", { nodes: [unreached], lists: { pods: [] } }, "unknown timed-out"],
    [
      "a probe that nobody asked",
      { nodes: [visited("d", {})], lists: { pods: [] } },
      "unknown not-configured",
    ],
    ["a kind that was denied", { nodes: [well], lists: { pods: denied } }, "unknown denied"],
    ["a kind that nobody listed", { nodes: [well], lists: {} }, "unknown not-configured"],
    [
      "a kind that the server does not know",
      { nodes: [well], lists: { pods: strange } },
      "skipped: the cluster does not know pods",
    ],
    [
      "an object that cannot be read",
      { nodes: [well], lists: { pods: [{ metadata: { name: 7 } } as unknown as KubeObject] } },
      "unknown unreadable",
    ],
  ] as const)("%s", (_, evidence, said) => {
    const judge = vi.fn(() => passed);
    expect(told(judgeAll([nodeCheck(judge)], gathered(evidence)))).toEqual([said]);
    expect(judge).not.toHaveBeenCalled();
  });
});

describe("a check across nodes", () => {
  it("cannot pass while a node is missing", () => {
    const results = judgeAll([crossCheck()], gathered({ nodes: [well, ill, unreached] }));
    expect(results).toMatchObject([
      {
        outcome: "unknown",
        subject: { kind: "cluster" },
        fault: { what: "ip-addr of 2 of 3 nodes", detail: expect.stringContaining("; and c") },
      },
    ]);
  });

  it("fails all the same, and passes with all of them", () => {
    expect(told(judgeAll([crossCheck(() => judged([finding]))], gathered({ nodes: [well, ill] })))).toEqual([
      "c a",
    ]);
    expect(told(judgeAll([crossCheck()], gathered({ nodes: [well] })))).toEqual([]);
  });
});

it("hands a judge the objects of the kinds it reads and no others", () => {
  const seen: unknown[] = [];
  const check = defineCheck({
    id: "reads",
    about: "cluster",
    ...words,
    needs: [],
    reads: ["nodes"],
    judge: (_, { objects, raw }) => {
      seen.push(objects.nodes.length, objects.pods.length, Object.keys(raw));
      return passed;
    },
  });
  const lists = { nodes: [{ metadata: { name: "a" } }], pods: [{ metadata: { name: "p" } }] };
  judgeAll([check], gathered({ lists }));
  expect(seen).toEqual([1, 0, ["nodes"]]);
});

it("asks for each probe and kind once, whoever needs it", () => {
  expect(needsOf([nodeCheck(), nodeCheck(), crossCheck()])).toEqual({ probes: ["ip-addr"], kinds: ["pods"] });
});
