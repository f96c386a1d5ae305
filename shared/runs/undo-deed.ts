import { type Deed, madeByDeed } from "../steps/deed.ts";
import type { Act } from "./run-state.ts";

/**
 * A deed of the way back, with the uid that its forward deed brought about. Where none is known (its effect was found
 * by looking) the stand-in stays: whoever does the deed goes by the mark on the object.
 */
export function undoDeed(act: Act, deed: Deed): Deed {
  if (deed.kind !== "kube" || deed.write.verb === "create") return deed;
  const maker = madeByDeed(deed.write.is.uid);
  const facts = maker === undefined ? undefined : act.deeds[maker]?.facts;
  const uid = typeof facts === "object" && facts !== null && "uid" in facts ? facts.uid : undefined;
  return typeof uid === "string" ? { ...deed, write: { ...deed.write, is: { uid } } } : deed;
}
