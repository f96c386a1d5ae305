import { describe, expect, test } from "vitest";
import { scopeFindings } from "#bot/doors/slack/directory.ts";
import { refusalByPayload, refusalByProfile } from "#bot/doors/slack/identity.ts";
import type { Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";

const said = (reply: Reply | undefined): string | undefined => reply && plain(reply.verdict.text);
const sender = { user: "U1", team: "T1", bot: false } as const;

describe("the payload alone", () => {
  test.each([
    ["a member passes", sender, "T1", undefined],
    ["another workspace does not", { ...sender, team: "T2" }, "T1", "another workspace"],
    ["an unknown workspace does not", { ...sender, team: undefined }, "T1", "another workspace"],
    ["a workspace of the organisation passes", { ...sender, team: "T9", enterprise: "E1" }, "E1", undefined],
    ["one of another organisation does not", { ...sender, enterprise: "E2" }, "E1", "another workspace"],
    ["a bot does not", { ...sender, bot: true }, "T1", "other bots"],
  ])("%s", (_, who, home, word) => {
    const reply = refusalByPayload(who, home);
    if (word === undefined) expect(reply).toBeUndefined();
    else expect(said(reply)).toContain(word);
  });
});

describe("the profile", () => {
  const profile = { bot: false, guest: false, stranger: false };
  const refused = (error: string) =>
    ({ ok: false, trouble: { kind: "refused", error, messages: [] } }) as const;

  test.each([
    ["of a member passes", { ok: true, value: profile } as const, undefined],
    ["of a guest does not", { ok: true, value: { ...profile, guest: true } } as const, "guests"],
    [
      "of a stranger does not",
      { ok: true, value: { ...profile, stranger: true } } as const,
      "another workspace",
    ],
    ["of a bot does not", { ok: true, value: { ...profile, bot: true } } as const, "other bots"],
    ["that may not be read passes: such a caller reads at most", refused("missing_scope"), undefined],
    ["of nobody Slack knows does not pass", refused("user_not_found"), "could not say"],
    [
      "that did not come does not pass",
      { ok: false, trouble: { kind: "unavailable", detail: "HTTP 500", arrived: "perhaps" } } as const,
      "could not say",
    ],
  ])("%s", (_, answer, word) => {
    const reply = refusalByProfile(answer);
    if (word === undefined) expect(reply).toBeUndefined();
    else expect(said(reply)).toContain(word);
  });
});

test("every missing scope is told with its price, required ones louder", () => {
  expect(scopeFindings(undefined)).toEqual([]);
  const findings = scopeFindings(["chat:write", "usergroups:read", "channels:history", "channels:read"]);
  expect(findings.map((f) => [f.subject.name, f.severity])).toEqual([
    ["files:write", "warning"],
    ["users:read", "info"],
  ]);
});
