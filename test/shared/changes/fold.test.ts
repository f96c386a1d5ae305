import fc from "fast-check";
import { expect, it } from "vitest";
import type { Change } from "#shared/changes/change.ts";
import { fold } from "#shared/changes/fold.ts";

const change = (name: string, at: number, more: Partial<Change> = {}): Change => ({
  at,
  subject: { kind: "Node", name },
  what: ["created"],
  source: "creationTimestamp",
  ...more,
});

it("makes one line of one cause that hit many, newest first", () => {
  const many = ["a", "b", "c", "d"].map((name, i) => change(name, 1_000 * i));
  expect(fold([...many, change("z", 60_000)])).toEqual([
    expect.objectContaining({ names: ["z"], times: 1 }),
    expect.objectContaining({ names: ["d", "c", "b", "a"], times: 4, first: 0 }),
  ]);
});

it("leaves three alike as they are, and apart what lies apart", () => {
  expect(fold(["a", "b", "c"].map((name) => change(name, 0)))).toHaveLength(3);
  expect(fold(["a", "b", "c", "d"].map((name, i) => change(name, 60_000 * i)))).toHaveLength(4);
});

it("counts repeats on one subject, whether in one event or several", () => {
  expect(fold([change("a", 0, { times: 3 }), change("a", 90_000)])).toEqual([
    expect.objectContaining({ names: ["a"], times: 4, first: 0, change: change("a", 90_000) }),
  ]);
});

it("never mixes what reads differently", () => {
  const changes = [
    change("a", 0),
    change("a", 0, { by: "helm" }),
    change("a", 0, { what: ["changed"] }),
    change("a", 0, { source: "event" }),
    change("a", 0, { atLatest: true }),
  ];
  expect(fold(changes)).toHaveLength(changes.length);
});

it("loses no subject and no report", () => {
  const any = fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e"),
    at: fc.nat(100_000),
    times: fc.nat(4),
  });
  fc.assert(
    fc.property(fc.array(any), (items) => {
      const lines = fold(items.map(({ name, at, times }) => change(name, at, { times: times + 1 })));
      expect(lines.reduce((sum, { times }) => sum + times, 0)).toBe(
        items.reduce((sum, { times }) => sum + times + 1, 0),
      );
      expect(new Set(lines.flatMap(({ names }) => names))).toEqual(new Set(items.map(({ name }) => name)));
      const times = lines.map((line) => line.change.at);
      expect(times).toEqual(times.toSorted((a, b) => b - a));
    }),
  );
});
