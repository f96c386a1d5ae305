import type { Command } from "./command.ts";
import { ownership } from "./dns-ownership.ts";

export const dns: Command = {
  name: "dns",
  summary: "What ExternalDNS owns in Route 53, and what it would do.",
  verbs: [ownership],
};
