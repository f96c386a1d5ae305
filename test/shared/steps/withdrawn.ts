import { bgpSite } from "./bgp-sites.ts";
import { type Drive, drive, type Given } from "./drive.ts";

/** A run after BGP was withdrawn, its peers and what they use still there. */
export async function withdrawn(given: Partial<Given> = {}): Promise<Drive> {
  const at = drive({ spec: bgpSite("0.16.1"), ...given });
  for (const id of ["survey", "snapshot", "create-l2advertisement", "withdraw-bgp"]) {
    const { outcome, text } = await at.forward(id);
    if (outcome !== "passed") throw new Error(`${id}: ${outcome}: ${text}`);
  }
  return at;
}
