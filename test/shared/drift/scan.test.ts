import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { makeSnapshot, type Snapshot } from "#shared/dns/snapshot.ts";
import { lastAccepted } from "#shared/drift/accepted.ts";
import type { PostMessage } from "#shared/drift/post-message.ts";
import { type ScanPorts, scanZones } from "#shared/drift/scan.ts";
import { addSnooze, lastHeartbeat, lastReport } from "#shared/drift/scan-memory.ts";
import { type TellPorts, tellDigest, tellReport } from "#shared/drift/tell-report.ts";
import { FaultError } from "#shared/fault.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import type { Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { createZones } from "#shared/twin/zones.ts";
import { owns, record, wants, zoneName } from "../dns/zones.ts";
import { noon } from "./scans.ts";

const have: readonly RecordSet[] = [
  record("keep", "A", "10.0.0.1"),
  owns("a-keep", "me"),
  record("old", "A", "10.0.0.9"),
  owns("a-old", "me"),
];
const settings = {
  cluster: "goldentooth",
  zones: [{ id: "Z1", name: zoneName }],
  oldDomains: [],
  limits: { absolute: 50, share: 1 },
};

const snapshot = (endpoints: readonly string[], takenAt: number): Snapshot =>
  makeSnapshot(
    {
      cluster: "goldentooth",
      controllers: [
        {
          name: "external-dns/external-dns",
          image: "external-dns:v0.15.0",
          flags: { provider: ["aws"], source: ["service"], policy: ["upsert-only"], "txt-owner-id": ["me"] },
          hidden: [],
          endpoints: endpoints.map((name) => wants(name, "10.0.0.1")),
          dropped: [],
          unknown: [],
        },
      ],
      faults: [],
      counts: { services: endpoints.length },
      services: {},
    },
    takenAt,
  );

function world() {
  const clock = createVirtualClock(noon, () => new Promise((resolve) => setImmediate(resolve)));
  let made = 0;
  const zones = createZones({
    zones: [
      {
        id: "Z1",
        name: zoneName,
        nameServers: [{ name: fqdn("ns.example.org"), ip: "192.0.2.1" }],
        recordSets: have,
      },
    ],
    clock,
    schedule: () => () => {},
    newId: () => String(++made).padStart(20, "0"),
  });
  const ledger = createMemoryLedger({ now: clock.now });
  let latest: () => Snapshot | undefined = () => snapshot(["keep"], clock.now());
  const ports: ScanPorts = { zones: zones.read, ledger, clock, snapshots: { latest: async () => latest() } };
  const said: { id: string; texts: string[]; thread: boolean; reply: Reply }[] = [];
  let down: "no" | "before" | "after" = "no";
  const fail = (): never => {
    throw new FaultError({ kind: "unreachable", what: "Slack", detail: "HTTP 503" });
  };
  const messages: PostMessage = {
    post: async (id, reply, thread) => {
      if (down === "before") fail();
      said.push({ id, texts: [plain(reply.verdict.text)], thread: thread !== undefined, reply });
      if (down === "after") fail();
      return { channel: "C1", ts: String(said.length) };
    },
    update: async ({ ts }, _, reply) => {
      if (down !== "no") fail();
      const message = said[Number(ts) - 1];
      if (message === undefined) return "gone";
      message.texts.push(plain(reply.verdict.text));
      message.reply = reply;
      return "done";
    },
    find: async (id) => {
      if (down === "before") fail();
      const at = said.findIndex((each) => each.id === id);
      return at < 0 ? undefined : { channel: "C1", ts: String(at + 1) };
    },
  };
  let run = 0;
  const tell = async () => {
    const scan = await scanZones(ports, settings);
    const report = scan.zones[0]?.report;
    if (report === undefined) throw new Error("no zone");
    run += 1;
    const with_: TellPorts = { ledger, clock, messages, holder: `run-${run}` };
    return { ...(await tellReport(with_, { report, plan: undefined, buttons: {} })), scan };
  };
  return {
    clock,
    zones,
    ledger,
    ports,
    said,
    messages,
    tell,
    slack: (state: typeof down) => {
      down = state;
    },
    wants: (give: typeof latest) => {
      latest = give;
    },
  };
}

