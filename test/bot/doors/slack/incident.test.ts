import { afterEach, describe, expect, test } from "vitest";
import { addToTimeline, nextStep } from "#bot/doors/slack/shortcuts.ts";
import { resumeIncidents, tendIncidentsOnce } from "#bot/incidents/resume.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import type { SlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { readIncident } from "#shared/incidents/incident-log.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import { approver, channel, closeSlack, openSlack, operator, stamped } from "./two-people-in-slack.ts";

afterEach(closeSlack);

/** Being told to wait is no fault where time runs forty times as fast as the machine: it is waited out. */
const broken = (workspace: SlackWorkspace) =>
  workspace.violations().filter(({ error }) => error !== "ratelimited");

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** The incident's message, as soon as it says this. */
const standing =
  ({ workspace, read }: Awaited<ReturnType<typeof openSlack>>) =>
  (words: RegExp): Promise<Message> =>
    workspace.waitFor(
      () =>
        workspace
          .messages(channel)
          .find(
            (m) =>
              m.botId !== undefined &&
              m.threadTs === undefined &&
              /I-1 · service-unreachable httpbin · opened/.test(read(m)) &&
              words.test(read(m)),
          ),
      30_000,
      String(words),
    );

describe.each(["http", "socket"] as const)("an incident in Slack, over %s", (via) => {
  test("from a command to its end: thread words, buttons, shortcut, files, and an act that belongs to it", async () => {
    const at = await openSlack(via);
    const { workspace, read, told, ledger } = at;
    const stands = standing(at);
    await workspace.command({
      ...operator,
      ...stamped(),
      command: "/runbook",
      text: "run service-unreachable httpbin",
    });
    const first = await stands(/Seen at/);
    expect(read(first)).toMatch(/@?operator has it since/);
    const inThread = () => workspace.thread(channel, first.ts).map(read);
    await expect.poll(() => inThread().join("\n"), { timeout: 10_000 }).toMatch(/all \d+ links/);
    const mention = (user: typeof operator | typeof approver, words: string) =>
      workspace.mention({ ...user, ...stamped(), threadTs: first.ts, text: words, keyboard: "smart" });

    await mention(approver, "note the customer's shop is down -- since two --urgent");
    await told(/NOTED.*the customer's shop is down/s);
    const said = workspace.say({
      ...approver,
      text: "the <!channel> switch *blinks* & <@U0OPERATOR> saw it",
      threadTs: first.ts,
    });
    await workspace.shortcut({
      ...stamped(),
      user: operator.user,
      message: said,
      callbackId: addToTimeline.callback,
      duplicate: true,
    });
    await told(/NOTED.*switch/s);
    await workspace.shortcut({
      ...stamped(),
      user: approver.user,
      message: said,
      callbackId: addToTimeline.callback,
    });
    await told(/That message is in the timeline since/);
    const noted = await readIncident(ledger, "I-1");
    expect(noted?.notes.map(({ by, text: words, source }) => [by, words, source?.author])).toEqual([
      ["approver", "the customer's shop is down — since two --urgent", undefined],
      ["operator", "the @channel switch *blinks* & @operator saw it", "approver"],
    ]);

    // Taken over only when that is said; the button of the message looks again.
    await mention(approver, "take");
    await told(/operator has I-1 since/);
    await mention(approver, "take --over");
    await stands(/@?approver has it since.*from @?operator/s);
    await workspace.click({
      ...stamped(),
      user: approver.user,
      message: await stands(/approver has it/),
      label: "Diagnose again",
    });
    const looked = await stands(/look 2/);
    expect(looked.ts).toBe(first.ts);

    // An act begun in its thread is a run of its own, and belongs to it.
    await mention(operator, "migrate start bgp-to-l2");
    await workspace.waitFor(
      async () => (await lastRun(ledger, "goldentooth")) !== undefined,
      30_000,
      "a run",
    );
    const run = (await lastRun(ledger, "goldentooth"))?.id ?? "none";
    await expect
      .poll(async () => (await readIncident(ledger, "I-1"))?.runs.map((each) => each.run), {
        timeout: 10_000,
      })
      .toContain(run);

    await mention(approver, "handover <@U0OPERATOR>");
    const handed = await told(/HANDOVER/);
    expect(handed.threadTs).toBe(first.ts);
    await mention(operator, "export");
    const timelines = () => workspace.files().filter(({ name }) => name.startsWith("I-1-timeline"));
    await expect.poll(() => timelines().length, { timeout: 10_000 }).toBe(2);
    const exported = timelines();
    expect(exported.map(({ name }) => name.split(".").at(-1)).toSorted()).toEqual(["json", "md"]);
    await expect
      .poll(
        () =>
          workspace
            .files()
            .filter(({ name, sharedIn }) => name.startsWith("I-1") && sharedIn?.threadTs === first.ts).length,
        { timeout: 10_000 },
      )
      .toBe(2);
    const uploaded = timelines();
    const markdown = text(uploaded.find(({ name }) => name.endsWith(".md"))?.bytes);
    expect(markdown).toMatch(/Outage: not measured/);
    expect(markdown).not.toMatch(/@channel|<!channel>/);
    const json = JSON.parse(text(uploaded.find(({ name }) => name.endsWith(".json"))?.bytes)) as {
      people: string[];
      commands: unknown[];
    };
    expect(json.people).toEqual(["approver", "operator"]);
    expect(json.commands.length).toBeGreaterThan(3);

    await mention(operator, "close --reason 'BGP is being replaced'");
    const closed = await stands(/CLOSED/);
    expect(closed.ts).toBe(first.ts);
    expect(read(closed)).toMatch(/BGP is being replaced/);
    await mention(operator, "nxt");
    expect((await told(/is no word for the thread of I-1/)).onlyFor).toBe(operator.user);
    expect(broken(workspace)).toEqual([]);
    // One message in the channel for the thing itself.
    expect(
      workspace
        .messages(channel)
        .filter(
          (m) => m.threadTs === undefined && /I-1 · service-unreachable httpbin · opened/.test(read(m)),
        ),
    ).toHaveLength(1);
  });
});

describe("after a restart", () => {
  test("nothing is posted a second time", async () => {
    const at = await openSlack("http");
    const { workspace, product, read } = at;
    const stands = standing(at);
    await workspace.command({
      ...operator,
      ...stamped(),
      command: "/runbook",
      text: "run service-unreachable httpbin",
    });
    const first = await stands(/Seen at/);
    await expect
      .poll(() => workspace.thread(channel, first.ts).map(read).join("\n"), { timeout: 10_000 })
      .toMatch(/all \d+ links/);
    const before = workspace.messages(channel).length;
    const options = { signal: new AbortController().signal, log: () => {} };
    await resumeIncidents({ ...product.deps, ledger: { ...product.ledger } }, options);
    await tendIncidentsOnce(product.deps, options);
    // Something else that is told afterwards shows that the board has come to rest.
    await workspace.mention({ ...operator, ...stamped(), threadTs: first.ts, text: "note over" });
    await at.told(/NOTED.*over/s);
    const thread = workspace.thread(channel, first.ts).map(read);
    expect(thread.filter((words) => /all \d+ links/.test(words))).toHaveLength(1);
    expect(workspace.messages(channel).length).toBeLessThanOrEqual(before + 2);
    expect(broken(workspace)).toEqual([]);
  });

  test("a shortcut beside threads means the only open incident, and is refused in another thing's thread", async () => {
    const at = await openSlack("http");
    const { workspace, told } = at;
    const lunch = workspace.say({ ...operator, text: "lunch?" });
    await workspace.shortcut({
      ...stamped(),
      user: operator.user,
      message: lunch,
      callbackId: addToTimeline.callback,
    });
    expect((await told(/no incident is open/)).onlyFor).toBe(operator.user);
    await workspace.shortcut({
      ...stamped(),
      user: operator.user,
      message: lunch,
      callbackId: nextStep.callback,
    });
    await told(/belongs to no run/);
  });
});
