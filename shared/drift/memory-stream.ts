import * as z from "zod";
import { FaultError } from "../fault.ts";
import type { Json } from "../json.ts";
import type { Ledger, LedgerEvent } from "../ledger/ledger.ts";

/** How often others may write first. */
export const tries = 5;

/** Throws FaultError for an event that nobody wrote so. */
export function parse<T>(shape: z.ZodType<T>, { stream, version, data }: LedgerEvent): T {
  const read = shape.safeParse(data);
  if (read.success) return read.data;
  throw new FaultError({
    kind: "unreadable",
    what: `event ${version} of ${stream}`,
    detail: z.prettifyError(read.error).split("\n")[0] ?? "not as written",
  });
}

/** Adds what others may add at the same time; the order between them does not matter. */
export async function add(ledger: Ledger, stream: string, type: string, data: Json): Promise<void> {
  let version = 0;
  for (let attempt = 0; attempt < tries; attempt++) {
    const appended = await ledger.append(stream, version, { type, data });
    if (appended.ok) return;
    version = appended.version;
  }
  throw new FaultError({
    kind: "timed-out",
    what: stream,
    detail: `others kept writing through ${tries} tries`,
  });
}
