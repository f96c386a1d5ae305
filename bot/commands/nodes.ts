import type { Command } from "./command.ts";
import { impact } from "./nodes-impact.ts";

export const nodes: Command = {
  name: "nodes",
  summary: "What each node carries, and what moves if it dies.",
  verbs: [impact],
};
