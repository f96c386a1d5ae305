import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { secret } from "#bot/environment.ts";
import { loadConfig, readOnCallSecrets } from "#bot/load-config.ts";

const folder = mkdtempSync(join(tmpdir(), "arpeggio-config-"));

const saidOf = async (path: string): Promise<unknown> => {
  const loaded = await loadConfig({ ARPEGGIO_CONFIG: path });
  return loaded.ok ? "loaded" : loaded.reply.data;
};

it("names a file that is not there, in words", async () => {
  const path = join(folder, "no-such.yaml");
  expect(await saidOf(path)).toEqual({
    problems: [`${path} (ARPEGGIO_CONFIG) cannot be read: there is no such file`],
  });
});

it("says that a directory is no file, and that a file is no directory", async () => {
  expect(await saidOf(folder)).toEqual({
    problems: [`${folder} (ARPEGGIO_CONFIG) cannot be read: it is a directory, a file was expected`],
  });
  const file = join(folder, "config.yaml");
  writeFileSync(file, "clusters: []\n");
  const below = join(file, "config.yaml");
  expect(await saidOf(below)).toEqual({
    problems: [`${below} (ARPEGGIO_CONFIG) cannot be read: a part of the path is not a directory`],
  });
});

it("reads without a config, and tells the place of what is wrong in one", async () => {
  expect((await loadConfig({})).ok).toBe(true);
  expect(await saidOf(join(folder, "config.yaml"))).toEqual({
    problems: [expect.stringContaining("config.yaml:1:11 clusters")],
  });
});

describe("secrets of a bot on call", () => {
  const alerts = {
    quietSeconds: 300,
    storm: { over: 5, withinSeconds: 60, calmSeconds: 300 },
    routes: [],
  };
  const heartbeat = { everySeconds: 60, method: "GET" as const };
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it("come from files, without what an editor adds, and print as [secret]", () => {
    const read = readOnCallSecrets(
      {
        alerts: { ...alerts, tokenFile: file("token", "0123456789abcdef0123\n") },
        heartbeat: { ...heartbeat, urlFile: file("url", "https://hc.example.net/ping/x\n") },
      },
      {},
    );
    expect(read.ok && read.secrets.alertsToken?.reveal()).toBe("0123456789abcdef0123");
    expect(read.ok && read.secrets.heartbeatUrl?.reveal()).toBe("https://hc.example.net/ping/x");
    expect(JSON.stringify(read)).not.toContain("0123");
    expect(inspect(read, { depth: 9 })).not.toContain("0123");
  });

  it("come from the environment first, and are not asked for where nothing needs them", () => {
    const token = secret("from-the-environment");
    const read = readOnCallSecrets(
      { alerts: { ...alerts, tokenFile: "/nowhere" } },
      { ARPEGGIO_ALERTS_TOKEN: token },
    );
    expect(read.ok && read.secrets.alertsToken?.reveal()).toBe("from-the-environment");
    expect(readOnCallSecrets({}, {})).toEqual({ ok: true, secrets: {} });
  });

  it("that are missing or bad are told all at once, without their values", () => {
    expect(readOnCallSecrets({ alerts, heartbeat }, {})).toEqual({
      ok: false,
      problems: [
        "alerts.token needs ARPEGGIO_ALERTS_TOKEN or alerts.tokenFile",
        "heartbeat.url needs ARPEGGIO_HEARTBEAT_URL or heartbeat.urlFile",
      ],
    });
    const short = file("short", "hunter2\n");
    const none = join(folder, "none");
    expect(
      readOnCallSecrets(
        { alerts: { ...alerts, tokenFile: short }, heartbeat: { ...heartbeat, urlFile: none } },
        {},
      ),
    ).toEqual({
      ok: false,
      problems: [
        `${short} (alerts.tokenFile) must hold one token of at least 16 characters`,
        `${none} (heartbeat.urlFile) cannot be read: there is no such file`,
      ],
    });
  });
});
