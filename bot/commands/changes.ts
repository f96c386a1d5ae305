import * as z from "zod";
import { changesReply } from "#shared/changes/changes-reply.ts";
import { collectChanges } from "#shared/changes/collect-changes.ts";
import { gapsOf } from "#shared/changes/gaps.ts";
import { runsOf } from "#shared/changes/runs.ts";
import { parseSince, sinceExpected } from "#shared/changes/since.ts";
import { type WatchedKind, watchedKinds } from "#shared/changes/watched-kinds.ts";
import { isFault } from "#shared/fault.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { defineVerb } from "./command.ts";

const kinds: readonly ResourceKind[] = ["events", ...(Object.keys(watchedKinds) as WatchedKind[])];

const since = z.string().transform((words, context) => {
  const ms = parseSince(words);
  if (ms !== undefined) return ms;
  context.addIssue({ code: "custom", message: sinceExpected });
  return z.NEVER;
});

/** `/arpeggio changes [--since 1h]`: what changed on the site, newest first, each with its source. */
export const changes = defineVerb({
  path: ["changes"],
  usage: "[--since 1h]",
  summary: "What changed on the site lately, newest first, each with who says so.",
  examples: ["", "--since 15m"],
  positionals: [],
  options: [{ name: "since", value: "TIME", about: "how far back: 30s, 15m, 1h (the default), 2d" }],
  input: z.object({ since: since.default(3_600_000) }),
  role: "viewer",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async ({ input, cluster, deps, signal }) => {
    if (!cluster) throw new Error("changes are those of one cluster");
    const { name } = cluster.config;
    const until = deps.clock.now();
    const window = { since: until - input.since, until };
    const [lists, runs] = await Promise.all([cluster.read(kinds, signal), runsOf(deps.ledger, window, name)]);
    const collected = collectChanges(lists, window);
    return changesReply({
      cluster: name,
      window,
      changes: collected.changes,
      runs: runs.kind === "read" ? runs.changes : [],
      gaps: gapsOf(lists, window, { ...collected, runs }),
      blind: kinds.every((kind) => isFault(lists[kind])),
    });
  },
});
