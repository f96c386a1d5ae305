/**
 * The table that a ledger in DynamoDB needs: both keys are strings, no index, billed by request. What makes the table
 * and what uses it read its shape here.
 */
export const ledgerTable = { partitionKey: "pk", sortKey: "sk", timeToLive: "expires" } as const;

const dayMs = 86_400_000;

/**
 * How long events of a kind are of interest, milliseconds; kinds that are not here stay for good. A claim counts for an
 * hour; a message that nobody edited for half a year is not edited any more; scans come every quarter of an hour and write
 * down anew, at least once a day, what they still see.
 */
export const keptFor: Readonly<Record<string, number>> = {
  dedupe: 7 * dayMs,
  outbox: 180 * dayMs,
  heartbeat: 2 * dayMs,
  sightings: 7 * dayMs,
  digest: 30 * dayMs,
};
