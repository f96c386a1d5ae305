import * as z from "zod";
import { isFailure } from "#shared/finding.ts";
import { text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

const since = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.max(0, Math.floor(ms / 1_000))} s`;
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h`;
};

/** What runs, since when, with which config, and everything that was shouted at start. Looks at nothing outside. */
export const status = defineVerb({
  path: ["status"],
  usage: "",
  summary: "What is running, since when, and what it warns of.",
  examples: [""],
  positionals: [],
  options: [],
  input: z.object({}),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["slack", "console", "cli"],
  handle: async ({ deps, caller }) => {
    const { about } = deps;
    const findings = about.warnings();
    const warnings = findings.filter(isFailure);
    const clusters = [...deps.clusters.values()];
    const uptime = since(deps.clock.now() - about.startedAt);
    if (clusters.length === 0) {
      return {
        verdict: { word: "UNKNOWN", outcome: "unknown", text: ["no cluster is configured."] },
        findings,
        blocks: [],
        next: [text`Point ARPEGGIO_CONFIG at a config file, or try the built-in lab: npm start`],
        actions: [],
        data: { version: about.version, clusters: [] },
      };
    }
    return {
      verdict: {
        word: warnings.length > 0 ? "WARNING" : "OK",
        outcome: warnings.length > 0 ? "failed" : "ok",
        text: text`Arpeggio ${about.version}, up ${uptime}, ${clusters.length} cluster${clusters.length === 1 ? "" : "s"}${warnings.length > 0 ? `, ${warnings.length} warning${warnings.length === 1 ? "" : "s"}` : ""}.`,
      },
      findings,
      blocks: [
        {
          kind: "table",
          columns: [{ title: "cluster" }, { title: "segment" }, { title: "vantages" }],
          rows: clusters.map(({ config }) => [
            [config.name],
            [config.site.lanPrefix],
            [
              config.vantages.length > 0
                ? config.vantages.map((v) => `${v.name} (${v.place})`).join(", ")
                : "none",
            ],
          ]),
        },
      ],
      next: [
        text`Whether all of it answers: ${caller.door === "cli" ? "arpeggio doctor" : "/arpeggio doctor"}`,
      ],
      actions: [],
      data: {
        version: about.version,
        config: about.config ?? null,
        upMs: deps.clock.now() - about.startedAt,
        ledger: deps.ledger ? "open" : "none",
        clusters: clusters.map(({ config }) => ({
          name: config.name,
          lanPrefix: config.site.lanPrefix,
          vantages: config.vantages.map(({ name, place }) => ({ name, place })),
        })),
      },
    };
  },
});