describe("a scan", () => {
  it("keeps a report only when it says something else, and a heartbeat each time", async () => {
    const w = world();
    expect((await scanZones(w.ports, settings)).zones[0]).toMatchObject({
      changed: true,
      report: { complete: true },
    });
    await w.clock.advance(60_000);
    expect((await scanZones(w.ports, settings)).zones[0]).toMatchObject({ changed: false });
    expect(await w.ledger.read("drift/Z1")).toHaveLength(1);
    expect((await lastHeartbeat(w.ledger))?.at).toBe(w.clock.now());
    expect(await w.ledger.read("heartbeat/scan-drift")).toHaveLength(2);
  });

  it("twice at once keeps one report", async () => {
    const w = world();
    await Promise.all([scanZones(w.ports, settings), scanZones(w.ports, settings)]);
    expect(await w.ledger.read("drift/Z1")).toHaveLength(1);
  });

  it.each<[string, (w: ReturnType<typeof world>) => ScanPorts, string]>([
    [
      "a page that fails midway",
      (w) => {
        w.zones.faults.failPage("Z1", 0);
        return w.ports;
      },
      "dns-zone-unreadable",
    ],
    [
      "a storm of throttling",
      (w) => {
        w.zones.faults.throttle(1_000);
        return w.ports;
      },
      "dns-zone-unreadable",
    ],
    [
      "no snapshot",
      (w) => ({ ...w.ports, snapshots: { latest: async () => undefined } }),
      "dns-controllers-unreadable",
    ],
    [
      "a snapshot from the future",
      (w) => {
        w.wants(() => snapshot(["keep"], noon + 3_600_000));
        return w.ports;
      },
      "dns-snapshot-from-the-future",
    ],
    [
      "an old snapshot",
      (w) => {
        w.wants(() => snapshot(["keep"], noon - 3_600_000));
        return w.ports;
      },
      "dns-snapshot-stale",
    ],
  ])("tells %s, and offers no delete", async (_, ports, code) => {
    const w = world();
    const { report } = (await scanZones(ports(w), settings)).zones[0] ?? {};
    expect(report?.findings.map((finding) => finding.code)).toContain(code);
    expect(report?.deletesBlocked.length).toBeGreaterThan(0);
  });

  it("says that the configured id belongs to another zone, not that everything is missing", async () => {
    const w = world();
    const wrong = { ...settings, zones: [{ id: "Z1", name: fqdn("other.net") }] };
    const { report } = (await scanZones(w.ports, wrong)).zones[0] ?? {};
    expect(report).toMatchObject({ complete: false, drifts: [] });
    expect(JSON.stringify(report?.findings)).toContain("it is example.com");
  });

  it("expects a name in the longest zone that holds it, and tells twins apart", async () => {
    const w = world();
    const nameServers = [{ name: fqdn("ns.example.org"), ip: "192.0.2.1" }];
    let made = 0;
    const account = createZones({
      zones: [
        { id: "Z1", name: zoneName, nameServers, recordSets: have },
        { id: "Z2", name: zoneName, nameServers, recordSets: [], private: true },
        { id: "Z3", name: fqdn(`k8s.${zoneName}`), nameServers, recordSets: [] },
      ],
      clock: w.clock,
      schedule: () => () => {},
      newId: () => String(++made).padStart(20, "0"),
    });
    w.wants(() => snapshot(["keep", "web.k8s"], w.clock.now()));
    const zones = [
      ...settings.zones,
      { id: "Z2", name: zoneName },
      { id: "Z3", name: fqdn(`k8s.${zoneName}`) },
    ];
    const scan = await scanZones({ ...w.ports, zones: account.read }, { ...settings, zones });
    const missing = scan.zones.map(({ report }) =>
      report.drifts.filter(({ kind }) => kind === "record-missing").map(({ name }) => name),
    );
    expect(missing).toEqual([[], ["keep.example.com", "web.k8s.example.com"], ["web.k8s.example.com"]]);
    expect(
      scan.zones.map(({ report }) => report.findings.map(({ code }) => code).includes("dns-zone-twin")),
    ).toEqual([true, true, false]);
  });

  it("that cannot list the account's zones says that of every zone, and nothing is absent", async () => {
    const w = world();
    const zones = async () => {
      throw new FaultError({ kind: "denied", what: "zones", detail: "AccessDenied: ListHostedZones" });
    };
    const { report } =
      (await scanZones({ ...w.ports, zones: { ...w.zones.read, zones } }, settings)).zones[0] ?? {};
    expect(report).toMatchObject({ complete: false, drifts: [] });
    expect(JSON.stringify(report?.findings)).toContain("ListHostedZones");
  });

  it("promises no deletes that no plan would hold", async () => {
    const w = world();
    const more = [record("older", "A", "10.0.0.8"), owns("a-older", "me")];
    w.zones.edit(
      "Z1",
      more.map((set) => ({ action: "CREATE" as const, set })),
    );
    const { limits: _, ...usual } = settings;
    const { report } = (await scanZones(w.ports, usual)).zones[0] ?? {};
    expect(report?.drifts.filter(({ kind }) => kind === "record-orphaned")).toMatchObject([
      { repair: "nobody" },
      { repair: "nobody" },
    ]);
  });

  it("doubts a snapshot that wants far fewer, until it is accepted", async () => {
    const w = world();
    const many = Array.from({ length: 20 }, (_, i) => `n${i}`);
    w.wants(() => snapshot(many, w.clock.now()));
    await scanZones(w.ports, settings);
    w.wants(() => snapshot(["keep"], w.clock.now()));
    const { report } = (await scanZones(w.ports, settings)).zones[0] ?? {};
    expect(report?.findings.map(({ code }) => code)).toContain("dns-source-shrunken");
    expect((await lastAccepted(w.ledger, "goldentooth"))?.endpoints).toBe(20);
  });
});

