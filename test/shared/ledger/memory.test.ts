import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { ledgerContract } from "#test/contract/ledger.ts";

ledgerContract("the ledger in memory", async (now) => ({
  ledger: createMemoryLedger({ now }),
  dispose: async () => {},
}));
