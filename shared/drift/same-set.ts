import { listedRecordSet, type RecordSet } from "../dns/record-set.ts";

/** Equal to the byte, as Route 53 lists them. */
export const sameSet = (a: RecordSet, b: RecordSet): boolean =>
  JSON.stringify(listedRecordSet(a)) === JSON.stringify(listedRecordSet(b));
