import { describe, expect, it } from "vitest";
import { mergePatch } from "#shared/kubernetes/merge-patch.ts";
import { asMergePatch } from "#shared/kubernetes/named-lists.ts";

const there = {
  metadata: { name: "a" },
  spec: {
    containers: [
      {
        name: "one",
        args: ["--x"],
        env: [{ name: "KEY", value: "secret" }],
        resources: { limits: { cpu: 1 } },
      },
      { name: "two", image: "b" },
    ],
  },
};
const patched = (containers: Parameters<typeof asMergePatch>[0]) =>
  (mergePatch(there, asMergePatch({ spec: { containers } }, there)) as typeof there).spec.containers;

describe("lists by name", () => {
  it.each([
    ["a list without names is replaced", [{ name: "one", args: ["--y"] }], { args: ["--y"] }],
    [
      "an item is added",
      [{ name: "one", env: [{ name: "B", value: "2" }] }],
      {
        env: [
          { name: "KEY", value: "secret" },
          { name: "B", value: "2" },
        ],
      },
    ],
    ["null takes a field away", [{ name: "one", resources: { limits: null } }], { resources: {} }],
  ])("%s, and the rest stays", (_, patch, expected) => {
    expect(patched(patch)).toEqual([{ ...there.spec.containers[0], ...expected }, there.spec.containers[1]]);
  });

  it("brings an item where there was none", () => {
    expect(patched([{ name: "three", image: "c" }])).toHaveLength(3);
    expect(asMergePatch({ a: [{ name: "x" }] }, undefined)).toEqual({ a: [{ name: "x" }] });
  });
});
