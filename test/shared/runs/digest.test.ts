import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, changesBetween, planDigest } from "#shared/runs/digest.ts";
import type { KeptPlan } from "#shared/runs/run-events.ts";

const base: KeptPlan = {
  deeds: [
    {
      id: "d",
      title: "patch",
      kind: "kube",
      write: {
        verb: "patch",
        ref: { kind: "configmaps", name: "a" },
        patch: { data: { a: "1" } },
        is: { uid: "u1", resourceVersion: "7" },
      },
    },
  ],
  diffs: [
    {
      object: "ConfigMap a",
      uid: "u1",
      before: {
        metadata: { name: "a", resourceVersion: "7", generation: 1 },
        data: { a: "0" },
        status: { ok: true },
      },
      after: { metadata: { name: "a" }, data: { a: "1" } },
    },
  ],
  prediction: [["one"]],
  predicted: { leaders: { a: "x" } },
  undo: [],
  instructions: [],
};
const [diff] = base.diffs;
const [deed] = base.deeds;
if (diff === undefined || deed?.kind !== "kube") throw new Error("no base");
const { write } = deed;
if (write.verb !== "patch") throw new Error("no patch");

describe("the digest", () => {
  const digest = planDigest("s", base);

  it("is of 64 hexadecimal characters", () => {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  const sameRows: readonly (readonly [string, KeptPlan])[] = [
    [
      "the version of the object",
      { ...base, deeds: [{ ...deed, write: { ...write, is: { uid: "u1", resourceVersion: "9" } } }] },
    ],
    [
      "its status, managed fields and generation",
      {
        ...base,
        diffs: [
          {
            ...diff,
            before: {
              metadata: { name: "a", managedFields: [{}], generation: 4 },
              data: { a: "0" },
              status: { ok: false },
            },
          },
        ],
      },
    ],
    ["the words of the prediction", { ...base, prediction: [["two"]] }],
  ];
  it.each(sameRows)("does not go by %s", (_, plan) => {
    expect(planDigest("s", plan)).toBe(digest);
  });

  const otherRows: readonly (readonly [string, string, KeptPlan, RegExp])[] = [
    ["the target's uid", "s", { ...base, diffs: [{ ...diff, uid: "u2" }] }, /was replaced/],
    [
      "what was there before",
      "s",
      { ...base, diffs: [{ ...diff, before: { data: { a: "9" } } }] },
      /no longer as it was/,
    ],
    [
      "what is written",
      "s",
      { ...base, diffs: [{ ...diff, after: { data: { a: "2" } } }] },
      /become something else/,
    ],
    [
      "one more object",
      "s",
      { ...base, diffs: [diff, { ...diff, object: "ConfigMap b" }] },
      /ConfigMap b would be changed too/,
    ],
    ["one object fewer", "s", { ...base, diffs: [] }, /would no longer be changed/],
    ["what is predicted", "s", { ...base, predicted: { leaders: { a: "y" } } }, /prediction/],
    ["another list of deeds", "s", { ...base, deeds: [] }, /another list/],
    [
      "the patch itself",
      "s",
      { ...base, deeds: [{ ...deed, write: { ...write, patch: { data: { a: "3" } } } }] },
      /written is something else/,
    ],
  ];
  it.each(otherRows)("goes by %s, and the difference has a sentence", (_, step, plan, words) => {
    expect(planDigest(step, plan)).not.toBe(digest);
    expect(changesBetween(base, plan).join("; ")).toMatch(words);
  });

  it("goes by the step", () => {
    expect(planDigest("t", base)).not.toBe(digest);
  });
});

describe("canonical JSON", () => {
  it("does not go by the order of keys", () => {
    expect(canonicalJson({ b: 1, a: [{ d: undefined, c: null }] })).toBe('{"a":[{"c":null}],"b":1}');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
