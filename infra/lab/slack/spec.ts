/** A person or bot of the workspace. `team` differs from the workspace's own for people of a connected workspace. */
export type UserSpec = Readonly<{
  id: string;
  name: string;
  realName: string;
  team?: string;
  isBot?: boolean;
  /** A guest who sees a few channels only. */
  isRestricted?: boolean;
  /** Somebody of another workspace who shares a channel with this one (Slack Connect). */
  isStranger?: boolean;
}>;

export type UserGroupSpec = Readonly<{ id: string; handle: string; members: readonly string[] }>;

export type ChannelSpec = Readonly<{
  id: string;
  name: string;
  isArchived?: boolean;
  isPrivate?: boolean;
  /** User ids; the bot is in the channel when its user id is among them. */
  members: readonly string[];
}>;

export type AppSpec = Readonly<{
  id: string;
  botUserId: string;
  botId: string;
  botToken: string;
  appToken: string;
  signingSecret: string;
  scopes: readonly string[];
  appScopes: readonly string[];
}>;

export type WorkspaceSpec = Readonly<{
  team: Readonly<{ id: string; domain: string }>;
  users: readonly UserSpec[];
  userGroups: readonly UserGroupSpec[];
  channels: readonly ChannelSpec[];
  app: AppSpec;
  /** Machine milliseconds within which a command, click or event must be acknowledged. Slack: 3,000. */
  ackWithinMs: number;
  /** How long a trigger id can open a view, in clock milliseconds. Slack: about 3,000. */
  triggerLivesMs: number;
  /** Clock milliseconds before each redelivery of an unacknowledged event. Slack: about at once, 1 min, 5 min. */
  redeliverAfterMs: readonly number[];
  /** Machine milliseconds between the pings a Socket Mode connection gets. */
  pingEveryMs: number;
}>;

/** The workspace of the lab: one channel per use, two approvers, a guest, a bot and somebody of a second workspace. */
export const labWorkspace: WorkspaceSpec = {
  team: { id: "T0LAB", domain: "goldentooth-lab" },
  users: [
    { id: "U0OPERATOR", name: "operator", realName: "Olive Operator" },
    { id: "U0APPROVER", name: "approver", realName: "Ada Approver" },
    { id: "U0APPROVER2", name: "approver-2", realName: "Abel Approver" },
    { id: "U0VIEWER", name: "viewer", realName: "Vera Viewer" },
    { id: "U0GUEST", name: "guest", realName: "Gus Guest", isRestricted: true },
    { id: "U0OTHERBOT", name: "otherbot", realName: "Another bot", isBot: true },
    { id: "U0FOREIGN", name: "foreign", realName: "Fay Foreign", team: "T0OTHER", isStranger: true },
    { id: "U0ARPEGGIO", name: "arpeggio", realName: "Arpeggio", isBot: true },
  ],
  userGroups: [
    { id: "S0OPERATORS", handle: "operators", members: ["U0OPERATOR", "U0APPROVER", "U0APPROVER2"] },
    { id: "S0APPROVERS", handle: "approvers", members: ["U0APPROVER", "U0APPROVER2"] },
  ],
  channels: [
    {
      id: "C0PLATFORM",
      name: "platform",
      members: [
        "U0OPERATOR",
        "U0APPROVER",
        "U0APPROVER2",
        "U0VIEWER",
        "U0GUEST",
        "U0OTHERBOT",
        "U0FOREIGN",
        "U0ARPEGGIO",
      ],
    },
    { id: "C0DNS", name: "dns-drift", members: ["U0OPERATOR", "U0APPROVER", "U0ARPEGGIO"] },
    { id: "C0ALERTS", name: "alerts", members: ["U0OPERATOR", "U0APPROVER", "U0VIEWER", "U0ARPEGGIO"] },
    { id: "C0RANDOM", name: "random", members: ["U0OPERATOR", "U0VIEWER"] },
    { id: "C0PRIVATE", name: "board", isPrivate: true, members: ["U0APPROVER"] },
    { id: "C0OLD", name: "old-ops", isArchived: true, members: ["U0OPERATOR", "U0ARPEGGIO"] },
  ],
  app: {
    id: "A0ARPEGGIO",
    botUserId: "U0ARPEGGIO",
    botId: "B0ARPEGGIO",
    botToken: "xoxb-lab-bot-token",
    appToken: "xapp-lab-app-token",
    signingSecret: "lab-signing-secret",
    scopes: [
      "commands",
      "chat:write",
      "app_mentions:read",
      "files:write",
      "usergroups:read",
      "channels:read",
      "channels:history",
      "groups:read",
      "groups:history",
      "im:read",
      "im:write",
      "im:history",
      "users:read",
      "reactions:write",
    ],
    appScopes: ["connections:write"],
  },
  ackWithinMs: 3_000,
  triggerLivesMs: 3_000,
  redeliverAfterMs: [1_000, 60_000, 300_000],
  pingEveryMs: 5_000,
};
