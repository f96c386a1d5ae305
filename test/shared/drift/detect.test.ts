import { describe, expect, it } from "vitest";
import { makePlan } from "#shared/drift/change-plan.ts";
import { detectDrift } from "#shared/drift/detect.ts";
import { toldDrifts } from "#shared/drift/drift-report.ts";
import { fingerprint, resolvedSince } from "#shared/drift/fingerprint.ts";
import { newSnooze, quietBy } from "#shared/drift/snooze.ts";
import { isShrunken } from "#shared/drift/sources.ts";
import type { Fault } from "#shared/fault.ts";
import { plain } from "#shared/text.ts";
import { owns, record, wants } from "../dns/zones.ts";
import { generous, inputOf, noon, planOf, type Site, scan } from "./scans.ts";

const fault: Fault = { kind: "timed-out", what: "list of ingresses", detail: "no answer in 10 s" };
const owned = [record("web", "A", "10.0.0.1"), owns("a-web", "me")];
const orphan: Site = { have: owned, with: { policy: "upsert-only" } };
const snapshot = inputOf({}).snapshot;

describe("what could not be read", () => {
  it.each<[string, Partial<Site["scan"] & object>, string]>([
    ["the zone", { recordSets: fault }, "dns-zone-unreadable"],
    ["who reconciles", { controllers: fault }, "dns-controllers-unreadable"],
    ["nobody reconciles", { controllers: [] }, "dns-no-controller"],
  ])("%s: nothing is said to be absent", (_, more, code) => {
    const report = scan({
      want: [wants("web", "10.0.0.1")],
      scan: { ...more, previous: [{ key: "k", firstAt: 1, lastAt: 2 }] },
    });
    expect(report.drifts).toEqual([]);
    expect(report.complete).toBe(false);
    expect(report.findings.map((finding) => finding.code)).toContain(code);
    expect(report.sightings).toEqual([{ key: "k", firstAt: 1, lastAt: 2 }]);
  });

  it.each([
    ["too old", -600_001],
    ["of a wrong clock", 600_001],
  ])("by a snapshot that is %s nothing is said to differ", (_, away) => {
    const previous = [{ key: "k", firstAt: 1, lastAt: 2 }];
    const report = scan({
      ...orphan,
      want: [wants("web", "10.0.0.1")],
      scan: { snapshot: { ...snapshot, takenAt: noon + away }, previous },
    });
    expect(report).toMatchObject({ complete: false, drifts: [], notReconciling: [], sightings: previous });
  });

  it.each([
    ["a source", { faults: [fault] }, "dns-source-unreadable"],
    ["too old", { takenAt: noon - 600_001 }, "dns-snapshot-stale"],
    ["of a wrong clock", { takenAt: noon + 600_001 }, "dns-snapshot-from-the-future"],
    ["empty", { endpoints: 0 }, "dns-source-empty"],
    ["shrunken", { endpoints: 10, lastAccepted: 20 }, "dns-source-shrunken"],
  ])("%s: it is a finding and nothing is deleted", (_, more, code) => {
    const site: Site = { ...orphan, scan: { snapshot: { ...snapshot, ...more } } };
    expect(scan(site).findings.map((finding) => finding.code)).toContain(code);
    expect(planOf(site).batches).toEqual([]);
  });

  it("an unreadable source leaves open whether owned records are wanted, and counts them", () => {
    const report = scan({ ...orphan, scan: { snapshot: { ...snapshot, faults: [fault] } } });
    expect(report.drifts).toEqual([]);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ code: "dns-orphans-unknown", facts: { records: 1 } }),
    );
  });

  it.each([
    [20, 18, false],
    [20, 17, true],
    [100, 91, false],
    [100, 90, false],
    [100, 89, true],
    [3, 0, true],
    [2, 0, false],
  ])("from %i to %i endpoints is shrunken: %s", (before, now, shrunken) => {
    expect(isShrunken(now, before)).toBe(shrunken);
  });
});

