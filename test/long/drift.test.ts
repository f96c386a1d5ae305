import { describe, it } from "vitest";
import { holdsForAny, limitsHold } from "../shared/drift/drift-properties.ts";

describe("a hundred thousand zones", () => {
  it("a plan settles what is ours, leaves the rest alone, and can be undone exactly", () => {
    holdsForAny(100_000);
  });

  it("the limits on deletes hold for any size", () => {
    limitsHold(20_000);
  });
});
