import { describe, expect, it } from "vitest";
import type { Deps } from "#bot/commands/command.ts";
import { dns } from "#bot/commands/dns.ts";
import { parseCommand } from "#bot/parse.ts";
import { checkFiles } from "#bot/run-dns-check.ts";
import { FaultError } from "#shared/fault.ts";
import { exitCode, type Reply } from "#shared/reply.ts";

const set = (Name: string, Type: string, Value: string, TTL = 300) => ({
  Name,
  Type,
  TTL,
  ResourceRecords: [{ Value }],
});

const heritage = '"heritage=external-dns,external-dns/owner=default,external-dns/resource=service/apps/web"';

const zone = (...sets: readonly unknown[]): string => JSON.stringify({ ResourceRecordSets: sets });

const dump = JSON.stringify({
  kind: "List",
  items: [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "web",
        namespace: "apps",
        annotations: { "external-dns.kubernetes.io/hostname": "web.example.com" },
      },
      spec: { type: "LoadBalancer" },
      status: { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } },
    },
  ],
});

const right = [set("web.example.com.", "A", "10.0.0.1"), set("a-web.example.com.", "TXT", heritage)];

async function check(words: readonly string[], files: Readonly<Record<string, string>>): Promise<Reply> {
  const parsed = parseCommand(["dns", "check", ...words], [dns], "cli");
  if (parsed.kind !== "verb") throw new Error(`parsed as ${JSON.stringify(parsed)}`);
  const deps = {
    clock: { now: () => Date.UTC(2026, 10, 23, 12) },
    readFile: async (path: string): Promise<string> => {
      const content = files[path];
      if (content === undefined)
        throw new FaultError({ kind: "unreadable", what: path, detail: "no such file or directory" });
      return content;
    },
  } as Deps;
  return checkFiles(parsed.input as never, deps);
}

const words = [
  "--zone-file",
  "zone.json",
  "--endpoints",
  "dump.json",
  "--zone",
  "example.com",
  "--owner",
  "default",
];
const sync = [...words, "--policy", "sync"];
const files = (...sets: readonly unknown[]) => ({ "zone.json": zone(...sets), "dump.json": dump });

describe("dns check", () => {
  it("prints nothing but an empty list for a zone that is as wanted, and exits with 0", async () => {
    const reply = await check(sync, files(...right));
    expect(reply.json).toEqual({
      zone: "example.com",
      complete: true,
      counts: { we: 0, externalDns: 0, nobody: 0 },
      drifts: [],
      findings: [],
      deletesBlocked: [],
      unknown: [],
    });
    expect(exitCode(reply)).toBe(0);
  });

  it("prints each difference with owner, repair and offer, and exits with 1", async () => {
    const reply = await check(sync, files(set("web.example.com.", "A", "10.0.0.1")));
    expect(reply.json).toMatchObject({
      counts: { we: 1, externalDns: 0, nobody: 0 },
      drifts: [
        {
          kind: "record-unowned",
          name: "web.example.com",
          type: "A",
          ownership: "unowned",
          repair: "we",
          outlook: "we will adopt it by writing its ownership record, after approval",
          offer: {
            kind: "adopt",
            changes: [{ action: "CREATE", set: set("a-web.example.com.", "TXT", heritage) }],
            given: [set("web.example.com.", "A", "10.0.0.1")],
          },
        },
      ],
    });
    expect(exitCode(reply)).toBe(1);
  });

  it("exits with 3 when something is not modelled, and calls nothing orphaned", async () => {
    const deployment = JSON.stringify({
      kind: "Deployment",
      metadata: { name: "external-dns", namespace: "dns" },
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: "external-dns",
                image: "external-dns:v0.22.0",
                args: ["--policy=sync", "--source=node", "--source=service", "--interval=5m"],
              },
            ],
          },
        },
      },
    });
    const reply = await check([...words, "--deployment", "d.json"], {
      ...files(
        ...right,
        set("gone.example.com.", "A", "10.0.0.9"),
        set("a-gone.example.com.", "TXT", heritage),
      ),
      "d.json": deployment,
    });
    expect(reply.json).toMatchObject({
      complete: false,
      drifts: [],
      unknown: expect.arrayContaining([expect.stringContaining("--source=node")]),
    });
    expect(exitCode(reply)).toBe(3);
  });

  it("names every problem of its input, and exits with 2", async () => {
    const reply = await check([...words, "--txt-prefix", "a", "--txt-suffix", "b"], { "zone.json": "{}" });
    expect(exitCode(reply)).toBe(2);
    expect(reply.json).toMatchObject({
      error: {
        what: "dns check",
        problems: expect.arrayContaining([
          expect.stringContaining("dump.json"),
          expect.stringContaining("zone.json"),
          expect.stringContaining("--policy is missing"),
          expect.stringContaining("exclude each other"),
        ]),
      },
    });
  });
});
