import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { secret } from "#bot/environment.ts";
import { FaultError } from "#shared/fault.ts";
import { answer, arping, closeAll, inChannel, job, newWorkspace, openDoor } from "./open-door.ts";

afterEach(closeAll);

const refused = async (opening: Promise<unknown>): Promise<string> => {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FaultError);
  return (error as FaultError).fault.detail;
};

describe("a token that Slack refuses", () => {
  test("ends the start with one sentence that names the variable and not the token", async () => {
    const said = await refused(openDoor({ slack: { botToken: secret("xoxb-nonsense") } }));
    expect(said).toContain("SLACK_BOT_TOKEN");
    expect(said).toContain("invalid_auth");
    expect(said).not.toContain("nonsense");
  });

  test("does so for the app-level token of Socket Mode too", async () => {
    const said = await refused(openDoor({ via: "socket", slack: { appToken: secret("xapp-nonsense") } }));
    expect(said).toContain("SLACK_APP_TOKEN");
    expect(said).not.toContain("nonsense");
  });

  test("or of another workspace than the config's is refused with both names", async () => {
    const said = await refused(openDoor({ slack: { team: "T0ELSE" } }));
    expect(said).toContain("T0LAB");
    expect(said).toContain("T0ELSE");
  });

  test("or missing altogether says what to set", async () => {
    const workspace = await newWorkspace();
    const { startSlackDoor } = await import("#bot/doors/slack.ts");
    const { systemClock } = await import("#shared/adapters/system-clock.ts");
    const { newLedger } = await import("./open-door.ts");
    const said = await refused(
      startSlackDoor({
        app: { ask: () => Promise.reject(new Error()), press: () => Promise.reject(new Error()) },
        slack: {
          botToken: secret(workspace.spec.app.botToken),
          prefix: "",
          commands: [],
          groups: [],
          channels: [],
        },
        ledger: newLedger(),
        people: () => undefined,
        clock: systemClock,
        log: () => {},
        owner: "x",
      }),
    );
    expect(said).toContain("SLACK_SIGNING_SECRET");
  });
});

describe("an unreachable Slack", () => {
  test("is no reason to fail: the door opens with changes closed and opens them when Slack answers", async () => {
    const workspace = await newWorkspace();
    workspace.failNext("auth.test", { status: 503, times: 1 });
    const { door } = await openDoor({ workspace, ask: () => job(async () => answer("OK", "read")) });
    expect(door.changesClosed()).toContain("Slack cannot be reached");
    expect(door.problems()).toMatchObject([{ code: "slack-unreachable", severity: "unknown" }]);
    // Reading goes on meanwhile.
    const { shown } = await workspace.command(arping);
    expect(shown[0]?.text).toContain("read");
    await expect.poll(() => door.changesClosed(), { timeout: 5_000 }).toBeUndefined();
    expect(door.problems()).toEqual([]);
  });

  test("over Socket Mode keeps trying to connect", async () => {
    const workspace = await newWorkspace();
    workspace.failNext("apps.connections.open", { status: 503, times: 1 });
    const { door } = await openDoor({
      via: "socket",
      workspace,
      ask: () => job(async () => answer("OK", "read")),
    });
    expect(door.connected()).toBe(false);
    await expect.poll(() => door.connected(), { timeout: 5_000 }).toBe(true);
    const { shown } = await workspace.command(arping);
    expect(shown[0]?.text).toContain("read");
  });

  test("that is not there at all", async () => {
    const workspace = await newWorkspace();
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });
    await new Promise((closed) => server.close(closed));
    const { door } = await openDoor({ workspace, slack: { apiUrl: `http://127.0.0.1:${port}/api/` } });
    expect(door.changesClosed()).toContain("cannot be reached");
  });
});

