import { describe, it } from "vitest";
import { holdsForAny, limitsHold } from "./drift-properties.ts";

describe("thousands of zones", () => {
  it("a plan settles what is ours, leaves the rest alone, and can be undone exactly", () => {
    holdsForAny(1_200);
  });

  it("the limits on deletes hold for any size", () => {
    limitsHold(800);
  });
});
