import { describe, it } from "vitest";
import { holdsForAny, limitsHold } from "../shared/drift/drift-properties.ts";

/** Parts, so that whoever waits sees how far it is. */
const parts = Array.from({ length: 20 }, (_, i) => i + 1);
const longest = 600_000;

describe("a hundred thousand zones", () => {
  it.each(parts)(
    "a plan settles what is ours, leaves the rest alone, and can be undone exactly (%i of 20)",
    () => {
      holdsForAny(5_000);
    },
    longest,
  );

  it(
    "the limits on deletes hold for any size",
    () => {
      limitsHold(20_000);
    },
    longest,
  );
});
