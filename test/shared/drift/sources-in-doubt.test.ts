import { describe, expect, it } from "vitest";
import { driftReply } from "#shared/drift/report.ts";
import { plain } from "#shared/text.ts";
import { owns, record, wants } from "../dns/zones.ts";
import { drifts, type Site, scan } from "./scans.ts";

const have = [record("old", "A", "10.0.0.1"), owns("a-old", "me")];
const empty = { hash: "snap", takenAt: Date.UTC(2026, 10, 23, 11, 59), faults: [], endpoints: 0 };
const reply = (site: Site) => {
  const report = scan(site);
  return driftReply({
    report,
    shown: report.drifts,
    resolved: [],
    plan: undefined,
    snooze: undefined,
    buttons: {},
  });
};

describe("deletes while sources are in doubt", () => {
  it("by ExternalDNS are an error, in the verdict", () => {
    const site = { have, scan: { snapshot: empty } };
    expect(drifts(site, "record-orphaned")).toMatchObject([{ severity: "error", repair: "external-dns" }]);
    const { verdict, next } = reply(site);
    expect(plain(verdict.text)).toContain("ExternalDNS deletes 1 record of example.com");
    expect((next ?? []).map(plain).join(" ")).toContain("We delete nothing meanwhile");
  });

  it("by us are promised to nobody, nor counted", () => {
    const site: Site = { have, with: { policy: "upsert-only" }, scan: { snapshot: empty } };
    expect(drifts(site, "record-orphaned")).toMatchObject([{ repair: "nobody" }]);
    expect(plain(reply(site).verdict.text)).not.toContain("ours to fix");
  });

  it("nor is what would be written: no plan would hold it", () => {
    const site: Site = {
      have: [record("old", "A", "10.0.0.1")],
      want: [wants("old", "10.0.0.1")],
      scan: { snapshot: { ...empty, endpoints: 1, lastAccepted: 9 } },
    };
    expect(drifts(site, "record-unowned")).toMatchObject([{ repair: "nobody" }]);
    expect(plain(drifts(site, "record-unowned")[0]?.outlook ?? [])).toContain("nobody will meanwhile");
    const sound = { ...site, scan: { snapshot: { ...empty, endpoints: 1 } } };
    expect(drifts(sound, "record-unowned")).toMatchObject([{ repair: "we" }]);
  });

  it("are not offered for what an object names in a way that is left out", () => {
    const site: Site = {
      have,
      with: { policy: "upsert-only" },
      view: { dropped: [{ endpoint: wants("old", "10.0.0.1"), why: "ignored prefix" }] },
    };
    expect(drifts(site, "record-orphaned")).toEqual([]);
  });
});
