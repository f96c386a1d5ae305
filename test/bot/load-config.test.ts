import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "#bot/load-config.ts";

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
