import { describe, expect, test } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { shellOn } from "#shared/twin/shell-on.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinOf } from "./twin-fixture.ts";

const vantage = { kind: "vantage", name: "ops-host" } as const;
const arping = ["arping", "-b", "-c", "5", "-I", "eth0", "10.4.11.1"] as const;

const faultOf = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FaultError);
  return (error as FaultError).fault;
};

describe("the shell of a twin", () => {
  test("gives lines with the times they came, and start and end on the twin's clock", async () => {
    const fixture = twinOf(healthy());
    const start = fixture.clock.now();
    const output = await fixture.run("ops-host", arping.join(" "));
    expect(output.endedAt - output.startedAt).toBe(5_000);
    expect(output.lines.map(({ at, stream, text }) => [at - start, stream, text.slice(0, 7)])).toEqual([
      [0, "stdout", "ARPING "],
      [0, "stdout", "Unicast"],
      [1_000, "stdout", "Unicast"],
      [2_000, "stdout", "Unicast"],
      [3_000, "stdout", "Unicast"],
      [4_000, "stdout", "Unicast"],
      [5_000, "stdout", "Sent 5 "],
      [5_000, "stdout", "Receive"],
    ]);
  });

  test("a command that takes longer than it may is a time-out", async () => {
    const fixture = twinOf(healthy());
    const { kind, what } = await faultOf(fixture.run("ops-host", arping.join(" "), 2_500));
    expect([kind, what]).toEqual(["timed-out", "arping on ops-host"]);
    expect(fixture.clock.now() - Date.UTC(2026, 0, 1)).toBe(2_500);
  });

  test("a machine that hangs is a time-out, one that is off is unreachable", async () => {
    const fixture = twinOf(healthy());
    fixture.twin.hang("ops-host", true);
    expect((await faultOf(fixture.run("ops-host", "true", 1_000))).kind).toBe("timed-out");
    fixture.twin.hang("ops-host", false);
    expect((await fixture.run("ops-host", "true", 1_000)).exitCode).toBe(0);
    fixture.twin.setPower("ops-host", false);
    expect((await faultOf(fixture.run("ops-host", "true", 1_000))).kind).toBe("unreachable");
    expect((await faultOf(fixture.run("nowhere", "true"))).kind).toBe("not-configured");
  });

  test("a machine that dies while a command runs gives nothing more", async () => {
    const fixture = twinOf(healthy());
    const running = faultOf(fixture.start("dalt", "sleep 5", 8_000));
    await fixture.clock.advance(1_000);
    fixture.twin.setPower("dalt", false);
    expect((await fixture.clock.runUntil(running)).kind).toBe("timed-out");
  });

  test("an abort before the start is cancelled, one after it ends the command with what came so far", async () => {
    const { twin, clock } = twinOf(healthy());
    const shell = shellOn(twin);
    const command = { argv: arping, privileged: true, timeoutMs: 60_000 };
    const gone = new AbortController();
    gone.abort();
    expect((await faultOf(shell(vantage, command, { signal: gone.signal }))).kind).toBe("cancelled");
    const abort = new AbortController();
    const seen: string[] = [];
    const running = shell(vantage, command, { signal: abort.signal, onLine: ({ text }) => seen.push(text) });
    await clock.advance(1_500);
    abort.abort();
    const output = await clock.runUntil(running);
    expect(output.exitCode).toBeNull();
    expect(output.stdout).toMatch(/Received 2 response\(s\)\n$/);
    expect(output.lines.map(({ text }) => text)).toEqual(seen);
  });

  test("a program that is not there is the shell's 127, under sudo its 1; no privilege is told as each tells it", async () => {
    const fixture = twinOf(healthy());
    fixture.twin.removeTool("ops-host", "arping");
    expect(await fixture.run("ops-host", arping.join(" "))).toMatchObject({
      exitCode: 127,
      stderr: "bash: line 1: arping: command not found\n",
    });
    expect(await fixture.run("ops-host", `sudo -n -- ${arping.join(" ")}`)).toMatchObject({
      exitCode: 1,
      stderr: "sudo: arping: command not found\n",
    });
    expect((await fixture.run("guest-client", "sudo -n -- hostname")).stdout).toBe("guest-client\n");
    fixture.twin.dropPrivilege("guest-client");
    expect(await fixture.run("guest-client", "sudo -n -- hostname")).toMatchObject({
      exitCode: 1,
      stderr: "sudo: a password is required\n",
    });
    expect((await fixture.run("guest-client", arping.join(" "))).stderr).toBe(
      "arping: socket: Operation not permitted\n",
    );
  });
});

describe("reading from the store of a twin", () => {
  test("gives the kinds that were asked for, and why a denied one is missing", async () => {
    const { store } = twinOf(healthy()).twin;
    const { nodes, services } = await readOn(store, ["services"])(["nodes", "services"]);
    expect(nodes).toHaveLength(13);
    expect(services).toMatchObject({ kind: "denied", what: "list of services" });
  });
});
