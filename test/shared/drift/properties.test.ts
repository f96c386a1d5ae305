import { describe, expect, it } from "vitest";
import { holdsForAny, limitsHold, properties } from "./drift-properties.ts";

describe("thousands of zones", () => {
  it.each(Object.entries(properties))("%s", (_, property) => {
    holdsForAny(property, 1_000);
  });

  it("the limits on deletes hold for any size", () => {
    limitsHold(1_000);
  });

  it("every property is asked", () => {
    expect(Object.keys(properties)).toHaveLength(4);
  });
});
