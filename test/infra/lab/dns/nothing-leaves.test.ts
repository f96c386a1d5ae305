import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import { commands } from "#bot/commands/all.ts";
import { type Composed, compose } from "#bot/compose.ts";
import { loadConfig } from "#bot/load-config.ts";
import { bootLab, type Lab } from "#infra/lab/boot.ts";

let dir: string;
let lab: Lab;
let composed: Composed;
const before: Record<string, string | undefined> = {};
const tcp: string[] = [];
let udp = 0;

const onTcp = (message: unknown): void => {
  const { socket } = message as { socket: Socket };
  socket.on("connectionAttempt", (address: string) => tcp.push(address));
};
const onUdp = (): void => {
  udp += 1;
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "lab-dns-"));
  lab = await bootLab({ scenario: "dns-split-horizon", dir, botPort: 1 });
  for (const [name, value] of Object.entries(lab.env))
    if (name.startsWith("AWS_")) {
      before[name] = process.env[name];
      process.env[name] = value;
    }
  const loaded = await loadConfig({ ARPEGGIO_CONFIG: lab.files.config });
  if (!loaded.ok) throw new Error("the lab wrote a config that the bot does not accept");
  composed = await compose({ config: loaded.config, configPath: loaded.path, warnings: () => [] });
  subscribe("net.client.socket", onTcp);
  subscribe("udp.socket", onUdp);
});
afterAll(async () => {
  unsubscribe("net.client.socket", onTcp);
  unsubscribe("udp.socket", onUdp);
  for (const [name, value] of Object.entries(before))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  await composed.close();
  await lab.close();
  await rm(dir, { recursive: true, force: true });
});

it("the bot as it is composed asks about a name by dig on a vantage and the lab's Route 53, and nowhere else", async () => {
  const people = [{ name: "operator", os: "operator" }];
  const app = createApp({
    commands,
    actions,
    deps: composed.deps,
    roles: () => [{ role: "operator", people: ["operator"], groups: [], clusters: ["*"], channels: [] }],
    people,
    groupsOf: async () => [],
    changesClosed: () => undefined,
    log: () => {},
  });
  const words = "dns explain httpbin.services.k8s.goldentooth.net";
  const asking = await app.ask({ door: "console", person: people[0], account: "operator", words });
  if (asking.kind === "answer") throw new Error(JSON.stringify(asking.reply.verdict));
  const reply = await asking.job.run(() => {}, new AbortController().signal);

  expect(reply.data).toMatchObject({ state: "explained", certain: ["split-horizon"] });
  const { probes } = reply.data as { probes: readonly { from?: string }[] };
  expect(new Set(probes.map(({ from }) => from))).toEqual(new Set(["ops-host", "Route 53"]));
  expect(lab.ssh.received("ops-host").filter((line) => line.includes("@1.1.1.1")).length).toBeGreaterThan(0);
  expect(lab.aws.calls().some(({ call }) => call === "Route53.ListResourceRecordSets")).toBe(true);
  expect(tcp.length).toBeGreaterThan(2);
  expect([...new Set(tcp)]).toEqual(["127.0.0.1"]);
  expect(udp).toBe(0);
  await app.drain();
});