describe("telling", () => {
  it("posts once, is silent while nothing changes, edits what is resolved", async () => {
    const w = world();
    expect(await w.tell()).toMatchObject({ state: "posted" });
    expect(await w.tell()).toMatchObject({ state: "unchanged" });
    w.zones.edit("Z1", [
      { action: "DELETE", set: have[2] as RecordSet },
      { action: "DELETE", set: have[3] as RecordSet },
    ]);
    expect(await w.tell()).toMatchObject({ state: "edited" });
    expect(w.said).toHaveLength(1);
    expect(JSON.stringify(w.said[0]?.reply.blocks)).toContain("resolved");
    expect(await w.tell()).toMatchObject({ state: "nothing-to-tell" });
  });

  it("tells nothing that only a snapshot older than the zone says, until a newer one says it too", async () => {
    const w = world();
    const old = noon - 240_000;
    w.wants(() => snapshot(["keep"], old));
    expect(await w.tell()).toMatchObject({ state: "nothing-to-tell" });
    expect((await lastHeartbeat(w.ledger))?.zones).toMatchObject([{ differences: 0, awaiting: 1 }]);
    await w.clock.advance(60_000);
    expect(await w.tell()).toMatchObject({ state: "nothing-to-tell" });
    w.wants(() => snapshot(["keep"], w.clock.now() - 30_000));
    expect(await w.tell()).toMatchObject({ state: "posted" });
    expect((await lastHeartbeat(w.ledger))?.zones).toMatchObject([{ differences: 1, awaiting: 0 }]);
  });

  it("tells nothing of what an object asked for between the snapshot and the scan", async () => {
    const w = world();
    w.wants(() => snapshot(["keep"], noon - 240_000));
    await w.tell();
    await w.clock.advance(60_000);
    const { zones } = w;
    zones.edit("Z1", [{ action: "UPSERT", set: record("old", "A", "10.0.0.1") }]);
    w.wants(() => snapshot(["keep", "old"], w.clock.now()));
    expect(await w.tell()).toMatchObject({ state: "nothing-to-tell" });
    expect(w.said).toEqual([]);
  });

  it("says of an outdated snapshot that nothing is known, and strikes nothing through", async () => {
    const w = world();
    expect(await w.tell()).toMatchObject({ state: "posted" });
    w.wants(() => snapshot(["keep"], noon - 3_600_000));
    expect(await w.tell()).toMatchObject({ state: "edited" });
    expect(w.said[0]?.texts.at(-1)).toContain("could not be compared whole");
    expect(JSON.stringify(w.said[0]?.reply.blocks)).not.toContain("resolved");
  });

  it("with Slack down loses nothing: the next scan tells", async () => {
    const w = world();
    w.slack("before");
    expect(await w.tell()).toMatchObject({ state: "not-told", scan: { zones: [{ changed: true }] } });
    w.slack("no");
    expect(await w.tell()).toMatchObject({ state: "posted", scan: { zones: [{ changed: false }] } });
    expect(w.said).toHaveLength(1);
  });

  it("does not post again what arrived though its answer was lost", async () => {
    const w = world();
    w.slack("after");
    expect(await w.tell()).toMatchObject({ state: "not-told" });
    w.slack("no");
    expect(await w.tell()).toMatchObject({ state: "unchanged" });
    expect(w.said).toHaveLength(1);
  });

  it("two at once post one message", async () => {
    const w = world();
    const states = (await Promise.all([w.tell(), w.tell()])).map(({ state }) => state);
    expect(states.filter((state) => state === "posted")).toHaveLength(1);
    expect(w.said).toHaveLength(1);
  });

  it("a snooze keeps it quiet until it ends or something changes", async () => {
    const w = world();
    const { zones } = await scanZones(w.ports, settings);
    const fingerprint = zones[0]?.fingerprint ?? "";
    await addSnooze(w.ledger, "Z1", {
      fingerprint,
      reason: "known",
      by: "operator",
      at: noon,
      until: noon + 3_600_000,
    });
    expect(await w.tell()).toMatchObject({ state: "snoozed" });
    expect(w.said).toEqual([]);
    await w.clock.advance(3_600_001);
    expect(await w.tell()).toMatchObject({ state: "posted" });
  });

  it("says what is new in the thread of the open report too", async () => {
    const w = world();
    await w.tell();
    w.zones.edit("Z1", [
      { action: "CREATE", set: record("older", "A", "10.0.0.8") },
      { action: "CREATE", set: owns("a-older", "me") },
    ]);
    expect(await w.tell()).toMatchObject({ state: "edited" });
    expect(w.said.map(({ thread }) => thread)).toEqual([false, true]);
  });

  describe("a message that is open for long", () => {
    const pair = (name: string): readonly RecordSet[] => [
      record(name, "A", "10.0.0.8"),
      owns(`a-${name}`, "me"),
    ];
    const put = (w: ReturnType<typeof world>, name: string) =>
      w.zones.edit(
        "Z1",
        pair(name).map((set) => ({ action: "CREATE" as const, set })),
      );
    const take = (w: ReturnType<typeof world>, name: string) =>
      w.zones.edit(
        "Z1",
        pair(name).map((set) => ({ action: "DELETE" as const, set })),
      );
    const struck = (w: ReturnType<typeof world>): string =>
      JSON.stringify(w.said[0]?.reply.blocks.filter(({ kind }) => kind === "prose"));

    it("keeps the line of what came and went, whatever comes after", async () => {
      const w = world();
      await w.tell();
      put(w, "b");
      await w.tell();
      take(w, "b");
      await w.tell();
      expect(struck(w)).toContain("b.example.com A");
      put(w, "c");
      await w.tell();
      expect(struck(w)).toContain("b.example.com A");
    });

    it("neither loses nor repeats what was told when a scan could not read everything", async () => {
      const w = world();
      await w.tell();
      put(w, "b");
      await w.tell();
      const notes = w.said.length;
      w.wants(() => snapshot(["keep"], w.clock.now() - 3_600_000));
      expect(await w.tell()).toMatchObject({ state: "edited" });
      w.wants(() => snapshot(["keep"], w.clock.now()));
      take(w, "b");
      expect(await w.tell()).toMatchObject({ state: "edited" });
      expect(struck(w)).toContain("b.example.com A");
      // What still stands was told before.
      expect(w.said).toHaveLength(notes);
    });

    it("does not call resolved what differs in another way by now", async () => {
      const w = world();
      put(w, "b");
      await w.tell();
      w.zones.edit("Z1", [{ action: "UPSERT", set: record("b", "A", "10.0.0.7") }]);
      expect(await w.tell()).toMatchObject({ state: "edited" });
      expect(w.said[0]?.texts.at(-1)).toContain("2 differences");
      expect(struck(w)).not.toContain("resolved");
      w.zones.edit("Z1", [
        { action: "DELETE", set: record("b", "A", "10.0.0.7") },
        { action: "DELETE", set: owns("a-b", "me") },
      ]);
      await w.tell();
      expect(struck(w).match(/b.example.com A/g)).toHaveLength(1);
    });

    it("says in its thread what comes back", async () => {
      const w = world();
      await w.tell();
      for (let round = 1; round <= 2; round++) {
        put(w, "b");
        await w.tell();
        expect(w.said.filter(({ thread }) => thread)).toHaveLength(round);
        take(w, "b");
        await w.tell();
      }
    });
  });

  it("digests once a day, also when the first try failed", async () => {
    const w = world();
    await w.tell();
    const reports = [(await lastReport(w.ledger, "Z1"))?.report].flatMap((report) => report ?? []);
    const ports = { ledger: w.ledger, clock: w.clock, messages: w.messages, holder: "d" };
    const digest = () => tellDigest(ports, { cluster: "goldentooth", reports, hour: 7 });
    w.slack("before");
    expect(await digest()).toMatchObject({ state: "not-told" });
    w.slack("no");
    expect(await digest()).toMatchObject({ state: "posted" });
    expect(await digest()).toMatchObject({ state: "unchanged" });
  });
});
