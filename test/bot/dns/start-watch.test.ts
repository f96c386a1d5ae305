import { afterEach, describe, expect, it } from "vitest";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { snapshotEveryMs } from "#bot/dns/keep-snapshots.ts";
import { startDnsWatch } from "#bot/dns/start-watch.ts";
import { scanEveryMs } from "#bot/dns/watch-zones.ts";
import { fingerprint } from "#shared/drift/fingerprint.ts";
import { lookForDrift } from "#shared/drift/look.ts";
import { beat, lastHeartbeat, lastReport } from "#shared/drift/scan-memory.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { dnsSite } from "../commands/dns-site.ts";

const open: ReturnType<typeof dnsSite>[] = [];
const started = (
  options: Parameters<typeof dnsSite>[0] & Readonly<{ scanFunction?: string; hasStore?: boolean }> = {},
) => {
  const { scanFunction, hasStore, ...rest } = options;
  const on = dnsSite(rest);
  open.push(on);
  const taken: number[] = [];
  const store = {
    ...on.snapshots,
    put: async (snapshot: Parameters<typeof on.snapshots.put>[0]) => {
      taken.push(on.clock.now());
      await on.snapshots.put(snapshot);
    },
  };
  const { snapshots: _, ...others } = on.deps;
  const asked: number[] = [];
  const deps = {
    ...others,
    ...(scanFunction !== undefined && { askForScan: async () => void asked.push(on.clock.now()) }),
  };
  const leaving = new AbortController();
  const logged: unknown[] = [];
  const watch = startDnsWatch(hasStore === false ? deps : { ...deps, snapshots: store }, {
    signal: leaving.signal,
    log: (entry) => void logged.push(entry),
    ...(scanFunction !== undefined && { scanFunction }),
  });
  return { on, taken, asked, leaving, logged, watch };
};
afterEach(() => {
  for (const each of open.splice(0)) each.twin.stop();
});

describe("what the bot does for zones unasked", () => {
  it("leaves snapshots and scans in its own time, and stops when it is told to", async () => {
    const { on, taken, leaving, logged, watch } = started();
    await on.clock.advance(scanEveryMs);
    // A scan leaves one of its own, at the time of the first.
    const times = [...new Set(taken)];
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(times.length).toBe(1 + Math.floor((scanEveryMs - 5_000) / snapshotEveryMs));
    expect(taken.length).toBe(times.length + 1);
    expect(new Set(gaps)).toEqual(new Set([snapshotEveryMs]));
    expect((await lastHeartbeat(on.ledger))?.complete).toBe(true);
    const before = taken.length;
    leaving.abort();
    await on.clock.runUntil(watch.ended);
    await on.clock.advance(scanEveryMs);
    expect(taken).toHaveLength(before);
    expect(logged).toEqual([]);
    expect(watch.warnings()).toEqual([]);
  });

  it("says of every zone what /dns check says", async () => {
    const { on, leaving, watch } = started();
    await on.clock.advance(10_000);
    const { config, read, zones } = [...on.deps.clusters.values()][0] as ClusterPorts;
    if (zones === undefined || config.dns === undefined) throw new Error("no zones");
    const looked = await on.clock.runUntil(
      lookForDrift(
        { read, zones, clock: on.clock, ledger: on.ledger },
        { cluster: config.name, dns: config.dns },
      ),
    );
    expect(looked.zones.length).toBeGreaterThan(0);
    for (const { report } of looked.zones)
      expect((await lastReport(on.ledger, report.zone.id))?.fingerprint).toBe(fingerprint(report));
    leaving.abort();
    await on.clock.runUntil(watch.ended);
  });

  it("leaves the scanning to the function, and warns when that is silent", async () => {
    const { on, leaving, watch } = started({ scanFunction: "scan-drift" });
    await on.clock.advance(3 * scanEveryMs);
    expect(await lastHeartbeat(on.ledger)).toBeUndefined();
    expect(watch.warnings().map(({ code }) => code)).toEqual(["dns-scan-silent"]);
    leaving.abort();
    await on.clock.runUntil(watch.ended);
  });

  it("has the function look again, by a newer snapshot, at what only an older one says", async () => {
    const { on, taken, asked, leaving, watch } = started({ scanFunction: "scan-drift" });
    const zones = (awaiting: number) => [
      { id: "Z1", complete: true, fingerprint: "f", differences: 0, awaiting },
    ];
    await on.clock.advance(10_000);
    const before = taken.length;
    await beat(on.ledger, { at: on.clock.now(), complete: true, zones: zones(1) });
    await on.clock.advance(130_000);
    expect(asked).toHaveLength(1);
    expect(taken.length).toBe(before + 1);
    await beat(on.ledger, { at: on.clock.now(), complete: true, zones: zones(0) });
    await on.clock.advance(60_000);
    expect(asked).toHaveLength(1);
    leaving.abort();
    await on.clock.runUntil(watch.ended);
  });

  it("does nothing without zones, and says so where snapshots have no place", async () => {
    const { dns: _, ...rest } = goldentooth();
    const none = started({ spec: rest });
    await none.on.clock.advance(scanEveryMs);
    expect(none.taken).toEqual([]);
    expect(none.watch.warnings()).toEqual([]);
    const nowhere = started({ hasStore: false });
    expect(nowhere.watch.warnings().map(({ code }) => code)).toEqual(["dns-snapshots-nowhere"]);
  });
});
