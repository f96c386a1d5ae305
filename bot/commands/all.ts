import { announcer } from "./announcer.ts";
import { arp } from "./arp.ts";
import { arpeggio } from "./arpeggio.ts";
import { arping } from "./arping.ts";
import type { Command } from "./command.ts";
import { dns } from "./dns.ts";
import { manifest } from "./manifest.ts";
import { migrate } from "./migrate.ts";
import { nodes } from "./nodes.ts";
import { runbook } from "./runbook.ts";
import { schema } from "./schema.ts";
import { sudoers } from "./sudoers.ts";

/**
 * Every command, in the order help shows them. Slack, console, CLI, help and the app manifest all read this list; a new
 * command is a file beside this and a line here.
 */
export const commands: readonly Command[] = [
  arping,
  nodes,
  migrate,
  runbook,
  arpeggio,
  announcer,
  arp,
  dns,
  schema,
  manifest,
  sudoers,
];

/** Those that Slack knows as slash commands. */
export const slackCommands = (): readonly Command[] =>
  commands.filter((command) => command.verbs.some((verb) => verb.doors.includes("slack")));
