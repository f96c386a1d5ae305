import type { Command } from "./command.ts";
import { check } from "./nodes-check.ts";
import { explain } from "./nodes-explain.ts";
import { fix } from "./nodes-fix.ts";
import { impact } from "./nodes-impact.ts";
import { list } from "./nodes-list.ts";

export const nodes: Command = {
  name: "nodes",
  summary: "What is wrong with the nodes, what each carries, and what moves if it dies.",
  verbs: [check, list, impact, explain, fix],
};
