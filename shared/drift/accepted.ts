import * as z from "zod";
import type { Json } from "../json.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { add, parse } from "./memory-stream.ts";

const acceptedStream = (cluster: string): string => `accepted/${cluster}`;
const time = z.number().int();

const accepted = z.object({
  hash: z.string(),
  takenAt: time,
  endpoints: z.number().int(),
  by: z.string().optional(),
  reason: z.string().optional(),
});

/** A snapshot whose wishes are taken for whole; one that wants far fewer is in doubt until a person accepts it. */
export type Accepted = z.output<typeof accepted>;

export async function lastAccepted(ledger: Ledger, cluster: string): Promise<Accepted | undefined> {
  const last = (await ledger.read(acceptedStream(cluster))).at(-1);
  return last && parse(accepted, last);
}

/** A scan accepts what is not in doubt; with `by` a person accepts what is. */
export const acceptSnapshot = (ledger: Ledger, cluster: string, snapshot: Accepted): Promise<void> =>
  add(ledger, acceptedStream(cluster), "accepted", JSON.parse(JSON.stringify(snapshot)) as Json);
