import { KeyObject } from "node:crypto";
import { once } from "node:events";
import type { Client } from "ssh2";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepKeyObjects } from "#shared/adapters/ssh-cipher-keys.ts";
import { connectSsh, type SshConnection } from "#shared/adapters/ssh-connect.ts";
import { runOverSsh } from "#shared/adapters/ssh-exec.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { SshAccess } from "#shared/site/site.ts";
import { startSshLab } from "./ssh-lab.ts";

let lab: Awaited<ReturnType<typeof startSshLab>>;
let connection: SshConnection;
beforeEach(async () => {
  lab = await startSshLab(["karstark"]);
  connection = await connectSsh({
    access: lab.access("karstark") as SshAccess,
    what: "ssh to karstark",
    timeoutMs: 10_000,
    clock: systemClock,
  });
});
afterEach(async () => {
  connection.close();
  await lab.close();
});

const keys = (): readonly unknown[] => {
  const { _protocol } = connection.client as unknown as {
    _protocol: { _cipher: { _encKey: unknown }; _decipher: { _decipherKey: unknown } };
  };
  return [_protocol._cipher._encKey, _protocol._decipher._decipherKey];
};

const hostname = async () =>
  (
    await runOverSsh({
      connection,
      what: "hostname on karstark",
      commandLine: "hostname",
      timeoutMs: 10_000,
      clock: systemClock,
      signal: undefined,
      onLine: undefined,
    }).output
  ).stdout;

it("has both keys as objects from the first command on, and commands go on as before", async () => {
  expect(keys().every((key) => key instanceof Uint8Array)).toBe(true);
  expect([await hostname(), await hostname()]).toEqual(["karstark\n", "karstark\n"]);
  expect(keys().every((key) => key instanceof KeyObject)).toBe(true);
});

it("goes on after a new key exchange, which brings new keys", async () => {
  await hostname();
  const before = keys();
  const exchanged = once(connection.client, "handshake");
  (connection.client as unknown as { _protocol: { rekey: () => void } })._protocol.rekey();
  await exchanged;
  expect(await hostname()).toBe("karstark\n");
  const after = keys();
  expect(after.every((key) => key instanceof KeyObject)).toBe(true);
  expect(after[0]).not.toBe(before[0]);
});

it("does nothing to a connection that keeps its keys elsewhere", () => {
  for (const inner of [{}, { _protocol: {} }, { _protocol: { _cipher: { _encKeyMain: "bytes" } } }]) {
    const kept = structuredClone(inner);
    keepKeyObjects(inner as unknown as Client);
    expect(JSON.stringify(inner)).toBe(JSON.stringify(kept));
  }
});
