import type { RecordSet } from "./record-set.ts";
import type { ReadZones } from "./zones.ts";

/**
 * The same reader for the length of one run: a zone is listed once, whoever asks and whenever. For looking, never for
 * acting: what is acted on is read again by `lookUp`, which is not kept. A listing that failed is tried anew.
 */
export function zonesOnce(read: ReadZones): ReadZones {
  const listed = new Map<string, Promise<readonly RecordSet[]>>();
  return {
    ...read,
    recordSets: (id, signal) => {
      const known = listed.get(id);
      if (known) return known;
      const asked = read.recordSets(id, signal);
      listed.set(id, asked);
      asked.catch(() => listed.delete(id));
      return asked;
    },
  };
}
