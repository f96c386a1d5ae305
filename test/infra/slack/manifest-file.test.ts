import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { slackCommands } from "#bot/commands/all.ts";
import { slackManifest } from "#bot/doors/slack/manifest.ts";

test("the manifest file says what the command table says", () => {
  const file = readFileSync(new URL("../../../infra/slack/manifest.yaml", import.meta.url), "utf8");
  expect(parse(file)).toEqual(slackManifest({ commands: slackCommands(), prefix: "", socketMode: true }));
});
