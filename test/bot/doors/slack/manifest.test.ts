import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { type Command, defineVerb } from "#bot/commands/command.ts";
import { manifestYaml, optionalScopes, requiredScopes, slackManifest } from "#bot/doors/slack/manifest.ts";

const verb = (
  path: readonly string[],
  usage: string,
  doors: readonly ("slack" | "cli")[] = ["slack", "cli"],
) =>
  defineVerb({
    path,
    usage,
    summary: "does something",
    examples: [],
    positionals: [],
    options: [],
    input: z.object({}),
    role: "viewer",
    effect: "none",
    slow: false,
    cluster: "none",
    doors,
    handle: () => Promise.reject(new Error("not called")),
  });

const arping: Command = {
  name: "arping",
  summary: "Who answers for an address",
  verbs: [
    verb([], "SERVICE|IP|all [--count N]"),
    verb(["watch"], "SERVICE --for 60s"),
    verb(["read"], "FILE", ["cli"]),
  ],
};
const named = (name: string): Command => ({ ...arping, name });

describe("the manifest", () => {
  test("keeps within Slack's limits, whatever the commands say", () => {
    const wordy: Command = {
      ...arping,
      name: "wordy",
      summary: "s".repeat(5_000),
      verbs: [verb([], "u".repeat(5_000))],
    };
    const { display_information: about, features } = slackManifest({
      commands: [arping, wordy],
      prefix: "x-",
      socketMode: true,
    });
    expect(about.name.length).toBeLessThanOrEqual(35);
    expect(about.description.length).toBeLessThanOrEqual(140);
    expect(about.long_description.length).toBeGreaterThanOrEqual(175);
    expect(about.long_description.length).toBeLessThanOrEqual(4_000);
    expect(about.background_color).toMatch(/^#[0-9a-f]{6}$/);
    expect(features.bot_user.display_name.length).toBeLessThanOrEqual(80);
    expect(features.slash_commands.length).toBeLessThanOrEqual(50);
    expect(features.shortcuts.length).toBeLessThanOrEqual(10);
    for (const shortcut of features.shortcuts) {
      expect(shortcut.type).toBe("message");
      expect(shortcut.name.length).toBeLessThanOrEqual(24);
      expect(shortcut.description.length).toBeLessThanOrEqual(150);
    }
    expect(features.shortcuts.map(({ callback_id }) => callback_id)).toEqual([
      "arpeggio-next-step",
      "arpeggio-add-to-timeline",
    ]);
    for (const command of features.slash_commands) {
      expect(command.command).toMatch(/^\/[a-z0-9_-]{1,31}$/);
      expect(command.usage_hint.length).toBeLessThanOrEqual(1_000);
      expect(command.description.length).toBeLessThanOrEqual(2_000);
    }
  });

  test("hints at the verbs that Slack offers and at no others", () => {
    const { features } = slackManifest({ commands: [arping], prefix: "", socketMode: true });
    expect(features.slash_commands).toEqual([
      {
        command: "/arping",
        description: "Who answers for an address",
        usage_hint: "SERVICE|IP|all [--count N] | watch SERVICE --for 60s",
        should_escape: false,
      },
    ]);
  });

  test.each([
    ["a name that is too long with its prefix", [named("arping")], `${"x".repeat(30)}-`, "32"],
    ["a name twice", [named("a"), named("a")], "", "twice"],
    ["a name of other signs", [named("Arping!")], "", "lower-case"],
    [
      "more commands than Slack takes",
      Array.from({ length: 51 }, (_, i) => named(`c${i}`)),
      "",
      "51 commands",
    ],
  ])("refuses %s", (_, commands, prefix, word) => {
    expect(() => slackManifest({ commands, prefix, socketMode: true })).toThrow(word);
  });

  test("tells Slack where to send, exactly when there is no Socket Mode", () => {
    const requestUrl = "https://bot.example.net/slack/events";
    const http = slackManifest({ commands: [arping], prefix: "", socketMode: false, requestUrl });
    expect(http.features.slash_commands[0]?.url).toBe(requestUrl);
    expect(http.settings.event_subscriptions.request_url).toBe(requestUrl);
    expect(http.settings.interactivity).toEqual({ is_enabled: true, request_url: requestUrl });
    expect(http.settings.socket_mode_enabled).toBe(false);
    expect(
      JSON.stringify(slackManifest({ commands: [arping], prefix: "", socketMode: true, requestUrl })),
    ).not.toContain("url");
    expect(() => slackManifest({ commands: [arping], prefix: "", socketMode: false })).toThrow("request URL");
  });

  test("promises nothing that the door does not do", () => {
    const manifest = slackManifest({ commands: [arping], prefix: "", socketMode: true });
    expect(Object.keys(manifest.features)).toEqual(["bot_user", "slash_commands", "shortcuts"]);
    expect(manifest.settings.event_subscriptions.bot_events).toEqual([
      "app_mention",
      "subteam_members_changed",
    ]);
    expect(manifest.oauth_config.scopes.bot).toEqual([
      "commands",
      "chat:write",
      "app_mentions:read",
      "files:write",
      "usergroups:read",
    ]);
  });

  test("as YAML says the same, and names the optional scopes in comments", () => {
    const options = { commands: [arping], prefix: "", socketMode: true };
    const yaml = manifestYaml(options);
    expect(parse(yaml)).toEqual(slackManifest(options));
    for (const { scope, why } of optionalScopes) expect(yaml).toContain(`# - ${scope} # ${why}`);
  });

  test("with every optional scope uncommented is still YAML that grants them", () => {
    const yaml = manifestYaml({ commands: [arping], prefix: "", socketMode: true }).replaceAll("# - ", "- ");
    expect(parse(yaml).oauth_config.scopes.bot).toEqual([
      ...requiredScopes,
      ...optionalScopes.map(({ scope }) => scope),
    ]);
  });
});
