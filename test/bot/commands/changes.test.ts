import { describe, expect, it } from "vitest";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { Fault } from "#shared/fault.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { Listed } from "#shared/kubernetes/read.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const denied = (kind: string): Fault => ({ kind: "denied", what: `list of ${kind}`, detail: "forbidden" });

/** The healthy site after `hours` of nothing, and somebody at the console. */
async function site(hours: number, faults: (kind: ResourceKind) => Fault | undefined = () => undefined) {
  const clock = createVirtualClock(Date.UTC(2026, 10, 23, 10));
  const around = (ports: ClusterPorts): ClusterPorts => ({
    ...ports,
    read: async (kinds, signal) => {
      const lists = await ports.read(kinds, signal);
      const broken = Object.entries(lists).map(([kind, list]): readonly [string, Listed] => [
        kind,
        faults(kind as ResourceKind) ?? (list as Listed),
      ]);
      return Object.fromEntries(broken) as typeof lists;
    },
  });
  const { app, twin } = runInMemory(healthy(), clock, around);
  await clock.advance(hours * 3_600_000);
  const say = async (words: string): Promise<Reply> => {
    const asking = await app.ask({
      door: "console",
      person: { name: "operator", os: "operator" },
      account: "operator",
      words,
    });
    if (asking.kind === "answer") return asking.reply;
    const reply = await clock.runUntil(asking.job.run(() => {}, new AbortController().signal));
    // The record is written after the answer.
    await clock.advance(1);
    return reply;
  };
  return { clock, twin, say };
}

const lines = (reply: Reply): string => renderTerminal(reply, { columns: 160, colour: false });

const rows = (reply: Reply): readonly { kind: string; name: string; what: string; source: string }[] =>
  (reply.data as { changes: { kind: string; name: string; what: string; source: string }[] }).changes;

describe("/arpeggio changes", () => {
  it("says plainly that nothing changed, and what it could not have seen", async () => {
    const { say } = await site(3);
    const reply = await say("arpeggio changes");
    expect(lines(reply)).toContain("OK  goldentooth · nothing changed in the last 1 h");
    expect(lines(reply)).toContain("A deletion leaves no trace but an event");
    expect(rows(reply)).toEqual([]);
    expect(exitCode(reply)).toBe(0);
  });

  it("tells a failover, an edited advertisement and a new pool, newest first", async () => {
    const { say, twin, clock } = await site(3);
    const store = twin.store;
    store.mergePatch(
      "l2advertisements",
      "metallb",
      "primary",
      { spec: { interfaces: null } },
      {
        manager: "kubectl-edit",
      },
    );
    await clock.advance(60_000);
    store.create(
      "ipaddresspools",
      { metadata: { name: "spare", namespace: "metallb" }, spec: { addresses: ["10.4.9.0/29"] } },
      { manager: "argocd-controller" },
    );
    await clock.advance(60_000);
    const before = (store.list("servicel2statuses").items[0]?.status as { node: string }).node;
    twin.stopSpeaker(before);
    await clock.advance(60_000);
    const reply = await say("arpeggio changes --since 15m");
    expect(rows(reply)).toContainEqual(
      expect.objectContaining({ kind: "L2Advertisement", by: "kubectl-edit", source: "managedFields" }),
    );
    expect(rows(reply)).toContainEqual(
      expect.objectContaining({
        kind: "IPAddressPool",
        name: "metallb/spare",
        what: "created",
        by: "argocd-controller",
      }),
    );
    expect(rows(reply).map(({ what }) => what)).toContainEqual(
      expect.stringMatching(new RegExp(`^announcer moved from ${before} to `)),
    );
    const times = rows(reply).map((row) => (row as unknown as { at: string }).at);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it("tells its own commands with who and what came of them, but not those that only look", async () => {
    const { say } = await site(3);
    await say("migrate next");
    await say("nodes list");
    const reply = await say("arpeggio changes");
    expect(rows(reply)).toEqual([
      expect.objectContaining({
        kind: "Command",
        name: "J-1",
        what: "/migrate next: usage",
        source: "ledger",
      }),
    ]);
    expect(lines(reply)).toContain("nothing changed in the last 1 h, and 1 run of ours");
  });

  it("is unknown, not quiet, when a list is denied", async () => {
    const { say } = await site(3, (kind) => (kind === "services" ? denied(kind) : undefined));
    const reply = await say("arpeggio changes");
    expect(lines(reply)).toContain(
      "UNKNOWN  goldentooth · nothing seen to change in the last 1 h, but 1 list",
    );
    expect(exitCode(reply)).toBe(3);
  });

  it("is unknown when nothing could be read", async () => {
    const { say } = await site(3, denied);
    const reply = await say("arpeggio changes");
    expect(lines(reply)).toContain("nothing of the cluster could be read");
    expect(exitCode(reply)).toBe(3);
  });

  it("does not mind a cluster without GitOps, and says so", async () => {
    const absent: Fault = { kind: "not-configured", what: "list", detail: "404" };
    const { say } = await site(3, (kind) =>
      ["applications", "kustomizations", "helmreleases"].includes(kind) ? absent : undefined,
    );
    const reply = await say("arpeggio changes");
    expect(exitCode(reply)).toBe(0);
    expect(lines(reply)).toContain("Neither Argo CD nor Flux is installed here.");
  });

  it("says until when events cannot speak", async () => {
    const { say } = await site(3);
    expect(lines(await say("arpeggio changes --since 2h"))).toContain(
      "Events live about 1 h: before 12:00:00 UTC only timestamps on objects speak.",
    );
    expect(lines(await say("arpeggio changes --since 1h"))).not.toContain("Events live");
  });

  it.each([
    "yesterday",
    "1w",
    "0s",
    "-1h",
    "1.5h",
    "31d",
    "1h30m",
  ])("refuses --since %s in one sentence", async (words) => {
    const { say } = await site(0);
    const reply = await say(`arpeggio changes --since=${words}`);
    expect(exitCode(reply)).toBe(2);
    expect(lines(reply)).toContain("must be a time such as 30s, 15m, 1h or 2d, at most 30d");
  });
});
