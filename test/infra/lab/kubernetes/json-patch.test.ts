import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPatch } from "#infra/lab/kubernetes/json-patch.ts";

describe("jsonPatch", () => {
  // Cases of RFC 6902, appendix A.
  it.each<[string, unknown, unknown, unknown]>([
    [
      "adds a member",
      { foo: "bar" },
      [{ op: "add", path: "/baz", value: "qux" }],
      { foo: "bar", baz: "qux" },
    ],
    [
      "adds an element",
      { foo: ["a", "c"] },
      [{ op: "add", path: "/foo/1", value: "b" }],
      { foo: ["a", "b", "c"] },
    ],
    ["appends", { foo: ["a"] }, [{ op: "add", path: "/foo/-", value: ["b"] }], { foo: ["a", ["b"]] }],
    ["removes a member", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
    ["removes an element", { foo: [1, 2, 3] }, [{ op: "remove", path: "/foo/1" }], { foo: [1, 3] }],
    ["replaces", { a: 1 }, [{ op: "replace", path: "/a", value: null }], { a: null }],
    [
      "moves",
      { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } },
      [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
    ],
    [
      "moves an element",
      { foo: [1, 2, 3, 4] },
      [{ op: "move", from: "/foo/1", path: "/foo/3" }],
      { foo: [1, 3, 4, 2] },
    ],
    ["copies", { a: { b: 1 } }, [{ op: "copy", from: "/a", path: "/c" }], { a: { b: 1 }, c: { b: 1 } }],
    [
      "tests and goes on",
      { a: [1] },
      [
        { op: "test", path: "/a", value: [1] },
        { op: "remove", path: "/a" },
      ],
      {},
    ],
    [
      "unescapes",
      { "a/b": 1, "m~n": 2 },
      [
        { op: "remove", path: "/a~1b" },
        { op: "remove", path: "/m~0n" },
      ],
      {},
    ],
  ])("%s", (_, target, patch, result) => {
    expect(jsonPatch(target, patch)).toEqual(result);
  });

  it.each<[string, unknown, number]>([
    ["a failing test", [{ op: "test", path: "/a", value: 2 }], 422],
    ["a path that is not there", [{ op: "remove", path: "/b" }], 422],
    ["a replacement of nothing", [{ op: "replace", path: "/b", value: 1 }], 422],
    ["a parent that is not there", [{ op: "add", path: "/b/c", value: 1 }], 422],
    ["an index outside", [{ op: "add", path: "/list/3", value: 1 }], 422],
    ["an index with a leading zero", [{ op: "remove", path: "/list/00" }], 422],
    ["an unknown operation", [{ op: "spam", path: "/a" }], 400],
    ["a pointer without a slash", [{ op: "remove", path: "a" }], 400],
    ["no list", { op: "remove", path: "/a" }, 400],
  ])("refuses %s", (_, patch, code) => {
    const target = { a: 1, list: [1, 2] };
    let thrown: unknown;
    try {
      jsonPatch(target, patch);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ refusal: { code } });
    expect(target).toEqual({ a: 1, list: [1, 2] });
  });

  it("replaces the whole document, and leaves its input alone", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, value) => {
        const before = structuredClone(target);
        expect(jsonPatch(target, [{ op: "replace", path: "", value }])).toEqual(value);
        expect(target).toEqual(before);
      }),
    );
  });
});
