import * as z from "zod";
import type { Json } from "../json.ts";

/** `a,b` as people type it, or the list that was made of it before. */
const list = z
  .union([z.string(), z.array(z.string())])
  .default("")
  .transform((value) =>
    (typeof value === "string" ? value.split(",") : value).flatMap((each) =>
      each.trim() === "" ? [] : [each.trim()],
    ),
  );

/** What `/migrate ... bgp-to-l2` takes beside the config. */
export const bgpToL2Inputs = z.object({
  advertisement: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "must be a name of a Kubernetes object, for example primary")
    .optional()
    .describe("Name of the L2Advertisement; default: that of the BGPAdvertisement"),
  manifest: z
    .string()
    .min(1)
    .optional()
    .describe("REPOSITORY:PATH of the L2Advertisement to create instead of ours"),
  interfaces: list.describe("Interfaces to announce on, by name; default: the nodes' LAN interfaces"),
  canary: z
    .string()
    .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, "must be namespace/service")
    .optional()
    .describe("The Service whose address loses BGP first"),
  accept: list.describe("Codes of warnings that are accepted as they are"),
});

export type BgpToL2Inputs = z.output<typeof bgpToL2Inputs>;

/** Inputs as a step reads them. Other runbooks' inputs beside them are passed over. */
export const inputsOf = (inputs: Readonly<Record<string, Json>>): BgpToL2Inputs =>
  bgpToL2Inputs.parse(inputs);
