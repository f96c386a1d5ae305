import * as z from "zod";
import { changes } from "./changes.ts";
import type { Command } from "./command.ts";
import { defineVerb } from "./command.ts";
import { doctor } from "./doctor.ts";
import { status } from "./status.ts";
import { whoami } from "./whoami.ts";

/** `help` is answered before a verb runs, since it must work when nothing else does; it stands here to be listed. */
const help = defineVerb({
  path: ["help"],
  usage: "[COMMAND]",
  summary: "All commands, or one of them with its options.",
  examples: ["arping"],
  positionals: ["command"],
  options: [],
  input: z.object({ command: z.string().optional() }),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["slack", "console", "cli"],
  handle: () => Promise.reject(new Error("help is answered by the parser")),
});

export const arpeggio: Command = {
  name: "arpeggio",
  summary: "Help, status, what changed on the site, doctor, who you are.",
  verbs: [help, status, changes, doctor, whoami],
};