describe("what ExternalDNS repairs by itself", () => {
  const site: Site = { want: [wants("web", "10.0.0.1")] };
  const first = scan(site);
  const again = (later: number) =>
    detectDrift({
      ...inputOf({ ...site, scan: { at: noon + later, snapshot: { ...snapshot, takenAt: noon + later } } }),
      previous: first.sightings,
    });

  it("is not told at once", () => {
    expect(first.drifts).toHaveLength(1);
    expect(toldDrifts(first)).toEqual([]);
  });

  it("is not told before three intervals are over", () => {
    expect(toldDrifts(again(179_000))).toEqual([]);
    expect(again(179_000).findings).toEqual([]);
  });

  it("is told after three as ExternalDNS not reconciling", () => {
    const late = again(180_000);
    expect(toldDrifts(late)).toHaveLength(1);
    expect(late.findings.map(({ code }) => code)).toEqual(["external-dns-not-reconciling"]);
    expect(plain(late.drifts[0]?.outlook ?? [])).toMatch(
      /^ExternalDNS will once it reconciles again: it has not since 2026-11-23T\d\d:\d\dZ$/,
    );
  });

  it("is not late by a snapshot that says for too short how long it is wanted", () => {
    const old = { ...snapshot, takenAt: noon + 179_000 };
    const report = detectDrift({
      ...inputOf({ ...site, scan: { at: noon + 600_000, snapshot: old } }),
      previous: first.sightings,
    });
    expect(report.drifts).toHaveLength(1);
    expect(toldDrifts(report)).toEqual([]);
    expect(report.findings).toEqual([]);
  });

  it("starts anew when it was gone in between", () => {
    const healed = scan({ ...site, have: owned });
    const report = detectDrift({
      ...inputOf({ ...site, scan: { at: noon + 900_000 } }),
      previous: healed.sightings,
    });
    expect(report.notReconciling).toEqual([]);
  });
});

describe("what may have been wanted since the snapshot", () => {
  // Named by an object that came after the snapshot, and made by ExternalDNS before the zone was listed.
  const made: Site = {
    have: [...owned, record("old", "A", "10.0.0.9"), owns("a-old", "me")],
    with: { policy: "upsert-only" },
  };
  const seen = (takenAt: number, more: Partial<Site> = {}, before: Site["scan"] = {}) =>
    inputOf({ ...made, ...more, scan: { ...before, snapshot: { ...snapshot, takenAt } } });
  const planned = (input: ReturnType<typeof seen>) =>
    makePlan({ input, report: detectDrift(input), limits: generous, at: noon });
  const old = detectDrift(seen(noon - 240_000));

  it("is not told at first sight, and not planned", () => {
    expect(old.drifts.map(({ repair }) => repair)).toContain("we");
    expect(old.awaiting.length).toBe(old.drifts.length);
    expect(toldDrifts(old)).toEqual([]);
    const plan = planned(seen(noon - 240_000));
    expect(plan.batches).toEqual([]);
    expect(plan.withheld.map(({ why }) => why).join()).toContain("older than the zone's listing");
  });

  it("is told and planned once a newer snapshot says so too", () => {
    const later = { at: noon + 60_000, previous: old.sightings };
    expect(toldDrifts(detectDrift(seen(noon + 1_000, {}, later)))).toHaveLength(old.drifts.length);
    expect(planned(seen(noon + 1_000, {}, later)).batches.length).toBeGreaterThan(0);
    const notYet = detectDrift(seen(noon - 200_000, {}, later));
    expect(toldDrifts(notYet)).toEqual([]);
  });

  it("was no difference when a newer snapshot wants it", () => {
    const all = [wants("web", "10.0.0.1"), wants("old", "10.0.0.9")];
    const report = detectDrift(
      seen(noon + 1_000, { want: all }, { at: noon + 60_000, previous: old.sightings }),
    );
    expect(report.drifts).toEqual([]);
  });

  it("is told at once where cluster and zone are looked at together", () => {
    expect(toldDrifts(detectDrift(seen(noon - 10_000))).length).toBeGreaterThan(0);
  });
});

describe("a record that goes", () => {
  it("takes its older ownership record along, and nobody is said to leave that behind", () => {
    const have = [record("old", "A", "10.0.0.1"), owns("old", "me")];
    const { drifts } = scan({ have, release: "0.21.0", with: { policy: "upsert-only" } });
    expect(drifts.map(({ kind, repair }) => `${kind} ${repair}`)).toEqual(["record-orphaned we"]);
    expect(drifts[0]?.offer?.changes.map(({ set }) => set.type)).toEqual(["A", "TXT"]);
  });
});

