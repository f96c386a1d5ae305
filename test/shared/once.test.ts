import { expect, it } from "vitest";
import { once } from "#shared/once.ts";

it("makes a value when it is first asked for, once, whatever it is", () => {
  let made = 0;
  const value = once(() => {
    made += 1;
    return undefined;
  });
  expect(made).toBe(0);
  expect([value(), value()]).toEqual([undefined, undefined]);
  expect(made).toBe(1);
});
