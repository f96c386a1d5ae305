import { expect, it } from "vitest";
import { nameList } from "#shared/name-list.ts";

it.each([
  [[], ""],
  [["a"], "a"],
  [["a", "b"], "a and b"],
  [["a", "b", "c", "d", "e"], "a, b, c, d and e"],
  [["a", "b", "c", "d", "e", "f"], "a, b, c, d, e and 1 more"],
])("%j", (names, said) => {
  expect(nameList(names)).toBe(said);
});