describe("more deletes than one plan may hold", () => {
  const names = Array.from({ length: 10 }, (_, i) => `n${i}`);
  const have = names.flatMap((name) => [record(name, "A", "10.0.0.1"), owns(`a-${name}`, "me")]);
  const limits = { absolute: 50, share: 0.3 };
  const site = (orphans: number): Site => ({
    have,
    want: names.slice(orphans).map((name) => wants(name, "10.0.0.1")),
    with: { policy: "upsert-only" },
    scan: { limits },
  });

  it("are promised to nobody, as no plan holds any of them", () => {
    const many = scan(site(4));
    expect(many.drifts.map(({ repair }) => repair)).toEqual(["nobody", "nobody", "nobody", "nobody"]);
    expect(plain(many.drifts[0]?.outlook ?? [])).toBe(
      "nobody will: 4 deletes of 10 owned records, and 3 are allowed in one plan; a person has to decide",
    );
    expect(planOf(site(4), limits).batches).toEqual([]);
  });

  it("are ours as long as they fit, and then a plan holds all of them", () => {
    const few = scan(site(3));
    expect(few.drifts.map(({ repair }) => repair)).toEqual(["we", "we", "we"]);
    expect(planOf(site(3), limits).items).toHaveLength(3);
  });
});

describe("the fingerprint", () => {
  const two: Site = { have: [owns("a-x", "me"), owns("a-y", "me")] };

  it("is the same for the same findings, whatever order and time", () => {
    const turned = { ...two, have: [...(two.have ?? [])].reverse(), scan: { at: noon + 5_000 } };
    expect(fingerprint(scan(turned))).toBe(fingerprint(scan(two)));
  });

  it("changes with a difference, and with what could not be read", () => {
    const one = fingerprint(scan({ have: [owns("a-x", "me")] }));
    expect(one).not.toBe(fingerprint(scan(two)));
    expect(fingerprint(scan({ ...two, scan: { snapshot: { ...snapshot, faults: [fault] } } }))).not.toBe(
      fingerprint(scan(two)),
    );
  });

  it("changes when a source shrinks further, and when another one cannot be read, though as much is told", () => {
    const shrunken = (endpoints: number) =>
      fingerprint(scan({ ...two, scan: { snapshot: { ...snapshot, endpoints, lastAccepted: 100 } } }));
    expect(shrunken(80)).toBe(shrunken(80));
    expect(shrunken(5)).not.toBe(shrunken(80));
    const unread = (what: string) =>
      fingerprint(scan({ ...two, scan: { snapshot: { ...snapshot, faults: [{ ...fault, what }] } } }));
    expect(unread("services")).not.toBe(unread("ingresses"));
  });

  it("does not move for what ExternalDNS does by itself", () => {
    expect(fingerprint(scan({ want: [wants("web", "10.0.0.1")] }))).toBe(
      fingerprint(scan({ have: owned, want: [wants("web", "10.0.0.1")] })),
    );
  });

  it("names what is resolved, never after a scan that could not read everything", () => {
    const before = scan(two);
    const after: Site = { have: [owns("a-x", "me")] };
    expect(resolvedSince(before, scan(after)).map(({ name }) => name)).toEqual(["a-y.example.com"]);
    expect(resolvedSince(before, scan({ ...after, scan: { recordSets: fault } }))).toEqual([]);
  });
});

describe("a snooze", () => {
  const snooze = {
    fingerprint: "f",
    reason: "vendor works on it",
    by: "operator",
    at: noon,
    until: noon + 1_000,
  };

  it("keeps one fingerprint quiet until it ends", () => {
    expect(quietBy([snooze], "f", noon + 999)).toBe(snooze);
    expect(quietBy([snooze], "f", noon + 1_000)).toBeUndefined();
    expect(quietBy([snooze], "g", noon)).toBeUndefined();
  });

  it("needs a reason, an end in the future, and not more than 31 days", () => {
    expect(newSnooze(snooze)).toEqual({ ok: true, snooze });
    const wrong = newSnooze({ ...snooze, reason: " ", until: noon });
    expect(wrong.ok ? [] : wrong.problems).toHaveLength(2);
    expect(newSnooze({ ...snooze, until: noon + 32 * 86_400_000 }).ok).toBe(false);
  });
});
