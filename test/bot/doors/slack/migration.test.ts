import { afterEach, describe, expect, test } from "vitest";
import type { Deps } from "#bot/commands/command.ts";
import { createWishes } from "#bot/doors/slack/board.ts";
import { nextStep } from "#bot/doors/slack/shortcuts.ts";
import { setBgpMode } from "#infra/lab/set-bgp-mode.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import { appForTwo } from "#infra/lab/two-people.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { currentStep } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import {
  approver,
  channel,
  clock,
  closeSlack,
  openBot,
  openSlack,
  operator,
  stamped,
} from "./two-people-in-slack.ts";

afterEach(closeSlack);

const label = "Approve and run";
const waitsAt = (step: number) => new RegExp(`step ${step} of 17 waits for`);

/** Five nodes' Services from plan to the first approval. */
async function started(at: Awaited<ReturnType<typeof openSlack>>): Promise<Message> {
  await at.workspace.command({ ...operator, ...stamped(), command: "/migrate", text: "start bgp-to-l2" });
  return at.stands(waitsAt(5));
}

describe("two people in Slack", () => {
  test("from plan to final verification, over signed HTTP", async () => {
    const at = await openSlack("http");
    const { workspace, read, stands, told, acts } = at;
    await workspace.command({ ...operator, ...stamped(), command: "/migrate", text: "plan bgp-to-l2" });
    await told(/17 steps\b.*2\b.*would change something/);
    expect(acts).toEqual([]);

    const first = await started(at);
    await workspace.click({ ...stamped(), user: operator.user, message: first, label });
    const own = await told(/you asked for step 5 of R-\d+ yourself/);
    expect(own.onlyFor).toBe(operator.user);
    expect(acts).toEqual([]);

    // A double click, as impatient people do it.
    await Promise.all(
      [1, 2].map(() => workspace.click({ ...stamped(), user: approver.user, message: first, label })),
    );
    const canary = await stands(waitsAt(8));
    expect(acts).toEqual(["ADDED l2advertisements/primary"]);
    expect(canary.ts).toBe(first.ts);

    // In the thread: held by a mention, gone on by the shortcut of a message and by a mention.
    await workspace.mention({ ...operator, ...stamped(), threadTs: canary.ts, text: "hold" });
    const held = await stands(/HELD/);
    await workspace.shortcut({
      ...stamped(),
      user: operator.user,
      message: held,
      callbackId: nextStep.callback,
    });
    await stands(waitsAt(8));
    await workspace.mention({ ...approver, ...stamped(), threadTs: canary.ts, text: "hold" });
    await stands(/HELD.*@?approver|HELD/);
    await workspace.mention({ ...operator, ...stamped(), threadTs: canary.ts, text: "next" });
    const waiting = await stands(waitsAt(8));
    await workspace.click({ ...stamped(), user: approver.user, message: waiting, label });

    const withdrawal = await stands(waitsAt(9));
    // An old view of the message: what it asked for is decided.
    await workspace.click({ ...stamped(), user: approver.user, message: waiting, label });
    await told(/Refused|is from an older message/);
    expect(await lastRun(at.ledger, "goldentooth")).not.toHaveProperty("halted");
    await workspace.click({ ...stamped(), user: approver.user, message: withdrawal, label });
    const peers = await stands(waitsAt(11));
    const digest = currentStep((await lastRun(at.ledger, "goldentooth")) as never)?.planned?.digest ?? "";
    const [, run = ""] = /(R-\d+) · plan/.exec(read(peers)) ?? [];
    await workspace.command({
      ...approver,
      ...stamped(),
      command: "/migrate",
      text: `approve ${run} ${digest.slice(0, 4)}`,
    });
    await workspace.click({ ...stamped(), user: approver.user, message: await stands(waitsAt(12)), label });
    const manual = await stands(/step 14 of 17 waits for a person/);
    setBgpMode(at.twin, "native");
    // The speakers roll one after the other, and addresses move while they do.
    await clock.leap(180_000);
    await workspace.click({ ...stamped(), user: operator.user, message: manual, label: "It is done" });
    const end = await stands(/all 17 steps ended/);

    expect(end.ts).toBe(first.ts);
    expect(acts.filter((act) => !act.startsWith("MODIFIED"))).toEqual([
      "ADDED l2advertisements/primary",
      "DELETED bgpadvertisements/primary",
      "DELETED bgppeers/opnsense",
      "DELETED bfdprofiles/primary",
    ]);
    expect(acts.filter((act) => act === "MODIFIED bgpadvertisements/primary")).toHaveLength(1);
    const proof = await workspace.waitFor(
      () => workspace.thread(channel, end.ts).find((m) => /PROVEN.*step 17/s.test(read(m))),
      30_000,
      "the last proof",
    );
    expect(read(proof)).toMatch(/nothing of BGP is left/);
    const names = await workspace.waitFor(
      () => {
        const all = workspace.files().flatMap(({ name }) => (/yaml$/.test(name) ? [name] : []));
        return all.some((name) => /snapshot/.test(name)) && all.some((name) => /manifests/.test(name)) && all;
      },
      30_000,
      "snapshot and manifests",
    );
    expect(new Set(names).size).toBe(names.length);
    expect(
      workspace
        .messages(channel)
        .filter((m) => m.botId !== undefined && /R-\d+ · /.test(read(m)) && m.threadTs === undefined),
    ).toHaveLength(1);
    expect(workspace.violations()).toEqual([]);
  });

  test("all the way back, over Socket Mode", async () => {
    const at = await openSlack("socket");
    const { workspace, stands, acts, twin } = at;
    let message = await started(at);
    for (const step of [8, 9, 11]) {
      await workspace.click({ ...stamped(), user: approver.user, message, label });
      message = await stands(waitsAt(step));
    }
    await workspace.mention({ ...operator, ...stamped(), threadTs: message.ts, text: "rollback" });
    await stands(/WENT BACK/);
    expect(acts.filter((act) => !act.startsWith("MODIFIED"))).toEqual([
      "ADDED l2advertisements/primary",
      "DELETED bgpadvertisements/primary",
      "ADDED bgpadvertisements/primary",
      "DELETED l2advertisements/primary",
    ]);
    expect(twin.reach("guest-client", "10.4.11.1").ok).toBe(true);
    expect(workspace.violations()).toEqual([]);
  });

  test("two bots on one ledger, both people press at once: one act", async () => {
    const at = await openSlack("http");
    const { workspace, bot, product, acts, stands } = at;
    // Another process sees the same ledger and the same cluster, and shares nothing else.
    const ledger: Ledger = { ...product.ledger };
    const wishes = createWishes({ ledger, clock, log: () => {} });
    const deps: Deps = { ...product.deps, ledger, board: wishes.board };
    const other = await openBot(workspace, {
      app: appForTwo(deps),
      deps,
      ledger,
      wishes,
      name: "bot-2",
      via: "http",
    });
    const message = await started(at);
    const presses = [approver, operator, approver, operator, approver].map(({ user }, i) => {
      workspace.setRequestUrl((i % 2 === 0 ? bot : other).requestUrl ?? "");
      return workspace.click({ ...stamped(), user, message, label });
    });
    await Promise.all(presses);
    const next = await stands(waitsAt(8));
    expect(acts).toEqual(["ADDED l2advertisements/primary"]);
    const state = await lastRun(product.ledger, "goldentooth");
    const step = state?.steps.find(({ id }) => id === "create-l2advertisement");
    expect(step).toMatchObject({ status: "done", approved: { by: "approver" } });
    expect(step?.acts).toHaveLength(1);

    // Approved here, aborted there, in the same moment: the act is done once or not at all, and the run knows which.
    workspace.setRequestUrl(bot.requestUrl ?? "");
    const yes = workspace.click({ ...stamped(), user: approver.user, message: next, label });
    workspace.setRequestUrl(other.requestUrl ?? "");
    const no = workspace.click({ ...stamped(), user: operator.user, message: next, label: "Abort" });
    await Promise.all([yes, no]);
    await stands(/ABORTED/);
    const ended = await lastRun(product.ledger, "goldentooth");
    expect(ended?.ended?.how).toBe("aborted");
    const patched = acts.filter((act) => act === "MODIFIED bgpadvertisements/primary").length;
    const intended = Object.values(
      ended?.steps.find(({ id }) => id === "canary")?.acts[0]?.deeds ?? {},
    ).filter(({ status }) => status === "done").length;
    expect(patched).toBe(intended);
  });
});
