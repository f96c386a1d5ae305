import fc from "fast-check";
import { expect, it } from "vitest";
import { holds, missing } from "#shared/kubernetes/holds.ts";
import { mergePatch } from "#shared/kubernetes/merge-patch.ts";

it.each([
  ["a value", { a: 1 }, { a: 1 }, true],
  ["another value", { a: 1 }, { a: 2 }, false],
  ["defaults that were filled in", { a: 1, b: 2 }, { a: 1 }, true],
  ["null for what is absent", { b: 2 }, { a: null }, true],
  ["null for what is there", { a: 1 }, { a: null }, false],
  ["null inside what is absent", {}, { metadata: { labels: { x: null } } }, true],
  ["an empty list for none", {}, { a: [] }, true],
  ["an empty list for one that is not", { a: [1] }, { a: [] }, false],
  ["false for none", {}, { a: false }, false],
  ["a longer list", { a: [1, 2] }, { a: [1] }, false],
  ["list items with defaults", { a: [{ port: 80, protocol: "TCP" }] }, { a: [{ port: 80 }] }, true],
  ["an object for a value", { a: "x" }, { a: { b: 1 } }, false],
  ["a value for an object", { a: { b: 1 } }, { a: "x" }, false],
  ["nothing wanted", { a: 1 }, undefined, true],
])("%s", (_, there, wanted, expected) => {
  expect(holds(there, wanted)).toBe(expected);
  expect(missing(there, wanted).length === 0).toBe(expected);
});

it("names what is missing", () => {
  const there = { spec: { interfaces: ["wlan0"], ipAddressPools: ["a"] } };
  expect(
    missing(there, { spec: { interfaces: ["eth0"], ipAddressPools: ["a"], nodeSelectors: [{}] } }),
  ).toEqual(["spec.interfaces", "spec.nodeSelectors"]);
});

it("takes nothing inherited for a member", () => {
  expect(holds({}, { valueOf: null })).toBe(true);
  expect(holds({}, { toString: "x" })).toBe(false);
});

it("whatever a merge patch is applied to, it holds there", () => {
  const plain = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), plain), fc.dictionary(fc.string(), plain), (object, patch) => {
      expect(holds(mergePatch(object, patch), patch)).toBe(true);
    }),
  );
});