describe("a Socket Mode connection that Slack recycles", () => {
  test.each([
    "disconnect",
    "cut",
  ] as const)("(%s) is made again, and the next command is answered", async (how) => {
    const { workspace, door } = await openDoor({
      via: "socket",
      ask: () => job(async () => answer("OK", "still here")),
    });
    if (how === "cut") workspace.cutConnections();
    else workspace.disconnect("refresh_requested");
    await workspace.waitFor(() => workspace.calls("apps.connections.open").length === 2, 5_000);
    await expect.poll(() => door.connected() && workspace.connections() === 1, { timeout: 5_000 }).toBe(true);
    const { shown } = await workspace.command(arping);
    expect(shown[0]?.text).toContain("still here");
  });
});

describe("names of the config", () => {
  test("that Slack lost are told, one finding each", async () => {
    const { door } = await openDoor({
      slack: { groups: ["S0OPERATORS", "S0GONE"], channels: ["C0PLATFORM", "C0OLD", "C0NEVER"] },
    });
    expect(door.problems().map((p) => [p.code, p.subject.name])).toEqual([
      ["slack-group-lost", "S0GONE"],
      ["slack-channel-lost", "C0OLD"],
      ["slack-channel-lost", "C0NEVER"],
    ]);
    expect(door.changesClosed()).toBeUndefined();
  });

  test("that could not be looked up are unknown, and changes stay closed until they are", async () => {
    const workspace = await newWorkspace();
    workspace.failNext("usergroups.users.list", { status: 429, times: 1 });
    const { door } = await openDoor({ workspace, slack: { groups: ["S0OPERATORS"] } });
    expect(door.problems()).toMatchObject([{ code: "slack-group-unchecked", severity: "unknown" }]);
    expect(door.changesClosed()).toContain("S0OPERATORS");
    await expect.poll(() => door.changesClosed(), { timeout: 5_000 }).toBeUndefined();
  });
});

describe("who is in a group", () => {
  test("is asked once, and again when Slack says that it changed", async () => {
    const { door, workspace } = await openDoor({ slack: { groups: ["S0OPERATORS", "S0APPROVERS"] } });
    expect(await door.groupsOf("U0OPERATOR")).toEqual(["S0OPERATORS"]);
    expect(await door.groupsOf("U0APPROVER")).toEqual(["S0OPERATORS", "S0APPROVERS"]);
    expect(workspace.calls("usergroups.users.list")).toHaveLength(2);
    await workspace.changeGroup("S0OPERATORS", ["U0APPROVER"]);
    await expect.poll(() => door.groupsOf("U0OPERATOR")).toEqual([]);
  });

  test("is not guessed when Slack does not say", async () => {
    const { door, workspace } = await openDoor({ slack: { groups: ["S0OPERATORS"] } });
    await workspace.changeGroup("S0OPERATORS", ["U0OPERATOR"]);
    workspace.failNext("usergroups.users.list", { status: 429, times: 5 });
    await expect.poll(() => door.groupsOf("U0OPERATOR").catch((e: unknown) => e)).toBeInstanceOf(FaultError);
  });
});

test("stopping lets running work tell its end", async () => {
  const { door, workspace } = await openDoor({
    ask: () =>
      job(
        (_show, signal) =>
          new Promise((resolve) =>
            signal.addEventListener("abort", () => resolve(answer("Stopped", "cut short by a stop"))),
          ),
        { slow: true },
      ),
  });
  await workspace.command({ ...inChannel, command: "/arping", text: "httpbin" });
  await workspace.waitForMessage((m) => !m.onlyFor && m.botId !== undefined, 5_000);
  await door.stop();
  expect(workspace.messages("C0PLATFORM").filter((m) => m.text.includes("cut short"))).toHaveLength(1);
});

test("no secret reaches the log, whatever goes wrong", async () => {
  const workspace = await newWorkspace();
  workspace.failNext("auth.test", { status: 503, times: 1 });
  const { log, door } = await openDoor({ via: "socket", workspace });
  workspace.cutConnections();
  await expect.poll(() => door.connected(), { timeout: 5_000 }).toBe(true);
  expect(JSON.stringify(log)).not.toMatch(/xox[a-z]-|xapp-|lab-signing-secret/);
});
