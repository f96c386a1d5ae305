// Loaded before a virtual clock runs: nobody waits for a file of the disk in virtual time.
import "#bot/dns/live-accept.ts";
import "#bot/dns/live-forecast.ts";
import "#bot/dns/live-plan.ts";
import "#bot/dns/live-report.ts";
import "#bot/dns/plan-desk.ts";
import type { Deps, Door } from "#bot/commands/command.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { Board } from "#shared/board/board.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import type { Snapshot, SnapshotStore } from "#shared/dns/snapshot.ts";
import { readRecordSet } from "#shared/dns/zone-file.ts";
import { applyPlan } from "#shared/drift/apply-plan.ts";
import { defaultDeleteLimits } from "#shared/drift/guards.ts";
import type { Json } from "#shared/json.ts";
import type { Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

export const began = Date.UTC(2026, 10, 23, 14);

export const recordSet = (name: string, type: string, values: readonly string[], ttl = 300): RecordSet => {
  const read = readRecordSet(
    { Name: `${name}.`, Type: type, TTL: ttl, ResourceRecords: values.map((Value) => ({ Value })) },
    "test",
  );
  if (!read.ok) throw new Error(read.problems.join());
  return read.recordSet;
};

export const ownerText = (resource: string, owner = "default"): string =>
  `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=${resource}"`;

/** An ownership record of ours whose record is gone: ExternalDNS never removes it, so it is ours to do. */
export const dangling = recordSet("a-gone.hellholt.net", "TXT", [ownerText("service/old/gone")]);

export type TestBoard = Board &
  Readonly<{ standing: Map<string, Reply>; notes: string[]; files: Map<string, string> }>;

const testBoard = (): TestBoard => {
  const standing = new Map<string, Reply>();
  const notes: string[] = [];
  const files = new Map<string, string>();
  return {
    standing,
    notes,
    files,
    put: async (key, reply) => void standing.set(key, reply),
    note: async (key, id, _, attached = []) => {
      notes.push(`${key} ${id}`);
      for (const { name, text } of attached) files.set(name, String(text));
    },
    keyOf: async () => undefined,
  };
};

/** Without packing, whose threads know nothing of virtual time. */
export const memorySnapshots = (): SnapshotStore => {
  const kept = new Map<string, Snapshot>();
  return {
    put: async (snapshot) => {
      kept.set(`${snapshot.cluster}/${snapshot.hash}`, snapshot);
      kept.set(snapshot.cluster, snapshot);
    },
    latest: async (cluster) => kept.get(cluster),
    get: async (cluster, hash) => kept.get(`${cluster}/${hash}`),
  };
};

type Name = "operator" | "approver";

/** The seed's site with its ExternalDNS at work, a bot, and the function that writes, run for real. */
export function dnsSite(
  options: Readonly<{ spec?: SiteSpec; hasWriter?: boolean; hasBoard?: boolean }> = {},
) {
  const clock = createVirtualClock(began, () => new Promise((resolve) => setImmediate(resolve)));
  const product = runInMemory(options.spec ?? goldentooth(), clock);
  const { twin, ledger, deps, app, people } = product;
  const snapshots = memorySnapshots();
  const board = options.hasBoard === false ? undefined : testBoard();
  const invoked: string[] = [];
  const config = deps.clusters.get("goldentooth")?.config;
  const zoneIds = config?.dns?.zones.map(({ id }) => id) ?? [];
  const write = async (planId: string): Promise<Json> => {
    invoked.push(planId);
    const report = await applyPlan(
      {
        zones: twin.zones.read,
        change: twin.zones.change,
        snapshots,
        ledger,
        clock,
        ask: () => Promise.reject(new Error("nobody is asked")),
        serversOf: async () => [],
      },
      {
        cluster: "goldentooth",
        zones: (config?.dns?.zones ?? []).map(({ id, name }) => ({ id, name: fqdn(name) })),
        rules: {
          zoneIds,
          approvers: ["approver"],
          limits: defaultDeleteLimits,
          owners: ["default"],
          affixes: [{ prefix: "", suffix: "", wildcardReplacement: "" }],
          key: undefined,
        },
        insyncWithinMs: 120_000,
        leaseMs: 120_000,
        longestOpenMs: 86_400_000,
      },
      { planId, invocation: `test/${invoked.length}` },
    );
    return report as unknown as Json;
  };
  Object.assign(deps, {
    snapshots,
    ...(board !== undefined && { board }),
    ...(options.hasWriter !== false && { applyPlan: write }),
  } satisfies Partial<Deps>);
  const who = (name: Name) => ({ person: people.find((one) => one.name === name), account: name });
  const settle = async (asking: Awaited<ReturnType<typeof app.ask>>): Promise<Reply> =>
    asking.kind === "answer" ? asking.reply : asking.job.run(() => {}, new AbortController().signal);
  const hellholt = config?.dns?.zones.find(({ name }) => name === "hellholt.net")?.id ?? "";
  return {
    ...product,
    clock,
    snapshots,
    board,
    invoked,
    write,
    hellholt,
    ask: (name: Name, words: string, door: Door = "slack"): Promise<Reply> =>
      clock.runUntil((async () => settle(await app.ask({ door, ...who(name), channel: "C1", words })))()),
    press: (name: Name, action: string, value: string): Promise<Reply> =>
      clock.runUntil(
        (async () =>
          settle(await app.press({ door: "slack", ...who(name), channel: "C1", action, value })))(),
      ),
    records: (): readonly string[] =>
      twin.zones.recordSets(hellholt).map(({ name, type }) => `${name} ${type}`),
  };
}

export const shown = (reply: Reply, columns = 80): string =>
  renderTerminal(reply, { columns, colour: false });

/** The words of a message whatever its lines: wrapped text reads as one. */
export const said = (reply: Reply): string => shown(reply, 4_000).replace(/\s+/g, " ");
