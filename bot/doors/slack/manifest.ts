import { Document, isSeq } from "yaml";
import type { Command } from "../../commands/command.ts";
import { shortcuts } from "./shortcuts.ts";

export type ManifestOptions = Readonly<{
  /** The command table; verbs that Slack does not offer are left out of the hints. */
  commands: readonly Command[];
  /** Put before every command where a name is taken: `x-` makes `/x-arping`. */
  prefix: string;
  socketMode: boolean;
  /** Where Slack sends commands, events and button presses; needed without Socket Mode. */
  requestUrl?: string;
}>;

/** Each is used; without one of them something that the product promises does not work. */
export const requiredScopes = [
  "commands",
  "chat:write",
  "app_mentions:read",
  "files:write",
  "usergroups:read",
] as const;

/** Worth granting, and why; docs/slack.md says what each missing one costs. */
export const optionalScopes: readonly Readonly<{ scope: string; why: string }>[] = [
  { scope: "channels:history", why: "find out after a lost answer whether a message was posted" },
  { scope: "groups:history", why: "the same in private channels" },
  { scope: "users:read", why: "tell guests from members among people the config does not name" },
  { scope: "channels:read", why: "notice at start that a channel of a rule is archived or gone" },
];

type SlashCommand = Readonly<{
  command: string;
  description: string;
  usage_hint: string;
  should_escape: boolean;
  url?: string;
}>;

export type SlackManifest = Readonly<{
  display_information: Readonly<{
    name: string;
    description: string;
    long_description: string;
    background_color: string;
  }>;
  features: Readonly<{
    bot_user: Readonly<{ display_name: string; always_online: boolean }>;
    slash_commands: readonly SlashCommand[];
    shortcuts: readonly Readonly<{
      name: string;
      type: "message";
      callback_id: string;
      description: string;
    }>[];
  }>;
  oauth_config: Readonly<{ scopes: Readonly<{ bot: readonly string[] }> }>;
  settings: Readonly<{
    event_subscriptions: Readonly<{ bot_events: readonly string[]; request_url?: string }>;
    interactivity: Readonly<{ is_enabled: boolean; request_url?: string }>;
    org_deploy_enabled: boolean;
    socket_mode_enabled: boolean;
    token_rotation_enabled: boolean;
  }>;
}>;

const most = { commands: 50, command: 32, description: 2_000, usageHint: 1_000 } as const;

const cut = (value: string, length: number): string =>
  value.length <= length ? value : `${value.slice(0, length - 1)}…`;

/** What Slack shows while somebody types: the arguments of each verb, not the command itself. */
const usageHint = (command: Command): string =>
  command.verbs
    .filter((verb) => verb.doors.includes("slack"))
    .map((verb) => [...verb.path, verb.usage].filter((part) => part !== "").join(" "))
    .filter((hint) => hint !== "")
    .join(" | ");

/**
 * The app as Slack's manifest describes it. Throws with every problem at once when a command breaks a limit that
 * shortening cannot mend, such as a prefix that makes a name longer than 32 characters.
 */
export function slackManifest(options: ManifestOptions): SlackManifest {
  const { commands, prefix, socketMode, requestUrl } = options;
  const names = commands.map(({ name }) => `/${prefix}${name}`);
  const problems = [
    ...names
      .filter((name) => name.length > most.command)
      .map((name) => `${name} has ${name.length} characters, Slack takes ${most.command} with the slash`),
    ...names
      .filter((name) => !/^\/[a-z0-9_-]+$/.test(name))
      .map((name) => `${name} may hold lower-case letters, digits, dashes and underscores only`),
    ...names.filter((name, i) => names.indexOf(name) !== i).map((name) => `${name} is there twice`),
    ...(commands.length > most.commands ? [`${commands.length} commands, Slack takes ${most.commands}`] : []),
    ...(!socketMode && requestUrl === undefined
      ? [
          "without Socket Mode the manifest needs the request URL, for example https://bot.example.net/slack/events",
        ]
      : []),
  ];
  if (problems.length > 0) throw new Error(`The Slack manifest cannot be made: ${problems.join("; ")}.`);
  const url = socketMode || requestUrl === undefined ? {} : { url: requestUrl };
  const request = socketMode || requestUrl === undefined ? {} : { request_url: requestUrl };
  return {
    display_information: {
      name: "Arpeggio",
      description:
        "Predict. Prove. Then change. MetalLB addresses and DNS of bare-metal Kubernetes clusters.",
      long_description:
        "Arpeggio predicts what MetalLB and ExternalDNS will do, proves on the wire and in the zone what really happens, and changes things only through approved and recorded steps whose way back is known. Ask it who answers for an address, which nodes need a hand, and what will change next.",
      background_color: "#1f3a3d",
    },
    features: {
      bot_user: { display_name: "arpeggio", always_online: false },
      slash_commands: commands.map((command, i) => ({
        command: names[i] ?? "",
        description: cut(command.summary, most.description),
        usage_hint: cut(usageHint(command), most.usageHint),
        should_escape: false,
        ...url,
      })),
      shortcuts: shortcuts.map(({ name, callback, about }) => ({
        name,
        type: "message",
        callback_id: callback,
        description: about,
      })),
    },
    oauth_config: { scopes: { bot: requiredScopes } },
    settings: {
      event_subscriptions: { bot_events: ["app_mention", "subteam_members_changed"], ...request },
      interactivity: { is_enabled: true, ...request },
      org_deploy_enabled: false,
      socket_mode_enabled: socketMode,
      token_rotation_enabled: false,
    },
  };
}

/** The manifest as YAML, with the optional scopes as comments that can be uncommented. */
export function manifestYaml(options: ManifestOptions): string {
  const document = new Document(slackManifest(options));
  document.commentBefore = [
    " Slack app manifest, generated from the command table. Paste it at api.slack.com/apps, Create New App, From a",
    ` manifest.${options.socketMode ? " Then make an app-level token with the scope connections:write." : ""} docs/slack.md walks through it.`,
  ].join("\n");
  const scopes = document.getIn(["oauth_config", "scopes", "bot"]);
  if (isSeq(scopes)) {
    scopes.comment = [
      " Optional; remove the # of those you grant:",
      ...optionalScopes.map(({ scope, why }) => ` - ${scope} # ${why}`),
    ].join("\n");
  }
  return document.toString({ lineWidth: 0 });
}
