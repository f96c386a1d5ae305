import { expect, it } from "vitest";
import type { RecordSet } from "#shared/dns/record-set.ts";
import type { ReadZones } from "#shared/dns/zones.ts";
import { zonesOnce } from "#shared/dns/zones-once.ts";

it("lists a zone once a run, tries anew what failed, and looks up afresh", async () => {
  const calls: string[] = [];
  let failing = true;
  const read = {
    recordSets: async (id: string): Promise<readonly RecordSet[]> => {
      calls.push(`list ${id}`);
      if (failing) throw new Error("page 2");
      return [];
    },
    lookUp: async (id: string) => {
      calls.push(`look ${id}`);
      return [];
    },
  } as unknown as ReadZones;
  const once = zonesOnce(read);
  await expect(once.recordSets("Z1")).rejects.toThrow("page 2");
  failing = false;
  await Promise.all([once.recordSets("Z1"), once.recordSets("Z1")]);
  await once.recordSets("Z1");
  await once.recordSets("Z2");
  await once.lookUp("Z1", []);
  await once.lookUp("Z1", []);
  expect(calls).toEqual(["list Z1", "list Z1", "list Z2", "look Z1", "look Z1"]);
});
