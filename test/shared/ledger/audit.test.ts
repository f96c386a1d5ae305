import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import type { AuditEntry } from "#shared/ledger/audit.ts";
import { audit, readAudit, redact } from "#shared/ledger/audit.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";

const at = Date.UTC(2026, 10, 23, 23, 59, 59, 999);
const entry: AuditEntry = {
  at,
  name: "operator",
  account: "U0OPER",
  door: "slack",
  channel: "C0PLATFORM",
  words: "migrate next --reason 'canary is fine'",
  cluster: "goldentooth",
  outcome: "ok",
  durationMs: 412,
};

describe("audit", () => {
  it("keeps one stream a UTC day, in the order of writing", async () => {
    const ledger = createMemoryLedger({ now: () => at });
    await audit(ledger, entry);
    await audit(ledger, { ...entry, at: at + 1, words: "arping all" });
    await audit(ledger, { ...entry, words: "nodes check", outcome: "denied" });
    expect(await ledger.list("audit")).toEqual(["audit/2026-11-23", "audit/2026-11-24"]);
    expect((await readAudit(ledger, "2026-11-23")).map((e) => e.words)).toEqual([entry.words, "nodes check"]);
    expect(await readAudit(ledger, "2026-11-24")).toEqual([{ ...entry, at: at + 1, words: "arping all" }]);
    expect(await readAudit(ledger, "2026-11-25")).toEqual([]);
  });

  it("keeps somebody the config does not know, by account", async () => {
    const ledger = createMemoryLedger({ now: () => at });
    const { name: _, channel: __, cluster: ___, ...stranger } = entry;
    await audit(ledger, { ...stranger, door: "cli", account: "root", outcome: "denied" });
    expect(await readAudit(ledger, "2026-11-23")).toEqual([
      { ...stranger, door: "cli", account: "root", outcome: "denied" },
    ]);
  });

  it("loses none of two hundred entries written at once", async () => {
    const ledger = createMemoryLedger({ now: () => at });
    await Promise.all(Array.from({ length: 200 }, (_, i) => audit(ledger, { ...entry, account: `U${i}` })));
    expect((await readAudit(ledger, "2026-11-23")).map((e) => e.account)).toEqual(
      Array.from({ length: 200 }, (_, i) => `U${i}`),
    );
  });

  it("goes on after versions that other processes took", async () => {
    const ledger = createMemoryLedger({ now: () => at });
    await audit(ledger, entry);
    for (let version = 1; version < 4; version++)
      await ledger.append("audit/2026-11-23", version, {
        type: "asked",
        data: { ...entry, account: "other" },
      });
    await audit(ledger, { ...entry, account: "again" });
    expect((await readAudit(ledger, "2026-11-23")).map((e) => e.account)).toEqual([
      "U0OPER",
      "other",
      "other",
      "other",
      "again",
    ]);
  });

  it("gives up with a fault when others always win, and the next entry is tried anew", async () => {
    const memory = createMemoryLedger({ now: () => at });
    let isStuck = true;
    const ledger = {
      ...memory,
      append: async (...args: Parameters<typeof memory.append>) =>
        isStuck ? ({ ok: false, version: 0 } as const) : memory.append(...args),
    };
    await expect(audit(ledger, entry)).rejects.toThrow(FaultError);
    isStuck = false;
    await audit(ledger, entry);
    expect(await readAudit(ledger, "2026-11-23")).toHaveLength(1);
  });

  it("never writes a secret down", async () => {
    const ledger = createMemoryLedger({ now: () => at });
    await audit(ledger, { ...entry, words: "doctor --token=xoxb-12-abcDEF" });
    expect(JSON.stringify(await ledger.read("audit/2026-11-23"))).not.toContain("abcDEF");
  });

  it("reports an entry it cannot read", async () => {
    const ledger = createMemoryLedger({ now: () => at });
    await ledger.append("audit/2026-11-23", 0, { type: "asked", data: { words: 7 } });
    await expect(readAudit(ledger, "2026-11-23")).rejects.toThrow("audit/2026-11-23 version 1");
  });
});

describe("redact", () => {
  it.each([
    ["doctor --token=abc", "doctor --token=[secret]"],
    ["doctor --bgp-password hunter2 --count 3", "doctor --bgp-password [secret] --count 3"],
    ['x --secret "two words" y', "x --secret [secret] y"],
    ["password: hunter2", "password: [secret]"],
    ["API_KEY=abc123 next", "API_KEY=[secret] next"],
    ["use xoxb-1234-5678-AbC please", "use [secret] please"],
    ["use xapp-1-A-2 please", "use [secret] please"],
    ["AKIAABCDEFGHIJKLMNOP", "[secret]"],
    ["Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer [secret]"],
    ["https://user:pw@host/x", "https://user:[secret]@host/x"],
    ["-----BEGIN OPENSSH PRIVATE KEY----- b3Blbn", "[secret]"],
    ["a eyJhbGciOi.eyJzdWIi.c2ln b", "a [secret] b"],
  ])("%s", (words, expected) => {
    expect(redact(words)).toBe(expected);
  });

  it.each([
    "arping httpbin --from ops-host --count 3",
    "nodes check karstark",
    "arping secret-store --from ops-host",
    "arping cert-secret --from ops-host",
    "dns explain httpbin.services.k8s.goldentooth.net",
    "migrate skip 5 --reason 'done by hand at 14:02'",
  ])("leaves alone: %s", (words) => {
    expect(redact(words)).toBe(words);
  });
});
