import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "#shared/dns/endpoint.ts";
import {
  decodeSnapshot,
  encodeSnapshot,
  makeSnapshot,
  type SnapshotContent,
  snapshotFlags,
} from "#shared/dns/snapshot.ts";

const endpoint = (name: string, more: Partial<Endpoint> = {}): Endpoint => ({
  name,
  type: "A",
  targets: ["10.4.11.1"],
  ttl: 0,
  setIdentifier: "",
  labels: { owner: "default", resource: "service/apps/httpbin" },
  providerSpecific: undefined,
  ...more,
});

const content = (endpoints: readonly Endpoint[]): SnapshotContent => ({
  cluster: "goldentooth",
  controllers: [
    {
      name: "external-dns/external-dns",
      image: "registry.k8s.io/external-dns/external-dns:v0.14.2",
      flags: { policy: ["sync"], "txt-owner-id": ["default"] },
      hidden: [],
      endpoints,
      dropped: [{ endpoint: endpoint("bad name"), why: "no domain name" }],
      unknown: [],
    },
  ],
  faults: [{ source: "ingresses", kind: "denied", detail: "may not list" }],
  counts: { services: 12 },
  services: { "apps/httpbin": ["10.4.11.1"] },
});

const two = [
  endpoint("a.goldentooth.net"),
  endpoint("b.goldentooth.net", { providerSpecific: [{ name: "alias", value: "true" }] }),
];

it.each([
  "pdns-api-key",
  "godaddy-api-key",
  "godaddy-api-secret",
  "tls-client-cert-key",
  "rfc2136-tsig-secret",
  "akamai-access-token",
  "inmemory-passwd",
  "x-credential-file",
])("keeps the value of --%s out", (flag) => {
  expect(snapshotFlags(new Map([[flag, ["hunter2"]]]))).toEqual({ [flag]: ["[secret]"] });
});

describe("a snapshot", () => {
  it("has one hash whatever the order and the time, and another for another wish", () => {
    const { hash } = makeSnapshot(content(two), 1);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(makeSnapshot(content([...two].reverse()), 2).hash).toBe(hash);
    expect(makeSnapshot(content(two.slice(1)), 1).hash).not.toBe(hash);
    expect(makeSnapshot({ ...content(two), faults: [] }, 1).hash).not.toBe(hash);
    expect(makeSnapshot({ ...content(two), cluster: "bramble" }, 1).hash).not.toBe(hash);
  });

  it("comes back as it was", async () => {
    const snapshot = makeSnapshot(content(two), 1_700_000_000_000);
    expect(await decodeSnapshot(await encodeSnapshot(snapshot))).toEqual({ ok: true, snapshot });
  });

  it("comes back as it was, whatever its endpoints", async () => {
    const text = fc.string({ unit: "grapheme", maxLength: 12 });
    const any = fc.record({
      name: text,
      type: fc.constantFrom("A", "TXT", "CNAME"),
      targets: fc.array(text, { maxLength: 3 }),
      ttl: fc.nat(),
      setIdentifier: text,
      labels: fc.dictionary(
        text.filter((key) => key !== "__proto__"),
        text,
        { maxKeys: 3 },
      ),
      providerSpecific: fc.option(fc.array(fc.record({ name: text, value: text }), { maxLength: 2 }), {
        nil: undefined,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(any, { maxLength: 5 }), async (endpoints) => {
        const snapshot = makeSnapshot(content(endpoints), 5);
        const read = await decodeSnapshot(await encodeSnapshot(snapshot));
        expect(read).toEqual({ ok: true, snapshot: JSON.parse(JSON.stringify(snapshot)) });
        expect(makeSnapshot(content([...endpoints].reverse()), 6).hash).toBe(snapshot.hash);
      }),
      { numRuns: 50 },
    );
  });

  it("is unreadable when it was changed, cut off or is something else", async () => {
    const snapshot = makeSnapshot(content(two), 1);
    const changed = await encodeSnapshot({ ...snapshot, counts: { services: 11 } });
    expect(await decodeSnapshot(changed)).toMatchObject({
      ok: false,
      problem: expect.stringContaining("is not that of its content"),
    });
    const bytes = await encodeSnapshot(snapshot);
    expect(await decodeSnapshot(bytes.subarray(0, -9))).toMatchObject({ ok: false });
    expect(await decodeSnapshot(Buffer.from("{}"))).toMatchObject({
      ok: false,
      problem: expect.stringContaining("no packed JSON"),
    });
    expect(await decodeSnapshot(gzipSync('{"format":2}'))).toMatchObject({
      ok: false,
      problem: expect.stringContaining("and 3 more"),
    });
  });

  it("keeps keys out", () => {
    const flags = new Map([
      ["txt-encrypt-aes-key", ["01234567890123456789012345678901"]],
      ["txt-owner-id", ["default"]],
    ]);
    expect(snapshotFlags(flags)).toEqual({
      "txt-encrypt-aes-key": ["[secret]"],
      "txt-owner-id": ["default"],
    });
  });
});
