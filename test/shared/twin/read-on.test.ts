import { readOn } from "#shared/twin/read-on.ts";
import { readClusterContract } from "#test/contract/read-cluster.ts";

readClusterContract("in memory", async (store) => ({
  read: readOn(store, ["pods"]),
  close: async () => undefined,
}));
