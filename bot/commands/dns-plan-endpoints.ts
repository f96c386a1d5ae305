import * as z from "zod";
import { domainMatcher, noDomainFilter } from "#shared/dns/domain-filter.ts";
import { type Endpoint, ownerOf } from "#shared/dns/endpoint.ts";
import { changesJson, type PlanRequest, readPlanRequest } from "#shared/dns/endpoint-json.ts";
import { type Changes, planChanges } from "#shared/dns/plan.ts";
import { FaultError } from "#shared/fault.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

const notUnderstood = (problems: readonly string[]): Reply => ({
  verdict: {
    word: "Not understood",
    outcome: "usage",
    text: [
      problems.length === 1
        ? `${problems[0]}.`
        : `${problems.length} problems with this input: ${problems.join("; ")}.`,
    ],
  },
  findings: [],
  blocks: [],
  next: [text`What it takes: ${code("docs/dns-forecast.md")}`],
  actions: [],
  json: { error: { kind: "unreadable", what: "planner input", problems } },
});

const line = (sign: string, { name, type, setIdentifier, targets }: Endpoint): string =>
  `${sign} ${name} ${type}${setIdentifier === "" ? "" : ` (${setIdentifier})`} ${targets.join(", ")}`;

const changeLines = (changes: Changes): readonly string[] => [
  ...changes.create.map((each) => line("+", each)),
  ...changes.update.map(({ from, to }) => `${line("~", to)} (was ${from.targets.join(", ")})`),
  ...changes.delete.map((each) => line("-", each)),
  ...changes.createsBlockedByOwner.map(
    ({ wanted, by }) =>
      `${line("x", wanted)} (blocked by ${by.map((each) => `${each.type} of ${ownerOf(each) || "nobody"}`).join(", ")})`,
  ),
];

const planned = ({ config, current, desired }: PlanRequest): Changes =>
  planChanges(current, desired, {
    ownerId: config.ownerId,
    policy: config.policy,
    managedTypes: config.managedTypes,
    excludedTypes: config.excludedTypes ?? [],
    matches: domainMatcher(config.domainFilter ?? noDomainFilter),
    migrateFromOwner: config.migrateFromOwner ?? undefined,
  });

/** `arpeggio dns plan-endpoints`: ExternalDNS's planner alone, without ownership records. */
export const dnsPlanEndpoints = defineVerb({
  path: ["plan-endpoints"],
  usage: "[FILE]",
  summary: "What ExternalDNS's planner makes of current and desired endpoints (a file or standard input).",
  examples: ["endpoints.json --json", "-"],
  positionals: ["file"],
  options: [],
  input: z.object({ file: z.string().default("-") }),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["cli"],
  handle: async ({ input, deps }) => {
    let content: string;
    try {
      content = await deps.readFile(input.file);
    } catch (error) {
      if (error instanceof FaultError) return notUnderstood([`${error.fault.what}: ${error.fault.detail}`]);
      throw error;
    }
    const read = readPlanRequest(content);
    if (!read.ok) return notUnderstood(read.problems);
    const changes = planned(read.request);
    const blocked = changes.createsBlockedByOwner.length;
    return {
      verdict: {
        word: "PLAN",
        outcome: "info",
        text: [
          `would create ${changes.create.length}, update ${changes.update.length} and delete ${changes.delete.length}`,
          blocked === 0 ? "" : `; ${blocked} blocked by another owner`,
        ],
      },
      findings: [],
      blocks:
        changeLines(changes).length === 0
          ? []
          : [{ kind: "evidence", title: "Changes", lines: changeLines(changes) }],
      actions: [],
      json: changesJson(changes),
    };
  },
});
